// A receiver made of the fields of a `receive:`, without a file around it, and what it says of a
// request.

import type { ReceiveDefinition } from '../../src/definitions/receive.ts';
import { parseReceive } from '../../src/definitions/receive-part.ts';
import type { PublishedKeys } from '../../src/intake/published-keys.ts';
import { createReceiver, type Receiver } from '../../src/intake/receiver.ts';
import type { Verdict } from '../../src/intake/verdict.ts';
import {
  createRequestReader,
  type RequestReader,
  type WebhookRequest,
} from '../../src/intake/webhook-request.ts';
import type { JsonObject } from '../../src/model/json.ts';

/** `verify` and what else the test is about; the topic is `t` unless it says otherwise. */
export function receiveOf(fields: JsonObject): ReceiveDefinition {
  return parseReceive({ topic: { is: 't' }, ...fields });
}

export interface TestRequest {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly repeated?: readonly string[];
  readonly body?: Buffer | string;
  readonly address?: string;
  readonly viaTrustedProxy?: boolean;
}

export function requestOf(request: TestRequest): WebhookRequest {
  const { method = 'POST', target = '/webhooks/one', headers = {}, body = '' } = request;
  const { address, viaTrustedProxy } = request;
  const names = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    method,
    target,
    headers: Object.fromEntries(names),
    repeated: new Set(request.repeated),
    body: Buffer.from(body as string),
    ...(address === undefined ? {} : { address }),
    ...(viaTrustedProxy === undefined ? {} : { viaTrustedProxy }),
  };
}

export function readerOf(receive: ReceiveDefinition, request: TestRequest): RequestReader {
  return createRequestReader(requestOf(request), { url: receive.url });
}

/** Keys of nobody: for ways that fetch none. */
export const noKeys: PublishedKeys = {
  publicKey: () => Promise.reject(new Error('no key is fetched here')),
  keySet: () => Promise.reject(new Error('no key is fetched here')),
};

export function receiverOf(receive: ReceiveDefinition, keys: PublishedKeys = noKeys): Receiver {
  return createReceiver(receive, { keys });
}

export async function verdictOf(
  receive: ReceiveDefinition,
  request: TestRequest,
  options: { readonly nowMs?: number; readonly keys?: PublishedKeys } = {},
): Promise<Verdict> {
  const { verifier } = receiverOf(receive, options.keys);
  return verifier(readerOf(receive, request), options.nowMs ?? Date.now());
}

export async function isAuthentic(
  receive: ReceiveDefinition,
  request: TestRequest,
  options: { readonly nowMs?: number; readonly keys?: PublishedKeys } = {},
): Promise<boolean> {
  return (await verdictOf(receive, request, options)).kind === 'authentic';
}
