import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { backoffMs, parseRetryAfter, RETRY_AFTER_MAX_MS } from '../../src/model/retry.ts';

const policies = fc.record({
  attempts: fc.integer({ min: 1, max: 100 }),
  firstMs: fc.integer({ min: 100, max: 60_000 }),
  maxMs: fc.integer({ min: 100, max: 86_400_000 }),
  horizonMs: fc.integer({ min: 1_000, max: 30 * 86_400_000 }),
});
const dice = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('the wait before the next attempt', () => {
  test('is at least 1 ms, at most the policy’s longest, whatever the dice say', () => {
    fc.assert(
      fc.property(
        policies,
        fc.integer({ min: 1, max: 10_000 }),
        dice,
        (policy, attempt, random) => {
          const waitMs = backoffMs(policy, attempt, { random: () => random });
          assert.ok(waitMs >= 1 && waitMs <= Math.max(1, policy.maxMs));
        },
      ),
    );
  });

  test('never gets shorter from one attempt to the next, for the same dice', () => {
    fc.assert(
      fc.property(policies, fc.integer({ min: 1, max: 200 }), dice, (policy, attempt, random) => {
        const options = { random: () => random };
        assert.ok(backoffMs(policy, attempt, options) <= backoffMs(policy, attempt + 1, options));
      }),
    );
  });

  test('is never before what the target asked for, and never a day because it asked for a year', () => {
    fc.assert(
      fc.property(
        policies,
        fc.integer({ min: 0, max: 2 ** 50 }),
        dice,
        (policy, askedMs, random) => {
          const waitMs = backoffMs(policy, 3, { askedMs, random: () => random });
          assert.ok(waitMs >= Math.min(askedMs, RETRY_AFTER_MAX_MS));
          assert.ok(waitMs <= RETRY_AFTER_MAX_MS + policy.firstMs);
        },
      ),
    );
  });
});

test('Retry-After is read in seconds and as a date, and nothing else is', () => {
  const nowMs = Date.parse('2026-11-22T12:00:00Z');
  const read = (value: string | undefined): number | undefined => parseRetryAfter(value, nowMs);
  assert.equal(read('30'), 30_000);
  assert.equal(read(' 0 '), 0);
  assert.equal(read('Sun, 22 Nov 2026 12:01:00 GMT'), 60_000);
  assert.equal(read('Sun, 22 Nov 2026 11:00:00 GMT'), 0);
  for (const nothing of [undefined, '', '-1', '1.5', 'soon', '2026-11-22', '9'.repeat(20)]) {
    assert.equal(read(nothing), undefined);
  }
});
