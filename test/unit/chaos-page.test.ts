import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseOptions } from '../../chaos/options.ts';
import { planRuns } from '../../chaos/plan.ts';
import { createRandom } from '../../chaos/random.ts';
import { reliabilityPage } from '../../chaos/reliability-page.ts';
import type { ScenarioResult } from '../../chaos/run-scenario.ts';
import { nameOf } from '../../chaos/scenario.ts';
import { scenarios } from '../../chaos/scenarios.ts';

const passed: ScenarioResult = {
  id: 'F4',
  title: 'Redis dies',
  promise: 'nothing is lost',
  lanes: 'redis',
  seed: 7,
  verdict: 'passed',
  tookMs: 20_000,
  loadAverage: 1.5,
  findings: [],
  figures: {
    sent: 100,
    acknowledged: 100,
    lost: 0,
    duplicates: 2,
    ghosts: 0,
    refused: 1,
    recoveredMs: 7_340,
  },
};

function pageOf(results: readonly ScenarioResult[]): string {
  const machine = { node: 'v20.0.0', redis: '7.0.15' };
  return reliabilityPage({
    results,
    machine,
    seeds: [7, 8],
    args: ['--seeds', '2'],
    tookMs: 60_000,
  });
}

test('the page sums the seeds and shows the slowest recovery', () => {
  const { figures } = passed;
  assert.ok(figures);
  const slower = { ...passed, seed: 8, figures: { ...figures, recoveredMs: 9_000 } };
  const page = pageOf([passed, slower]);
  assert.match(
    page,
    /\| F4 \| Redis dies \| nothing is lost \| Redis \| 200 \| 0 \| 4 \| 9\.0 s \| passed \|/,
  );
  assert.match(page, /\| redis \| 7\.0\.15 \|/);
  assert.match(page, /npm run chaos -- --seeds 2/);
  assert.doesNotMatch(page, /Not passed/);
});

test('the page hides nothing that did not pass', () => {
  const findings = [{ rule: 'kept', message: '1 × acknowledged, and gone', ids: ['w-1'] }];
  const failed: ScenarioResult = { ...passed, seed: 8, verdict: 'failed', findings };
  const { figures: _none, ...rest } = passed;
  const reason = 'libfaketime is not installed';
  const skipped: ScenarioResult = { ...rest, id: 'F22', verdict: 'skipped', reason };
  const page = pageOf([passed, failed, skipped]);
  assert.match(page, /1 passed, 1 failed \|/);
  assert.match(page, /- F4 on Redis, seed 8: failed: 1 × acknowledged, and gone/);
  assert.match(page, /- F22 on Redis, seed 7: skipped: libfaketime is not installed/);
});

test('the page tells what the large replay measured, and no name of a file', () => {
  const measured = { 'commands over 50 ms': '0, by SLOWLOG' };
  const page = reliabilityPage({
    results: [{ ...passed, id: 'F41', variant: '100,000', measured }],
    ...{ machine: {}, seeds: [7], tookMs: 60_000 },
    args: [
      '--lanes',
      'both',
      '--json',
      '/tmp/results.json',
      '--json=/tmp/more.json',
      '--write-docs',
    ],
  });
  assert.match(page, /\| F41 \(100,000\) on Redis \| commands over 50 ms \| 0, by SLOWLOG \|/);
  assert.match(page, /`npm run chaos -- --lanes both --write-docs`/);
  assert.doesNotMatch(page, /\/tmp\//);
});

test('a fault of which the size matters is run in full once, and smaller in the short set', () => {
  const namesOf = (...args: string[]) =>
    planRuns(parseOptions(['--only', 'F41', ...args], () => 5)).map(
      ({ scenario, lanes, seed }) => `${nameOf(scenario)} ${lanes} ${seed}`,
    );
  assert.deepEqual(namesOf('--seeds', '3'), ['F41 (100,000) redis 5', 'F41 (10,000) postgres 5']);
  assert.deepEqual(namesOf('--quick'), ['F41 (5,000) redis 5']);
});

test('a fault far from the lanes is tried on the second store with the first seed only', () => {
  const runsOf = (...args: string[]) =>
    planRuns(parseOptions(['--seeds', '2', ...args], () => 5)).map(
      ({ lanes, seed }) => `${lanes} ${seed}`,
    );
  assert.deepEqual(runsOf('--only', 'F18'), ['redis 5', 'postgres 5', 'redis 6']);
  assert.deepEqual(runsOf('--only', 'F18', '--lanes', 'postgres'), ['postgres 5', 'postgres 6']);
  assert.deepEqual(runsOf('--only', 'F2').length, 4);
  const aside = new Set(scenarios.filter((one) => one.lanesAside).map(({ id }) => id));
  const known = ['F12', 'F17', 'F18', 'F23', 'F27', 'F28', 'F29', 'F33', 'F37'];
  assert.deepEqual([...aside].sort(), known);
});

test('each scenario has a name of its own, and the short set is the one that CI counts on', () => {
  const names = scenarios.map(nameOf);
  assert.equal(new Set(names).size, names.length);
  const quick = new Set(scenarios.filter((one) => one.quick !== undefined).map(({ id }) => id));
  const wanted = 'F1 F2 F4 F5 F6 F11 F16 F18 F19 F23 F24 F27 F28 F29 F33 F36 F40 F41'.split(' ');
  assert.deepEqual(
    wanted.filter((id) => !quick.has(id)),
    [],
  );
});

test('options: seeds follow the first; lanes are both unless it is quick; mistakes are named', () => {
  const parse = (...args: string[]) => parseOptions(args, () => 5);
  assert.deepEqual(parse('--seeds', '3').seeds, [5, 6, 7]);
  assert.deepEqual(parse('--seed', '9').seeds, [9]);
  assert.deepEqual(parse().lanes, ['redis', 'postgres']);
  assert.deepEqual(parse('--quick').lanes, ['redis']);
  assert.deepEqual(parse('--only', 'f5, F11').only, ['F5', 'F11']);
  assert.equal(parse('--soak', '30m').soakMs, 1_800_000);
  assert.throws(() => parse('--lanes', 'mysql'), /redis, postgres or both/);
  assert.throws(() => parse('--seeds', '0'), /from 1 to 20/);
  assert.throws(() => parse('--soak', 'long'), /30m or 90s/);
});

test('a seed gives the same chance again, and another seed another', () => {
  const draw = (seed: string) => {
    const random = createRandom(seed);
    return Array.from({ length: 50 }, () => random.between(1, 6));
  };
  assert.deepEqual(draw('a'), draw('a'));
  assert.notDeepEqual(draw('a'), draw('b'));
  assert.deepEqual([...new Set(draw('a'))].sort(), [1, 2, 3, 4, 5, 6]);
});
