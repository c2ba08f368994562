import type { Outcome, OutcomeCode } from '../model/outcome.ts';
import { classOf, outcomeRules, ruleOf } from '../model/outcome-rules.ts';
import { backoffMs, type RetryPolicy } from '../model/retry.ts';
import { HUB_ERRORS_MAX } from './hub-errors.ts';

/** Where a delivery goes after an attempt. */
export interface Decision {
  readonly state: 'delivered' | 'retrying' | 'held' | 'dead';
  readonly dueInMs?: number;
  readonly code?: OutcomeCode;
  readonly reason?: string;
  /** For `held`: `operation:<connector>.<operation>`. */
  readonly heldBy?: string;
  /** For `retries-exhausted`: what the last attempt came to. */
  readonly cause?: OutcomeCode;
  /** Whether the attempt counts against the flow's limit. @default true */
  readonly spends?: boolean;
  /** It waits for an error of the hub's own to pass. @default false */
  readonly hubError?: boolean;
}

export interface History {
  /** Attempts all told, this one included. */
  readonly attempts: number;
  /** Those that count, this one included. */
  readonly spent: number;
  /** Since the delivery was made or last reopened. */
  readonly ageMs: number;
  /** Errors of the hub's own in a row, before this one. @default 0 */
  readonly hubErrors?: number;
  /** What the attempt before this one came to. */
  readonly lastCode?: OutcomeCode;
  /** What was called: `<connector>.<operation>`. */
  readonly operation: string;
  readonly random?: () => number;
}

/** What waits for the files or the hub looks again after this long. */
const WAIT_MS = 30_000;
/** The wait for a new access token. */
const REFRESH_MS = 1_000;

type Failure = Exclude<Outcome, { readonly kind: 'delivered' }>;

/** The one place that decides what an outcome means for the delivery: by the rule of its class. */
export function decide(outcome: Outcome, policy: RetryPolicy, history: History): Decision {
  if (outcome.kind === 'delivered') {
    const { reason } = outcome;
    return { state: 'delivered', ...(reason === undefined ? {} : { reason }) };
  }
  switch (ruleOf(outcome.code)) {
    case 'dead':
      return { state: 'dead', code: outcome.code, reason: outcome.reason };
    case 'retry':
      return retry(outcome, policy, history);
    case 'refresh':
      return refresh(outcome, policy, history);
    case 'rest':
    case 'hold':
      return rest(outcome, policy, history);
    case 'wait':
      return wait(outcome, policy, history);
  }
}

function retry(outcome: Failure, policy: RetryPolicy, history: History): Decision {
  if (history.spent >= policy.attempts) {
    return exhausted(outcome, `given up after ${history.spent} attempts`);
  }
  return later(outcome, { policy, history, dueInMs: waitMs(outcome, policy, history) });
}

/** Once without spending: a second refusal in a row says that new credentials are no cure. */
function refresh(outcome: Failure, policy: RetryPolicy, history: History): Decision {
  if (history.lastCode === outcome.code) return retry(outcome, policy, history);
  const decision = later(outcome, { policy, history, dueInMs: outcome.afterMs ?? REFRESH_MS });
  return { ...decision, spends: false };
}

/** Its lane is in the way of the message, not the message itself: backs off by all it has seen. */
function rest(outcome: Failure, policy: RetryPolicy, history: History): Decision {
  const dueInMs = waitMs(outcome, policy, { ...history, spent: history.attempts });
  return { ...later(outcome, { policy, history, dueInMs }), spends: false };
}

/** Ends by the horizon with its own code: an operator acts on that. */
function wait(outcome: Failure, policy: RetryPolicy, history: History): Decision {
  const { code } = outcome;
  const isLate = history.ageMs > policy.horizonMs;
  if (classOf(code) === 'hub') return waitForHub(outcome, isLate, history);
  if (isLate) return late(outcome);
  const { reason } = outcome;
  if (outcomeRules[code].holdsOperation === true) {
    const heldBy = `operation:${history.operation}`;
    return { state: 'held', code, reason, heldBy, spends: false };
  }
  return { state: 'retrying', dueInMs: WAIT_MS, code, reason, spends: false };
}

/** A delivery that is late because the hub was away is not given up for that. */
function waitForHub(outcome: Failure, isLate: boolean, { hubErrors = 0 }: History): Decision {
  const { code, reason, afterMs } = outcome;
  const inARow = hubErrors + 1;
  if (isLate && inARow >= HUB_ERRORS_MAX) {
    return late({ ...outcome, reason: `${reason}, ${inARow} times in a row` });
  }
  const dueInMs = afterMs ?? WAIT_MS;
  return { state: 'retrying', dueInMs, code, reason, spends: false, hubError: true };
}

function late({ code, reason }: Failure): Decision {
  return { state: 'dead', code, reason: `${reason}; its time is up`, spends: false };
}

function waitMs({ afterMs }: Failure, policy: RetryPolicy, { spent, random }: History): number {
  return backoffMs(policy, spent, {
    ...(afterMs === undefined ? {} : { askedMs: afterMs }),
    ...(random === undefined ? {} : { random }),
  });
}

function later(
  outcome: Failure,
  { policy, history, dueInMs }: { policy: RetryPolicy; history: History; dueInMs: number },
): Decision {
  if (history.ageMs + dueInMs > policy.horizonMs) return exhausted(outcome, 'its time is up');
  return { state: 'retrying', dueInMs, code: outcome.code, reason: outcome.reason };
}

function exhausted({ code, reason }: Failure, why: string): Decision {
  return { state: 'dead', code: 'retries-exhausted', reason: `${reason}; ${why}`, cause: code };
}
