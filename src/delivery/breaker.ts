// The breaker of each lane: it holds a lane whose target cannot be reached, so that what waits
// spends no attempts, and finds out by itself when the target is back.
//
//            5 failures in a row to reach it, or one refusal of our credentials
//   closed ──────────────────────────────────────────────────────────────────▶ open ──┐ probes, after
//     ▲                                                                         ▲     │ 1 s, 2 s, 4 s
//     └──── any answer to a delivery, or a check where none is due ─────────────┴─────┘ … 15 s
//
// Whether it is open is in the journal; what is counted here is what this process saw.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Gates, OpenBreaker, ShutLane } from '../journal/gates-port.ts';
import type { AttemptRecord } from '../journal/journal.ts';
import type { Log } from '../model/log.ts';
import type { LaneWork } from '../queue/lanes.ts';
import type { LiveConnector } from './attempt.ts';
import type { Look } from './look-at-gates.ts';
import { probeTarget } from './probe.ts';

/** How long a leaving hub waits for its probes. */
const CLOSE_MS_MAX = 3_000;

/** What can be probed. */
export interface ProbedLane {
  readonly live: LiveConnector;
  readonly work: LaneWork;
}

export interface Breaker {
  /** The target could not be reached; `atOnce` where waiting for more of it is of no use. */
  failed(lane: string, record: AttemptRecord, atOnce: boolean): Promise<void>;
  /** The target answered. */
  answered(lane: string): Promise<void>;
  /** Begins a probe where the lane's breaker is open and it is time for one. */
  probe(shut: ShutLane): void;
  /** Ends the probes. */
  close(): Promise<void>;
}

/** As one process sees them. */
const FAILURES_TO_OPEN = 5;

interface Seen {
  failures: number;
  answers: number;
}

export function createBreaker(ports: {
  readonly gates: Gates;
  readonly look: Pick<Look, 'now' | 'gateOf' | 'forgetBreaker'>;
  readonly log: Log;
  laneOf(lane: string): ProbedLane | undefined;
  onOpened(lane: string, why: Pick<OpenBreaker, 'at' | 'code' | 'reason'>): void;
  onClosed(lane: string, was: OpenBreaker): void;
}): Breaker {
  const { gates, look, log } = ports;
  const seen = new Map<string, Seen>();
  const probing = new Map<string, Promise<void>>();
  const leaving = new AbortController();

  const seenOf = (lane: string): Seen => {
    const known = seen.get(lane) ?? { failures: 0, answers: 0 };
    seen.set(lane, known);
    return known;
  };

  async function shut(lane: string): Promise<void> {
    const was = await gates.closeBreaker(lane);
    seenOf(lane).failures = 0;
    look.forgetBreaker(lane);
    await look.now();
    if (was === undefined) return;
    log.info({ lane, probes: was.probes }, 'lane goes on: its target is back');
    ports.onClosed(lane, was);
  }

  async function probe(lane: string, openedBy: string, probed: ProbedLane): Promise<void> {
    if (!(await gates.takeProbe(lane))) return;
    const answersSeen = (): number => seenOf(lane).answers;
    const { signal } = leaving;
    const found = await probeTarget({ gates, ...probed, openedBy, answersSeen, signal });
    if (found === 'back') await shut(lane);
  }

  return {
    async failed(lane, record, atOnce) {
      const known = seenOf(lane);
      known.answers += 1;
      known.failures += 1;
      if (!atOnce && known.failures < FAILURES_TO_OPEN) return;
      const why = { code: record.code ?? 'connection-failed', reason: record.reason ?? '' };
      const at = await gates.openBreaker({ connector: lane, ...why });
      // Counted anew: it may be another process that finds the target back.
      known.failures = 0;
      if (look.gateOf(lane)?.breaker === undefined) await look.now();
      if (at === undefined) return;
      log.warn({ lane, ...why }, 'lane held: its target is away; it is being probed');
      ports.onOpened(lane, { at, ...why });
    },
    async answered(lane) {
      const known = seenOf(lane);
      known.answers += 1;
      known.failures = 0;
      if (look.gateOf(lane)?.breaker !== undefined) await shut(lane);
    },
    probe({ connector: lane, breaker }) {
      const probed = ports.laneOf(lane);
      if (breaker === undefined || breaker.probeInMs > 0 || leaving.signal.aborted) return;
      if (probed === undefined || probing.has(lane)) return;
      const done = probe(lane, breaker.code, probed)
        .catch((error: unknown) =>
          log.debug({ err: error, lane }, 'the probe did not come to an end'),
        )
        .finally(() => probing.delete(lane));
      probing.set(lane, done);
    },
    async close() {
      leaving.abort();
      // A call that was made goes on to its deadline, and the hub does not wait for it.
      const patience = sleep(CLOSE_MS_MAX, undefined, { ref: false });
      await Promise.race([Promise.all(probing.values()), patience]);
    },
  };
}
