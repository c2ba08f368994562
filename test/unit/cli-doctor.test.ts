import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeClock } from '../../src/cli/doctor/finding.ts';
import { checkExposure, checkNode, isAtLeast } from '../../src/cli/doctor/machine.ts';
import { judgeRedis } from '../../src/cli/doctor/services.ts';
import { parseEnvironment } from '../../src/config/environment.ts';

const goodRedis = {
  version: '7.0.15',
  appendfsync: 'always',
  maxmemoryPolicy: 'noeviction',
  maxmemory: 1_000,
  usedMemory: 100,
  clockAheadMs: 3,
} as const;

function verdicts(report: Parameters<typeof judgeRedis>[0]) {
  return judgeRedis(report).map(({ verdict }) => verdict);
}

test('versions are compared part by part', () => {
  assert.ok(isAtLeast('20.19.0', '20.19.0'));
  assert.ok(isAtLeast('22.0.0', '20.19.0'));
  assert.ok(isAtLeast('2.10.0', '2.9.9'));
  assert.ok(!isAtLeast('20.9.0', '20.19.0'));
  assert.ok(!isAtLeast('2.2.1-rc.1', '2.2.2'));
});

test('an old Node.js fails', () => {
  assert.equal(checkNode('18.20.0').verdict, 'fail');
  assert.equal(checkNode().verdict, 'pass');
});

test('a clock that is off is a warning first and a failure later, in both directions', () => {
  assert.equal(judgeClock('clock', -1_999).verdict, 'pass');
  assert.equal(judgeClock('clock', 2_001).verdict, 'warn');
  assert.equal(judgeClock('clock', -5_001).verdict, 'fail');
});

test('a Redis with an append-only file and noeviction passes', () => {
  assert.deepEqual(verdicts(goodRedis), ['pass', 'pass', 'pass', 'pass']);
});

test('a Redis that evicts keys fails', () => {
  assert.equal(verdicts({ ...goodRedis, maxmemoryPolicy: 'allkeys-lru' })[0], 'fail');
});

test('a Redis without persistence, or one that is nearly full, is a warning', () => {
  assert.equal(verdicts({ ...goodRedis, appendfsync: 'no' })[1], 'warn');
  assert.equal(verdicts({ ...goodRedis, usedMemory: 900 })[2], 'warn');
});

test('a host that others reach is a warning', () => {
  assert.equal(checkExposure(parseEnvironment({ HOST: '127.0.0.1' })).verdict, 'pass');
  assert.equal(checkExposure(parseEnvironment({ HOST: '0.0.0.0' })).verdict, 'warn');
});

test('each warning and each failure says what to do', () => {
  const bad = { ...goodRedis, maxmemoryPolicy: undefined, appendfsync: undefined };
  const findings = [...judgeRedis({ ...bad, usedMemory: 999, clockAheadMs: 9_999 })];
  assert.equal(findings.length, 4);
  for (const { todo } of findings) assert.match(todo ?? '', /^\w.*\.$/);
});
