import type { RunInput } from '../../src/mapping/program-runner.ts';
import { createProgramRunner } from '../../src/mapping/program-runner.ts';
import type { EventContext } from '../../src/model/event.ts';
import type { Expression, Program } from '../../src/model/flow-revision.ts';

const runner = createProgramRunner();

export const sampleEvent: EventContext = {
  id: '018f0000-0000-7000-8000-000000000001',
  source: 'shop',
  topic: 'orders/create',
  key: 'k-1',
  receivedAt: '2024-05-01T00:00:00.000Z',
  headers: { 'x-shop': 'one' },
};

export function expressionOf(source: string, file = 'mappings/test.jsonata'): Expression {
  return { source, file, line: 1, column: 1 };
}

/** One program in this process, without a child. A body that is not a string is written as JSON. */
export async function runProgram(program: Program, body: unknown, input: Partial<RunInput> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const compiled = (await runner).compile(program);
  return await compiled.run({ body: Buffer.from(text), event: sampleEvent, nowMs: 0, ...input });
}

/** The JSON text that an expression makes; rejects with the message of a failure. */
export async function evaluate(
  source: string,
  body: unknown = {},
  input: Partial<RunInput> = {},
): Promise<string> {
  const answer = await runProgram({ map: expressionOf(source) }, body, input);
  if (answer.kind === 'mapped') return answer.output;
  throw new Error(answer.kind === 'failed' ? `${answer.code} ${answer.message}` : answer.kind);
}
