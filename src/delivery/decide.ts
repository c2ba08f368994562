import type { Outcome, OutcomeCode } from '../model/outcome.ts';
import { backoffMs, type RetryPolicy } from '../model/retry.ts';

/** Where a delivery goes after an attempt. */
export interface Decision {
  readonly state: 'delivered' | 'retrying' | 'dead';
  readonly dueInMs?: number;
  readonly code?: OutcomeCode;
  readonly reason?: string;
}

/** The one place that decides what an outcome means for the delivery. */
export function decide(
  outcome: Outcome,
  policy: RetryPolicy,
  history: {
    /** Attempts that count, this one included. */
    readonly spent: number;
    /** Since the delivery was made or last reopened. */
    readonly ageMs: number;
    readonly random?: () => number;
  },
): Decision {
  switch (outcome.kind) {
    case 'delivered':
      return { state: 'delivered' };
    case 'rejected':
      return { state: 'dead', code: outcome.code, reason: outcome.reason };
    case 'retry': {
      const { code, reason } = outcome;
      if (history.spent >= policy.attempts) {
        const tries = `after ${history.spent} attempts`;
        return { state: 'dead', code: 'retries-exhausted', reason: `${reason}; given up ${tries}` };
      }
      const dueInMs = backoffMs(policy, history.spent, {
        ...(outcome.afterMs === undefined ? {} : { askedMs: outcome.afterMs }),
        ...(history.random === undefined ? {} : { random: history.random }),
      });
      if (history.ageMs + dueInMs > policy.horizonMs) {
        return { state: 'dead', code: 'retries-exhausted', reason: `${reason}; its time is up` };
      }
      return { state: 'retrying', dueInMs, code, reason };
    }
  }
}
