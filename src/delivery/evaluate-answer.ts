// Expressions over what a target answered: the `when` of outcomes, the `found` of a lookup, `result`.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Message, Sent } from '../connectors/connector.ts';
import type { Mapper, MappingAnswer } from '../mapping/mapper.ts';
import { isCrossdockError } from '../model/errors.ts';
import type { Expression } from '../model/flow-revision.ts';

const TRIES = 5;
const REST_MS = 1_000;

/** Does not give up at once because the mapper is busy; rejects `overloaded` where it stays so. */
export async function patiently(map: () => Promise<MappingAnswer>): Promise<MappingAnswer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await map();
    } catch (error) {
      if (tries >= TRIES || !isCrossdockError(error, 'overloaded')) throw error;
      await sleep(REST_MS);
    }
  }
}

/** What a test of an answer came to; `failed` where it could not be evaluated. */
export type Tested = { readonly kind: 'true' | 'false' } | { readonly kind: 'failed'; why: string };

export interface AnswerPorts {
  readonly mapper: Mapper;
  now(): number;
}

/**
 * Whether `test` is true, as `$boolean` has it, of `{ status, headers, body }`. Rejects `overloaded`
 * or `closing`.
 */
export async function testAnswer(
  test: Expression,
  { sent, message }: { readonly sent: Sent; readonly message: Message },
  ports: AnswerPorts,
): Promise<Tested> {
  const { file, line, column, source } = test;
  const place = `${file}:${line}:${column}`;
  // Its beginning alone may say the contrary.
  if (sent.cutAt !== undefined && source.includes('body')) {
    return { kind: 'failed', why: `${place}: ${cutOff(sent.cutAt)}` };
  }
  const input = {
    body: answerText(sent),
    event: message.event,
    // A message that is no JSON is nothing to a test that does not look at it.
    ...(source.includes('$sent') ? { sent: message.body } : {}),
    nowMs: ports.now(),
  };
  const id = `answer:${place}:${source}`;
  const answer = await patiently(() => ports.mapper.map(id, { when: test }, input));
  switch (answer.kind) {
    case 'mapped':
      return { kind: 'true' };
    case 'filtered':
      return { kind: 'false' };
    case 'failed':
      return { kind: 'failed', why: answer.message };
  }
}

/** Why nothing is concluded from the body of an answer. */
export function cutOff(bytes: number): string {
  return `the answer is longer than the ${bytes} bytes that are read of it`;
}

/** As the journal shows it, but with the whole body: as JSON where it is, as text otherwise. */
function answerText({ outcome, exchange, responseBody }: Sent): Buffer {
  const head = JSON.stringify({
    status: outcome.status ?? null,
    headers: exchange.response?.headers ?? {},
  });
  const body = responseBody?.toString() ?? '';
  return Buffer.from(`${head.slice(0, -1)},"body":${isJson(body) ? body : JSON.stringify(body)}}`);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
