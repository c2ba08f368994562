// What is wrong with one way to verify although its shape is right and its texts can be read: parts
// that do not go together, lists that let nobody or everybody in, secrets that are no keys.

import { addressBlockProblem } from '../model/address-blocks.ts';
import type { Json, JsonObject } from '../model/json.ts';
import { isObject } from './content.ts';
import { type Fault, fault, type Path } from './fault.ts';
import type {
  AddressesDefinition,
  JwtDefinition,
  Place,
  SchemeDefinition,
  SignatureDefinition,
  VerifyDefinition,
} from './receive.ts';
import { isShared, jwtKey, parseSecretKey } from './secret-key.ts';
import { usesToken } from './template.ts';

/** A way that is neither `none` nor several others. */
export type Way = Exclude<VerifyDefinition, { readonly kind: 'none' } | { readonly of: unknown }>;

/** Where the way stands, and the secrets that it is tried with. */
export interface WayPlace {
  readonly path: Path;
  /** As the file has them, empty ones too. */
  readonly secrets: Json | undefined;
  readonly secretsPath: Path;
}

export function wayFaults(way: Way, place: WayPlace): readonly Fault[] {
  switch (way.kind) {
    case 'signature':
      return [
        ...keyFaults(way, place.path),
        ...hashFaults(way, place.path),
        ...secretFaults(way, place),
      ];
    case 'jwt':
      return [
        ...fixedFaults(way.token, [...place.path, 'jwt']),
        ...jwtFaults(way, place.path),
        ...secretFaults(way, place),
      ];
    case 'token':
      return fixedFaults(way.token, [...place.path, 'token']);
    case 'certificate':
      return fixedFaults(way.subject, [...place.path, 'certificate']);
    case 'addresses':
      return addressFaults(way, place.path);
    case 'scheme':
      return schemeFaults(way, place.path);
    case 'basic':
      return secretFaults(way, place);
    default:
      return [];
  }
}

/** Whether the way needs a secret: those with public keys that are fetched may need none. */
export function needsSecret(way: Way): boolean {
  switch (way.kind) {
    case 'signature':
      return way.key.kind !== 'fetched' || usesToken(way.signs, 'secret');
    case 'jwt':
      return way.jwks === undefined;
    case 'scheme':
      return way.name === 'twilio';
    case 'basic':
    case 'token':
      return true;
    default:
      return false;
  }
}

/** Whether what is signed holds the address as the sender has it. */
export function usesUrl(verify: VerifyDefinition): boolean {
  if ('of' in verify) return verify.of.some(usesUrl);
  if (verify.kind === 'scheme') return verify.name === 'twilio';
  return verify.kind === 'signature' && usesToken(verify.signs, 'url');
}

function keyFaults({ key, signature, algorithm, each }: SignatureDefinition, path: Path): Fault[] {
  if (key.kind !== 'fetched') return [];
  const { family } = algorithm;
  const keyPath = [...path, 'key'];
  if (family === 'hmac' || family === 'hash') {
    const message = `a key that is published verifies no ${family}`;
    return [wrong(keyPath, message, 'rsa, ecdsa and ed25519 have public keys')];
  }
  if (each !== undefined) {
    const message = '"each" does not go together with a key that is fetched';
    return [wrong([...path, 'each'], message)];
  }
  const count = key.from.length;
  if (count === 1 || (count > 0 && count === signature.length)) return [];
  const message = `"${keyPath.join('.')}.at" names ${count} places of keys for ${signature.length} of signatures`;
  return [wrong([...keyPath, 'at'], message, 'name one, or one for each place of a signature')];
}

function hashFaults({ algorithm, signs }: SignatureDefinition, path: Path): Fault[] {
  if (algorithm.family !== 'hash' || usesToken(signs, 'secret')) return [];
  const message = 'a hash of what does not hold the secret can be made by anybody';
  const hint = 'put {secret} where the vendor does, such as signs: "{secret}{body}"; or use hmac';
  return [wrong([...path, 'signs'], message, hint)];
}

/** What is always there proves nothing. */
function fixedFaults(place: Place, path: Path): Fault[] {
  if (!place.some(({ from }) => from === 'is')) return [];
  const message = `"${path.join('.')}" looks at a fixed text, which anybody would pass with`;
  return [wrong([...path, 'is'], message, 'leave it out')];
}

function jwtFaults({ algorithms, jwks, audiences, claims }: JwtDefinition, path: Path): Fault[] {
  const at = [...path, 'jwt', 'algorithms'];
  const shared = algorithms.filter(isShared);
  if (jwks !== undefined && shared.length > 0) {
    return [wrong(at, `${shared[0]} has no key that an issuer publishes`, 'such as RS256')];
  }
  if (shared.length > 0 && shared.length < algorithms.length) {
    const message = 'shared secrets and public keys do not go together';
    return [wrong(at, message, 'use "any" with a way for each')];
  }
  if (jwks === undefined || audiences.length > 0 || Object.keys(claims).length > 0) return [];
  const message = `"${path.join('.')}.jwt" takes every token of the issuer, whomever it is for`;
  const hint = 'say "audience", or "claims" that only your sender has';
  return [fault([...path, 'jwt'], 'missing-field', { message, hint, target: 'key' })];
}

function addressFaults({ blocks }: AddressesDefinition, path: Path): Fault[] {
  return blocks.flatMap((block, index) => {
    const problem = addressBlockProblem(block);
    if (problem === undefined) return [];
    return [wrong([...path, 'addresses', index], problem, 'for example 203.0.113.0/24')];
  });
}

function schemeFaults({ name, topicArns = [] }: SchemeDefinition, path: Path): Fault[] {
  const isListed = topicArns.length > 0;
  if (name === 'sns' && !isListed) {
    const message = 'sns without "topicArns" would take messages of anybody\'s topic';
    const hint = 'topicArns: ["arn:aws:sns:eu-west-1:123456789012:orders"]';
    return [fault([...path, 'scheme'], 'missing-field', { message, hint })];
  }
  if (name === 'sns' || !isListed) return [];
  return [wrong([...path, 'topicArns'], `"topicArns" is for sns, not for ${name}`)];
}

/** Each secret that is set and is no key of this way; the message never says it. */
function secretFaults(way: Way, { secrets, secretsPath }: WayPlace): Fault[] {
  if (!needsSecret(way) || !Array.isArray(secrets)) return [];
  return (secrets as readonly Json[]).flatMap((one, index) => {
    const text = isObject(one) ? one['value'] : one;
    if (typeof text !== 'string' || text.trim() === '' || isStandIn(text)) return [];
    const problem = secretProblem(way, text);
    if (problem === undefined) return [];
    return [wrong([...secretsPath, index, ...(isObject(one) ? ['value'] : [])], problem)];
  });
}

function secretProblem(way: Way, secret: string): string | undefined {
  try {
    if (way.kind === 'jwt') jwtKey(secret, way);
    if (way.kind === 'signature' && way.key.kind !== 'fetched') {
      parseSecretKey(secret, way.key.kind, way.algorithm.family);
    }
    if (way.kind === 'basic' && !/:./s.test(secret)) return 'the secret is not user:password';
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : 'the secret is no key';
  }
}

/** What commands put in place of variables that nobody has set: `test-NAME`. */
function isStandIn(secret: string): boolean {
  return /test-[A-Za-z_]/.test(secret);
}

function wrong(path: Path, message: string, hint?: string): Fault {
  return fault(path, 'wrong-value', { message, hint });
}

/** The secrets of `verify` itself, or of the receiver around it. */
export function wayPlace(
  verify: JsonObject,
  path: Path,
  receiverSecrets: Json | undefined,
): WayPlace {
  return 'secrets' in verify
    ? { path, secrets: verify['secrets'], secretsPath: [...path, 'secrets'] }
    : { path, secrets: receiverSecrets, secretsPath: ['receive', 'secrets'] };
}
