import assert from 'node:assert/strict';
import { after } from 'node:test';
import {
  type ChildPoolMapper,
  type ChildPoolOptions,
  createChildPoolMapper,
} from '../../src/mapping/child-pool-mapper.ts';
import type { MappingAnswer } from '../../src/mapping/mapper.ts';
import type { Program } from '../../src/model/flow-revision.ts';
import { expressionOf, sampleEvent } from './evaluate.ts';

const open: ChildPoolMapper[] = [];
after(async () => {
  await Promise.all(open.map((mapper) => mapper.close()));
});

/** Closed after the last test of the file. */
export function startMapper(options: ChildPoolOptions = {}): ChildPoolMapper {
  const mapper = createChildPoolMapper({ children: 2, ...options });
  open.push(mapper);
  return mapper;
}

export const good: Program = {
  map: expressionOf('{"id": id, "total": total, "topic": $event.topic, "n": $count(lines)}'),
};
export const goodBody = Buffer.from('{"id":820982911946154508,"total":10.10,"lines":[1,2,3]}');
export const goodOutput = '{"id":820982911946154508,"total":10.10,"topic":"orders/create","n":3}';

export function mapGood(mapper: ChildPoolMapper): Promise<MappingAnswer> {
  return mapper.map('good', good, { body: goodBody, event: sampleEvent });
}

/** Evaluates `source`, which also names the program. */
export function mapText(
  mapper: ChildPoolMapper,
  source: string,
  body: unknown = {},
): Promise<MappingAnswer> {
  const program: Program = { map: expressionOf(source, 'mappings/hostile.jsonata') };
  const bytes = Buffer.from(JSON.stringify(body));
  return mapper.map(source, program, { body: bytes, event: sampleEvent });
}

export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, `not within 10 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export function isAlive(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch {
    return false;
  }
}
