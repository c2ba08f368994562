// Whether a request is from who it says: each way to verify, and several of them together. Made
// once from a connector's file; a secret that is no key is found then.

import type { VerifyDefinition } from '../definitions/receive.ts';
import { checkAddress, checkBasic, checkSubject, checkToken } from './credentials.ts';
import { elementsOf } from './elements.ts';
import { checkJwt } from './jwt.ts';
import type { PublishedKeys } from './published-keys.ts';
import { checkWithPublishedKey } from './published-signature.ts';
import { createScheme } from './schemes.ts';
import { secretKeys, secretPlaces } from './secret-keys.ts';
import { checkSignature, type SignatureCheck } from './signature.ts';
import { firstTold, refused, type Verdict } from './verdict.ts';
import { createRequestReader, type RequestReader } from './webhook-request.ts';

export interface VerifyPorts {
  readonly keys: PublishedKeys;
}

/** At once wherever no key has to be fetched. `nowMs` is when the request came. */
export type Verifier = (reader: RequestReader, nowMs: number) => Verdict | Promise<Verdict>;

/** Throws an Error that says, without the secret, why a secret is no key. */
export function createVerifier(definition: VerifyDefinition, ports: VerifyPorts): Verifier {
  switch (definition.kind) {
    case 'none':
      return () => ({ kind: 'authentic' });
    case 'any':
      return anyOf(createNumbered(definition.of, ports));
    case 'all':
      return allOf(createNumbered(definition.of, ports));
    case 'signature':
      return createSignatureVerifier(definition, ports);
    case 'basic':
      return (reader, nowMs) => checkBasic(definition, reader, nowMs);
    case 'token':
      return (reader, nowMs) => checkToken(definition, reader, nowMs);
    case 'jwt':
      return checkJwt(definition, ports.keys);
    case 'certificate':
      return (reader) => checkSubject(definition, reader);
    case 'addresses':
      return checkAddress(definition);
    case 'scheme':
      return createScheme(definition, ports);
  }
}

function createSignatureVerifier(
  definition: Extract<VerifyDefinition, { kind: 'signature' }>,
  ports: VerifyPorts,
): Verifier {
  const { key, algorithm, secrets, each } = definition;
  if (key.kind === 'fetched') return checkWithPublishedKey(definition, key, ports.keys);
  const check = { definition, keys: secretKeys(secrets, key.kind, algorithm.family) };
  if (each === undefined) return (reader, nowMs) => checkSignature(check, reader, nowMs);
  return (reader, nowMs) => checkElements(check, reader, nowMs);
}

/** Secrets of several ways are told apart: their numbers run on from one way to the next. */
function createNumbered(
  ways: readonly VerifyDefinition[],
  ports: VerifyPorts,
): readonly Verifier[] {
  const places = secretPlaces(ways);
  return ways.map((way) => {
    const verifier = createVerifier(way, ports);
    const before = places.get('secrets' in way ? way.secrets : []) ?? 0;
    if (before === 0) return verifier;
    return async (reader, nowMs) => {
      const verdict = await verifier(reader, nowMs);
      if (verdict.kind === 'refused' || verdict.secret === undefined) return verdict;
      return { ...verdict, secret: before + verdict.secret };
    };
  });
}

/** Every element must be signed, and there must be one. */
function checkElements(check: SignatureCheck, reader: RequestReader, nowMs: number): Verdict {
  const { each = { path: [], item: [], text: '[]' } } = check.definition;
  const { body } = reader.request;
  const elements = elementsOf(body, each);
  let verdict = refused('signature-missing', `the body has no elements at ${each.text}`);
  if (each.item.length > 0 && elements.length < elementsOf(body, { ...each, item: [] }).length) {
    return refused('signature-missing', `an element of the body has nothing at ${each.text}`);
  }
  const url = reader.token('url')?.toString();
  for (const json of elements) {
    verdict = checkSignature(check, createRequestReader(reader.request, { json, url }), nowMs);
    if (verdict.kind === 'refused') return verdict;
  }
  return verdict;
}

/** The first that fits counts, and those behind it are not tried. */
function anyOf(verifiers: readonly Verifier[]): Verifier {
  return async (reader, nowMs) => {
    const verdicts: Verdict[] = [];
    for (const verifier of verifiers) {
      const verdict = await verifier(reader, nowMs);
      if (verdict.kind === 'authentic') return verdict;
      verdicts.push(verdict);
    }
    return firstTold(verdicts);
  };
}

function allOf(verifiers: readonly Verifier[]): Verifier {
  return async (reader, nowMs) => {
    let whole: Verdict = refused('signature-missing', 'there is no way to verify');
    for (const verifier of verifiers) {
      const verdict = await verifier(reader, nowMs);
      if (verdict.kind === 'refused') return verdict;
      whole = whole.kind === 'authentic' && whole.secret !== undefined ? whole : verdict;
    }
    return whole;
  };
}
