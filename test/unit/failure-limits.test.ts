import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFailureLimits, networkOf, WINDOW_MS } from '../../src/intake/failure-limits.ts';

const at = 1_000_000;

test('an address is over its limit after so many failures, and free again in the next window', () => {
  const limits = createFailureLimits({ failuresMax: 3 });
  const fails = (nowMs: number) => limits.failed('203.0.113.7', nowMs);
  assert.deepEqual([fails(at), fails(at), fails(at)], [false, false, false]);
  assert.equal(fails(at + 1), true);
  assert.equal(limits.failed('203.0.113.8', at + 1), false);
  assert.equal(fails(at + WINDOW_MS), false);
});

test('a request of an unknown address is never over the limit', () => {
  const limits = createFailureLimits({ failuresMax: 0 });
  assert.equal(limits.failed(undefined, at), false);
  assert.equal(limits.isShunned(undefined, at), false);
});

test('an address that sends good ones too is not shunned', () => {
  const limits = createFailureLimits({ failuresMax: 2 });
  for (const address of ['203.0.113.1', '203.0.113.2']) {
    limits.failed(address, at);
    limits.failed(address, at);
  }
  limits.passed('203.0.113.2', at);
  assert.equal(limits.isShunned('203.0.113.1', at + 1), true);
  assert.equal(limits.isShunned('203.0.113.2', at + 1), false);
  assert.equal(limits.isShunned('203.0.113.1', at + WINDOW_MS), false);
});

test('of too many addresses the one heard of longest ago makes room', () => {
  const limits = createFailureLimits({ failuresMax: 1, addressesMax: 2 });
  limits.failed('203.0.113.1', at);
  limits.failed('203.0.113.2', at);
  limits.failed('203.0.113.1', at);
  limits.failed('203.0.113.3', at);
  assert.equal(limits.isShunned('203.0.113.1', at), true);
  assert.equal(limits.isShunned('203.0.113.2', at), false);
});

test('the addresses of one /64 are one sender', () => {
  assert.equal(networkOf('2001:db8:0:1:2:3:4:5'), networkOf('2001:db8:0:1::9'));
  assert.equal(networkOf('2001:0db8:0000:0001::9'), '2001:db8:0:1::/64');
  assert.notEqual(networkOf('2001:db8:0:2::9'), networkOf('2001:db8:0:1::9'));
  assert.equal(networkOf('::1'), '0:0:0:0::/64');
  assert.equal(networkOf('fe80::1%eth0'), 'fe80:0:0:0::/64');
  assert.equal(networkOf('::ffff:203.0.113.7'), '203.0.113.7');
});
