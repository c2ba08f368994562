// The `receive:` part of a connector: from its checked JSON to what intake uses.

import type { Json, JsonObject } from '../model/json.ts';
import { parseSizeBytes } from '../model/units.ts';
import { isObject } from './content.ts';
import type { ReceiveDefinition, VerifyDefinition } from './definitions.ts';
import { type Fault, fault, isFaulty } from './fault.ts';

const BODY_BYTES_DEFAULT = 1_048_576;
const BODY_BYTES_MAX = 10 * 1_048_576;

/**
 * Mistakes of a `receive:` that its schema cannot say; nothing is made of the parts that
 * `shapeFaults` are about.
 */
export function checkReceive(receive: JsonObject, shapeFaults: readonly Fault[]): readonly Fault[] {
  const isFine = (name: string) => !isFaulty(shapeFaults, ['receive', name]);
  const { verify, secrets, bodyBytesMax } = parseReceive(receive);
  return [
    ...('verify' in receive && isFine('verify') && isFine('secrets')
      ? checkVerify(receive, verify, secrets)
      : []),
    ...(isFine('bodyMax') ? checkBodyMax(bodyBytesMax) : []),
  ];
}

function checkVerify(
  receive: JsonObject,
  verify: VerifyDefinition,
  secrets: readonly string[],
): readonly Fault[] {
  if (verify.kind === 'none') {
    const message = 'takes webhooks from anybody';
    return [fault(['receive', 'verify'], 'unverified-receiver', { message, severity: 'warning' })];
  }
  if (secrets.length > 0) return [];
  const path = 'secrets' in receive ? ['receive', 'secrets'] : ['receive'];
  const message = 'signatures are verified, but there is no secret to do it with';
  const hint = `secrets: ["\${NAME}"]`;
  return [fault(path, 'secret-missing', { message, hint, target: 'key' })];
}

function checkBodyMax(bytes: number): readonly Fault[] {
  if (bytes >= 1 && bytes <= BODY_BYTES_MAX) return [];
  const message = '"receive.bodyMax" must be from 1b to 10mb';
  return [fault(['receive', 'bodyMax'], 'wrong-value', { message })];
}

export function parseReceive(receive: JsonObject): ReceiveDefinition {
  const topic = receive['topic'];
  const fixed = isObject(topic) ? topic['is'] : undefined;
  const dedupe = receive['dedupe'];
  const bodyMax = receive['bodyMax'];
  return {
    verify: parseVerify(receive['verify']),
    secrets: textsOf(receive['secrets']).filter((secret) => secret.trim() !== ''),
    topic: typeof fixed === 'string' ? { fixed } : { headers: headersOf(topic) },
    dedupe: isObject(dedupe) ? { headers: headersOf(dedupe) } : 'body',
    occurredAt: headersOf(receive['occurredAt']),
    shop: headersOf(receive['shop']),
    bodyBytesMax: typeof bodyMax === 'string' ? (parseSizeBytes(bodyMax) ?? 0) : BODY_BYTES_DEFAULT,
  };
}

function parseVerify(verify: Json | undefined): VerifyDefinition {
  if (!isObject(verify)) return { kind: 'none' };
  const { hmac, encoding, prefix } = verify;
  return {
    kind: 'hmac',
    algorithm: hmac as 'sha1' | 'sha256' | 'sha512',
    headers: headersOf(verify),
    encoding: encoding as 'hex' | 'base64' | 'base64url',
    prefix: typeof prefix === 'string' ? prefix : '',
  };
}

/** Header names of `{ header: X }` or `{ header: [X, Y] }`, lower-case. */
function headersOf(value: Json | undefined): readonly string[] {
  const header = isObject(value) ? value['header'] : undefined;
  return textsOf(header).map((name) => name.toLowerCase());
}

function textsOf(value: Json | undefined): readonly string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
