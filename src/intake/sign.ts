// Signing a webhook as its sender would: the inverse of verification, for `crossdock send` and the
// demo. Pure; posting it is the caller's.

import { createHash, createHmac } from 'node:crypto';
import type { Place, ReceiveDefinition, SignatureDefinition } from '../definitions/receive.ts';
import { CrossdockError } from '../model/errors.ts';
import type { Headers } from '../model/event.ts';
import { renderPieces } from './read-place.ts';
import { secretKeys } from './secret-keys.ts';
import { createRequestReader } from './webhook-request.ts';

/** One webhook as its sender has it in hand. */
export interface OutgoingWebhook {
  readonly topic: string;
  /** The sender's id of this message: what the receiver keeps duplicates apart by. */
  readonly id: string;
  readonly shop?: string;
  readonly occurredAt?: Date;
  /** The exact bytes that will be posted. */
  readonly body: Buffer;
}

/**
 * The headers that make `receive` accept `webhook`, names in lower case: content type, topic, id,
 * shop, time and signature, each under the first header name that the definition reads, signed
 * with the newest secret. What the definition reads from nowhere (a fixed topic, a body hash) is
 * left out. Throws CrossdockError `usage` where a signature is asked for and there is no secret.
 */
export function signedHeaders(receive: ReceiveDefinition, webhook: OutgoingWebhook): Headers {
  const headers = {
    'content-type': 'application/json',
    ...headerNamed(receive.topic, webhook.topic),
    ...headerNamed(receive.dedupe ?? [], webhook.id),
    ...headerNamed(receive.occurredAt, webhook.occurredAt?.toISOString()),
    ...headerNamed(receive.shop, webhook.shop),
  };
  const { verify } = receive;
  if (verify?.kind !== 'signature') return headers;
  return { ...headers, ...signature(verify, { headers, body: webhook.body }) };
}

function headerNamed(place: Place, value: string | undefined): Headers {
  const step = place.find(({ from }) => from === 'header');
  return step?.from === 'header' && value !== undefined ? { [step.name]: value } : {};
}

function signature(
  verify: SignatureDefinition,
  { headers, body }: { readonly headers: Headers; readonly body: Buffer },
): Headers {
  const { algorithm, key, secrets, signs, prefix, encoding } = verify;
  const isShared = algorithm.family === 'hmac' || algorithm.family === 'hash';
  if (!isShared || key.kind === 'fetched' || secrets[0] === undefined) {
    throw new CrossdockError('usage', 'cannot sign a webhook: its connector has no secret');
  }
  const [secret] = secretKeys(secrets.slice(0, 1), key.kind, algorithm.family);
  if (secret === undefined) return {};
  const hash =
    algorithm.family === 'hmac'
      ? createHmac(algorithm.hash, secret.key)
      : createHash(algorithm.hash);
  const repeated: ReadonlySet<string> = new Set();
  const reader = createRequestReader({ method: 'POST', target: '/', headers, repeated, body });
  for (const piece of renderPieces(signs, reader)) hash.update(piece);
  return headerNamed(verify.signature, `${prefix}${hash.digest(encoding)}`);
}
