import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goodOutput, mapGood, mapText, startMapper, until } from '../support/mapping-pool.ts';

const shared = startMapper({ evaluationMaxMs: 900 });

const endless = '($f := function(){ $f() }; $f())';

/** Quadratic inside one call of the engine, where none of its guardrails looks. */
const blind = '$count($distinct(a))';

function texts(count: number): { a: string[] } {
  return { a: Array.from({ length: count }, (_, index) => `${index}`) };
}

/** What each hostile mapping comes to; `mapped` means that its cost is bounded after all. */
const hostile: readonly (readonly [string, string, unknown, readonly string[]])[] = [
  ['an endless loop', endless, {}, ['mapping-timed-out']],
  [
    'a loop without an end in sight',
    '$sum($map([1..100000], function($x){ $sum([1..90000]) }))',
    {},
    ['mapping-timed-out'],
  ],
  ['$pad("x", 1e8)', '$pad("x", 1e8)', {}, ['mapping-crashed', 'mapping-timed-out']],
  [
    '$pad("x", 1e9)',
    '$length($pad("x", 1e9))',
    {},
    ['mapping-crashed', 'mapping-timed-out', 'mapping-failed'],
  ],
  [
    'a text that doubles',
    '($f := function($s){ $f($s & $s) }; $f("xxxxxxxx"))',
    {},
    ['mapping-crashed', 'mapping-failed', 'mapping-timed-out'],
  ],
  ['a range of ten million', '$count([1..10000000])', {}, ['mapping-failed']],
  ['(a+)+$ on a long text', '$contains(a, /(a+)+$/)', { a: `${'a'.repeat(50_000)}!` }, ['mapped']],
  [
    'a date picture that backtracks',
    '$toMillis(a, "[Y]".$join($map([1..30], function(){ "[Y][M][D]" })))',
    { a: '1'.repeat(200) },
    ['mapping-failed', 'mapping-timed-out'],
  ],
];

for (const [name, source, body, outcomes] of hostile) {
  test(`${name} ends only its own evaluation while 50 good ones succeed`, async () => {
    const bad = mapText(shared, source, body);
    const answers = await Promise.all(Array.from({ length: 50 }, () => mapGood(shared)));
    for (const answer of answers) assert.deepEqual(answer, { kind: 'mapped', output: goodOutput });
    const answer = await bad;
    assert.ok(
      outcomes.includes(answer.kind === 'failed' ? answer.code : answer.kind),
      JSON.stringify(answer).slice(0, 300),
    );
  });
}

test('an evaluation that no guardrail of the engine sees is killed at the time limit', async () => {
  const { killed } = shared.stats();
  const answer = await mapText(shared, blind, texts(60_000));
  assert.deepEqual(answer, {
    kind: 'failed',
    code: 'mapping-timed-out',
    message: 'mappings/hostile.jsonata: the evaluation took over 900 ms and was stopped',
  });
  // Once among the others, and once more alone.
  assert.equal(shared.stats().killed, killed + 2);
});

test('twenty hostile evaluations at once never leave the good ones waiting for all of them', async () => {
  const mapper = startMapper({ evaluationMaxMs: 300 });
  await mapGood(mapper);
  const bad = Array.from({ length: 20 }, () => mapText(mapper, blind, texts(60_000)));
  const settled = Promise.allSettled(bad);
  for (let round = 0; round < 10; round++) {
    const answers = await Promise.all(Array.from({ length: 5 }, () => mapGood(mapper)));
    for (const answer of answers) assert.deepEqual(answer, { kind: 'mapped', output: goodOutput });
  }
  assert.ok(mapper.stats().suspectsWaiting > 0, 'the good ones had to wait for all hostile ones');
  await mapper.close();
  for (const result of await settled) {
    const value = result.status === 'fulfilled' ? result.value : undefined;
    assert.ok(
      value === undefined || (value.kind === 'failed' && value.code === 'mapping-timed-out'),
    );
  }
});

test('a mapping that was slow once is trusted again after 20 quick evaluations', async () => {
  const mapper = startMapper({ evaluationMaxMs: 5_000, children: 1 });
  const suspect = () => mapper.stats().children.find((child) => child.suspect);
  const quick = () => mapText(mapper, blind, { a: [1, 2] });
  assert.equal((await mapText(mapper, blind, texts(12_000))).kind, 'mapped');
  assert.equal(suspect(), undefined);
  for (let run = 0; run < 20; run++) {
    assert.deepEqual(await quick(), { kind: 'mapped', output: '2' });
    assert.ok(suspect() !== undefined);
  }
  process.kill(suspect()?.pid ?? 0, 'SIGKILL');
  await until(() => suspect() === undefined, 'the suspect child is gone');
  assert.deepEqual(await quick(), { kind: 'mapped', output: '2' });
  assert.equal(suspect(), undefined, 'the mapping is still suspect');
});
