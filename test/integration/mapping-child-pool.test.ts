import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BODY_BYTES_MAX } from '../../src/mapping/child-pool-mapper.ts';
import { isCrossdockError } from '../../src/model/errors.ts';
import type { Program } from '../../src/model/flow-revision.ts';
import { expressionOf, sampleEvent } from '../support/evaluate.ts';
import {
  good,
  goodBody,
  goodOutput,
  isAlive,
  mapGood,
  mapText,
  startMapper,
  until,
} from '../support/mapping-pool.ts';

// Most tests share one, as the lanes of a hub do.
const shared = startMapper();

test('820982911946154508 and 10.10 come out of a child as they went in', async () => {
  assert.deepEqual(await mapGood(shared), { kind: 'mapped', output: goodOutput });
});

test('without a mapping the body goes out byte for byte', async () => {
  const body = Buffer.from(
    '{ "b": 1.00,\n  "a": "\\u0041€", "__proto__": {"x": 820982911946154508} }',
  );
  const answer = await shared.map('identity', {}, { body, event: sampleEvent });
  assert.deepEqual(answer, { kind: 'mapped', output: body.toString() });
  const marked = Buffer.concat([Buffer.from('\uFEFF'), body]);
  assert.deepEqual(await shared.map('identity', {}, { body: marked, event: sampleEvent }), answer);
});

test('the answer to a message sees what was sent and the time it is given', async () => {
  const program: Program = { map: expressionOf('[$sent.id, $now(), id]') };
  const answer = await shared.map('sent', program, {
    body: Buffer.from('{"id":2}'),
    event: sampleEvent,
    sent: '{"id":820982911946154508}',
    nowMs: 1_700_000_000_000,
  });
  const output = '[820982911946154508,"2023-11-14T22:13:20.000Z",2]';
  assert.deepEqual(answer, { kind: 'mapped', output });
});

test('a child killed with SIGKILL from outside loses nothing', async () => {
  const crashed = shared.stats().crashed;
  const answers = Array.from({ length: 200 }, () => mapGood(shared));
  await until(
    () => shared.stats().children.some((child) => child.unanswered > 0),
    'work is under way',
  );
  const victim = shared.stats().children.find((child) => child.unanswered > 0);
  process.kill(victim?.pid ?? 0, 'SIGKILL');
  for (const answer of await Promise.all(answers)) {
    assert.deepEqual(answer, { kind: 'mapped', output: goodOutput });
  }
  await until(() => shared.stats().crashed === crashed + 1, 'the death is counted');
  await until(
    () => shared.stats().children.filter((child) => !child.suspect).length === 2,
    'a new child',
  );
});

test('Ctrl-C and SIGTERM to the whole process group do not end the children', async () => {
  const { children } = shared.stats();
  for (const { pid } of children) {
    process.kill(pid ?? 0, 'SIGINT');
    process.kill(pid ?? 0, 'SIGTERM');
  }
  assert.equal((await mapGood(shared)).kind, 'mapped');
  assert.deepEqual(
    shared.stats().children.map(({ pid }) => pid),
    children.map(({ pid }) => pid),
  );
});

test('a body of 10 MB is mapped and one byte more is too large', async () => {
  const item = `{"sku":"${'x'.repeat(85)}","n":1.5}`;
  const count = Math.floor((BODY_BYTES_MAX - 30) / (item.length + 1));
  const text = `{"items":[${Array.from({ length: count }, () => item).join(',')}]}`;
  const body = Buffer.alloc(BODY_BYTES_MAX, ' ');
  body.write(text);
  const program: Program = { map: expressionOf('$count(items)') };
  const answer = await shared.map('big', program, { body, event: sampleEvent });
  assert.deepEqual(answer, { kind: 'mapped', output: String(count) });
  const more = Buffer.alloc(BODY_BYTES_MAX + 1, ' ');
  const refused = await shared.map('big', program, { body: more, event: sampleEvent });
  assert.equal(refused.kind === 'failed' && refused.code, 'mapping-too-large');
});

test('more than the queue holds is refused as overloaded, and the rest is answered', async () => {
  const mapper = startMapper({ openMax: 10, children: 1 });
  const answers = await Promise.allSettled(Array.from({ length: 15 }, () => mapGood(mapper)));
  assert.equal(answers.filter(({ status }) => status === 'fulfilled').length, 10);
  for (const answer of answers.slice(10)) {
    assert.ok(answer.status === 'rejected' && isCrossdockError(answer.reason, 'overloaded'));
  }
  assert.equal(mapper.stats().openBytes, 0);
  const small = startMapper({ openBytesMax: goodBody.length * 2, children: 1 });
  const held = await Promise.allSettled([mapGood(small), mapGood(small), mapGood(small)]);
  assert.deepEqual(
    held.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected'],
  );
});

test('close ends every child and rejects what is under way', async () => {
  const mapper = startMapper();
  await mapGood(mapper);
  const endless = mapText(mapper, '($f := function(){ $f() }; $f())', {});
  const waiting = Array.from({ length: 20 }, () => mapGood(mapper));
  const pids = mapper.stats().children.map(({ pid }) => pid);
  assert.equal(pids.filter(isAlive).length, 2);
  const results = Promise.allSettled([endless, ...waiting]);
  await Promise.all([mapper.close(), mapper.close()]);
  assert.deepEqual(pids.filter(isAlive), []);
  assert.deepEqual(mapper.stats().children, []);
  for (const result of await results) {
    assert.ok(result.status === 'rejected' && isCrossdockError(result.reason, 'closing'));
  }
  await assert.rejects(mapGood(mapper), (error) => isCrossdockError(error, 'closing'));
});

test('a program that changes its place among 600 is still the right one', async () => {
  const mapper = startMapper({ children: 1 });
  const run = (number: number) =>
    mapper.map(
      `p${number}`,
      { map: expressionOf(String(number)) },
      { body: goodBody, event: sampleEvent },
    );
  for (let number = 0; number < 600; number += 50) {
    const numbers = Array.from({ length: 50 }, (_, index) => number + index);
    const answers = await Promise.all(numbers.map(run));
    assert.deepEqual(
      answers.map((a) => a.kind === 'mapped' && a.output),
      numbers.map(String),
    );
  }
  assert.deepEqual(await run(3), { kind: 'mapped', output: '3' });
  assert.deepEqual(await run(599), { kind: 'mapped', output: '599' });
  await mapper.close();
});

test('each evaluation is reported with its time and its kind', async () => {
  const seen: string[] = [];
  const mapper = startMapper({
    children: 1,
    onEvaluation: (ms, kind) => {
      assert.ok(ms > 0);
      seen.push(kind);
    },
  });
  await mapGood(mapper);
  await mapText(mapper, 'missing', {});
  await mapper.map('no', { when: expressionOf('false') }, { body: goodBody, event: sampleEvent });
  assert.deepEqual(seen, ['mapped', 'mapping-failed', 'filtered']);
  await mapper.close();
});

test('a schema works in a child that may not make code from text', async () => {
  const input = { file: 'schemas/a.json', text: '{"properties":{"id":{"type":"integer"}}}' };
  const program: Program = { input, ...good };
  assert.equal(
    (await shared.map('schema', program, { body: goodBody, event: sampleEvent })).kind,
    'mapped',
  );
  const body = Buffer.from('{"id":"x"}');
  const refused = await shared.map('schema', program, { body, event: sampleEvent });
  assert.deepEqual(refused, {
    kind: 'failed',
    code: 'input-invalid',
    message: 'schemas/a.json: /id must be integer',
  });
});

test('a child that does not get to run is not at fault', async () => {
  const mapper = startMapper({ children: 1, evaluationMaxMs: 400 });
  assert.equal((await mapGood(mapper)).kind, 'mapped');
  const [child] = mapper.stats().children;
  const pid = child?.pid ?? 0;
  // Held still by the system for longer than its limit, as on a machine with no time for it.
  process.kill(pid, 'SIGSTOP');
  const answer = mapGood(mapper);
  await sleep(1_200);
  process.kill(pid, 'SIGCONT');
  assert.equal((await answer).kind, 'mapped');
  assert.equal(mapper.stats().children[0]?.pid, pid, 'the child was killed');
});
