// What a handshake of a receiver replies to one request, without a hub around it.

import { createHandshakes, type Replied } from '../../src/intake/handshakes.ts';
import { CrossdockError } from '../../src/model/errors.ts';
import type { Json, JsonObject } from '../../src/model/json.ts';
import { readerOf, receiveOf, type TestRequest } from './receiver.ts';

export const hmac = {
  verify: { hmac: 'sha256', header: 'X-Sig', encoding: 'hex' },
  secrets: ['first', 'second'],
};

type Asked = 'answerBefore' | 'answerAfter';

export function replied(
  handshake: Json,
  request: TestRequest,
  more: { readonly fields?: JsonObject; readonly when?: Asked; readonly secret?: number } = {},
): Replied | undefined {
  const { fields = hmac, when = 'answerBefore', secret = 1 } = more;
  const receive = receiveOf({ ...fields, handshakes: [handshake] });
  const handshakes = createHandshakes(receive);
  const reader = readerOf(receive, request);
  return when === 'answerBefore'
    ? handshakes.answerBefore?.(reader)
    : handshakes.answerAfter?.(reader, secret);
}

/** `[status, type, body]`, or the code of a refusal. */
export function answerTo(...from: Parameters<typeof replied>) {
  const reply = replied(...from)?.reply;
  if (reply === undefined) return undefined;
  return reply.kind === 'refused' ? reply.verdict.code : [reply.status, reply.type, reply.body];
}

export const text = (body: string) => [200, 'text/plain; charset=utf-8', body];
export const json = (value: object) => [
  200,
  'application/json; charset=utf-8',
  JSON.stringify(value),
];
export const get = (target: string) => ({ method: 'GET', target: `/webhooks/one${target}` });
export const isMalformed = (error: unknown) =>
  error instanceof CrossdockError && error.code === 'request-malformed';

export const after = { when: 'answerAfter' } as const;

/** Texts that nobody gets back. */
export const hostile = [
  '<script>alert(1)</script>',
  'a'.repeat(4_097),
  'line\nbreak',
  'nul\0',
  'caf\u00e9',
  '\u202egnp.exe',
];
