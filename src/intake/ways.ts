// What the ways of a `verify:` use: keys, secrets and places of a request.

import type {
  Place,
  SecretDefinition,
  Source,
  Template,
  VerifyDefinition,
} from '../definitions/receive.ts';
import { waysOf } from '../definitions/ways.ts';

/** Whether a key may have to be fetched before a request can be verified. */
export function fetchesKeys(verify: VerifyDefinition | undefined): boolean {
  return waysOf(verify).some(
    (way) =>
      (way.kind === 'signature' && way.key.kind === 'fetched') ||
      (way.kind === 'jwt' && way.jwks !== undefined) ||
      (way.kind === 'scheme' && way.secrets.length === 0),
  );
}

export function secretsOf(verify: VerifyDefinition | undefined): readonly SecretDefinition[] {
  return waysOf(verify).flatMap((way) => ('secrets' in way ? way.secrets : []));
}

/** In lower case: headers that hold a token or a password. */
export function credentialHeaders(verify: VerifyDefinition | undefined): readonly string[] {
  return waysOf(verify).flatMap((way) => {
    if (way.kind === 'basic') return ['authorization'];
    if (way.kind !== 'token' && way.kind !== 'jwt') return [];
    return sourcesOfPlace(way.token).flatMap((one) => (one.from === 'header' ? [one.name] : []));
  });
}

export function sourcesOfPlace(place: Place): readonly Source[] {
  return place.flatMap((step) => {
    if (step.from === 'is') return [];
    return step.from === 'template' ? sourcesOfTemplate(step.template) : [step];
  });
}

export function sourcesOfTemplate(template: Template): readonly Source[] {
  return template.flatMap((part) => {
    if (part.kind === 'source') return [part.source];
    return part.kind === 'optional' ? sourcesOfTemplate(part.parts) : [];
  });
}

/** `header x-token`, `query token`, `form token`, `json a.b`. */
export function nameOfSource(source: Source): string {
  return `${source.from} ${source.from === 'json' ? source.text : source.name}`;
}
