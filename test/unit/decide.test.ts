// What each outcome means for its delivery: every code, on the first and on the last attempt, within
// the horizon and behind it.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Decision, decide, type History } from '../../src/delivery/decide.ts';
import type { Outcome, OutcomeCode } from '../../src/model/outcome.ts';
import { outcomeRules, ruleOf } from '../../src/model/outcome-rules.ts';
import { defaultRetryPolicy, type RetryPolicy } from '../../src/model/retry.ts';

const policy: RetryPolicy = { ...defaultRetryPolicy, attempts: 3, horizonMs: 60_000 };
const operation = 'erp.createSalesOrder';
const codes = Object.keys(outcomeRules) as OutcomeCode[];

function failure(code: OutcomeCode, more: object = {}): Outcome {
  return { kind: 'retry', code, reason: 'ERP answered', ...more };
}

function decided(code: OutcomeCode, history: Partial<History>, more: object = {}): Decision {
  const whole = { attempts: 1, spent: 1, ageMs: 0, operation, random: () => 0.5, ...history };
  return decide(failure(code, more), policy, whole);
}

function said({ state, code, spends = true }: Decision): string {
  return `${state} ${code} ${spends ? 'spends' : 'free'}`;
}

const first = { attempts: 1, spent: 1, ageMs: 0 };
const last = { attempts: 3, spent: 3, ageMs: 0 };
const late = { attempts: 1, spent: 1, ageMs: 60_001 };

/** Of the hub's own errors the horizon ends only what met many in a row. */
const lateOf = (code: string) => (code === 'hub-error' ? { ...late, hubErrors: 99 } : late);

const expected = {
  retry: (code: string) => [
    `retrying ${code} spends`,
    'dead retries-exhausted spends',
    'dead retries-exhausted spends',
  ],
  rest: (code: string) => [
    `retrying ${code} free`,
    `retrying ${code} free`,
    'dead retries-exhausted free',
  ],
  refresh: (code: string) => [
    `retrying ${code} free`,
    `retrying ${code} free`,
    'dead retries-exhausted free',
  ],
  hold: (code: string) => [
    `retrying ${code} free`,
    `retrying ${code} free`,
    'dead retries-exhausted free',
  ],
  wait: (code: string) => [`retrying ${code} free`, `retrying ${code} free`, `dead ${code} free`],
  dead: (code: string) => [`dead ${code} spends`, `dead ${code} spends`, `dead ${code} spends`],
};

for (const code of codes) {
  test(`${code} on the first attempt, the last, and behind the horizon`, () => {
    const seen = [first, last, lateOf(code)].map((history) => said(decided(code, history)));
    const wanted = expected[ruleOf(code)](code);
    const held = wanted.map((line) => line.replace('retrying', 'held'));
    assert.deepEqual(seen, code === 'operation-gone' ? held : wanted);
  });
}

test('no attempt is planned beyond the horizon, whatever the rule', () => {
  for (const code of ['remote-error', 'rate-limited', 'unauthorized'] as const) {
    const decision = decided(code, { ageMs: 59_999, random: () => 0.99 });
    assert.equal(said(decision).replace(/ (spends|free)$/, ''), 'dead retries-exhausted', code);
    assert.equal(decision.cause, code);
    assert.match(decision.reason ?? '', /its time is up$/);
  }
});

test('the last attempt that fails is dead, and says what failed', () => {
  const decision = decided('remote-error', last);
  assert.equal(decision.reason, 'ERP answered; given up after 3 attempts');
  assert.equal(decision.cause, 'remote-error');
});

describe('what spends no attempt', () => {
  test('backs off by all attempts, since those that count do not grow', () => {
    const second = decided('rate-limited', { attempts: 2, spent: 1 });
    const fourth = decided('rate-limited', { attempts: 4, spent: 1 });
    assert.equal(second.dueInMs, 5_000);
    assert.equal(fourth.dueInMs, 20_000);
  });

  test('comes when the target says, where it says so', () => {
    const { dueInMs = 0 } = decided('rate-limited', {}, { afterMs: 30_000 });
    assert.ok(dueInMs >= 30_000 && dueInMs <= 35_000, `${dueInMs}`);
  });

  test('a refused access token is free once; the next time in a row it spends', () => {
    assert.equal(said(decided('token-expired', first)), 'retrying token-expired free');
    const limited = decided('token-expired', { attempts: 4, spent: 3, lastCode: 'rate-limited' });
    assert.equal(said(limited), 'retrying token-expired free');
    const lastCode = 'token-expired';
    const again = decided('token-expired', { attempts: 2, spent: 1, lastCode });
    assert.equal(said(again), 'retrying token-expired spends');
    const spent = decided('token-expired', { attempts: 4, spent: 3, lastCode });
    assert.equal(said(spent), 'dead retries-exhausted spends');
  });
});

test('what is late because the hub was away for days is not dead of the trouble after that', () => {
  for (const hubErrors of [0, 50, 98]) {
    const decision = decided('hub-error', { ageMs: 4 * 86_400_000, hubErrors });
    assert.equal(said(decision), 'retrying hub-error free');
    assert.equal(decision.hubError, true);
  }
  const last = decided('hub-error', { ageMs: 4 * 86_400_000, hubErrors: 99 });
  assert.equal(last.reason, 'ERP answered, 100 times in a row; its time is up');
  assert.equal(last.hubError, undefined);
  assert.equal(decided('hub-error', { ageMs: 0, hubErrors: 10_000 }).state, 'retrying');
  assert.equal(decided('operation-unknown', { ageMs: 60_001, hubErrors: 0 }).state, 'dead');
});

test('an operation that is gone holds its delivery, and says what for', () => {
  const decision = decided('operation-gone', first);
  assert.equal(decision.state, 'held');
  assert.equal(decision.heldBy, 'operation:erp.createSalesOrder');
  assert.equal(decision.dueInMs, undefined);
});

test('delivered is delivered, with its reason where there is one', () => {
  const history = { attempts: 9, spent: 9, ageMs: 1e9, operation };
  assert.deepEqual(decide({ kind: 'delivered' }, policy, history), { state: 'delivered' });
  const decision = decide({ kind: 'delivered', reason: 'found' }, policy, history);
  assert.deepEqual(decision, { state: 'delivered', reason: 'found' });
});
