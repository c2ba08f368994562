import type { Gates } from '../journal/gates-port.ts';
import type { AttemptRecord } from '../journal/journal.ts';
import { RETRY_AFTER_MAX_MS } from '../model/retry.ts';
import type { Look } from './look-at-gates.ts';

/** Puts a lane to rest whose target asks for fewer calls, so that the others of it spend nothing. */
export interface Rests {
  limited(lane: string, record: AttemptRecord): Promise<void>;
  /** The target took a call. */
  answered(lane: string): void;
}

/** Where the target does not say for how long: doubled with each refusal in a row. */
const REST_MS_MIN = 1_000;
const REST_MS_MAX = 60_000;
const DOUBLINGS_MAX = 10;

export function createRests(ports: {
  readonly gates: Pick<Gates, 'rest'>;
  readonly look: Pick<Look, 'now'>;
}): Rests {
  const refusals = new Map<string, { count: number; untilMs: number }>();
  return {
    async limited(lane, record) {
      const known = refusals.get(lane) ?? { count: 0, untilMs: 0 };
      const asked = Math.min(record.restMs ?? 0, RETRY_AFTER_MAX_MS);
      // Calls that were under way together are refused together: that is one refusal.
      if (asked <= 0 && performance.now() < known.untilMs) return;
      const ms = asked > 0 ? asked : Math.min(REST_MS_MAX, REST_MS_MIN * 2 ** known.count);
      refusals.set(lane, {
        count: Math.min(known.count + 1, DOUBLINGS_MAX),
        untilMs: Math.max(known.untilMs, performance.now() + ms),
      });
      const reason = record.reason ?? 'its target asked for it';
      await ports.gates.rest({ connector: lane, ms, reason });
      await ports.look.now();
    },
    answered(lane) {
      refusals.delete(lane);
    },
  };
}
