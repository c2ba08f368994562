import { createHash } from 'node:crypto';
import type { Mapper } from '../../mapping/mapper.ts';
import type { EventContext } from '../../model/event.ts';
import type { Expression } from '../../model/flow-revision.ts';
import { parseExactJson } from '../exact-value.ts';
import type { MappingCase } from './cases.ts';
import { compareError, compareExact, type Difference } from './compare.ts';

/** The id of the event in every test, so that an idempotency key can be expected. */
export const TEST_EVENT_ID = '00000000-0000-7000-8000-000000000001';

/** What differs; empty where the case passes. */
export async function runMappingCase(
  testCase: MappingCase,
  map: Expression,
  mapper: Mapper,
): Promise<readonly Difference[]> {
  const { nowMs, input, expected } = testCase;
  const event: EventContext = {
    id: TEST_EVENT_ID,
    source: 'test',
    topic: 'test',
    key: 'test',
    receivedAt: new Date(nowMs).toISOString(),
    headers: {},
    ...testCase.event,
  };
  const digest = createHash('sha256').update(map.source).digest('hex');
  const answer = await mapper.map(`test:${digest}`, { map }, { body: input, event, nowMs });
  if (answer.kind === 'filtered') throw new Error('a mapping without `when` cannot filter');
  if ('error' in expected) {
    const received = answer.kind === 'failed' ? failureText(answer) : answer.output;
    return compareError(expected.error, received, answer.kind === 'failed');
  }
  if (answer.kind === 'failed') {
    return [{ path: '', expected: 'an output', received: failureText(answer) }];
  }
  return compareExact('', expected.output, parseExactJson(answer.output));
}

function failureText({ code, message }: { code: string; message: string }): string {
  return `${code}: ${message}`;
}
