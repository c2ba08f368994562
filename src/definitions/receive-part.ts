// The `receive:` part of a connector: from its checked JSON to what intake uses.

import type { Json, JsonObject } from '../model/json.ts';
import { parseSizeBytes } from '../model/units.ts';
import { isObject } from './content.ts';
import type { ReceiveDefinition, VerifyDefinition } from './definitions.ts';
import { type Fault, fault } from './fault.ts';

const BODY_BYTES_DEFAULT = 1_048_576;
const BODY_BYTES_MAX = 10 * 1_048_576;

/** Mistakes of a `receive:` that its schema cannot say. The value fits its schema. */
export function checkReceive(receive: JsonObject): readonly Fault[] {
  const faults: Fault[] = [];
  const { verify, secrets, bodyBytesMax } = parseReceive(receive);
  if (verify.kind === 'none') {
    const message = 'takes webhooks from anybody';
    faults.push(
      fault(['receive', 'verify'], 'unverified-receiver', { message, severity: 'warning' }),
    );
  } else if (secrets.length === 0) {
    const path = 'secrets' in receive ? ['receive', 'secrets'] : ['receive'];
    const message = 'signatures are verified, but there is no secret to do it with';
    const hint = `secrets: ["\${NAME}"]`;
    faults.push(fault(path, 'secret-missing', { message, hint, target: 'key' }));
  }
  if (bodyBytesMax > BODY_BYTES_MAX || bodyBytesMax < 1) {
    const message = '"receive.bodyMax" must be from 1b to 10mb';
    faults.push(fault(['receive', 'bodyMax'], 'wrong-value', { message }));
  }
  return faults;
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
