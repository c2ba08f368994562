/**
 * Keeps a process whose clock is wrong from taking jobs. Only the database's clock decides when a
 * delivery is due, but the lanes' store believes its workers: one that is an hour ahead wakes what is
 * to wait, and on PostgreSQL keeps everybody from finding the jobs of a process that died.
 *
 * ```
 *  right ──▶ more than 5 s off: holds the lanes of this process ──▶ at most 2 s off: lets go
 * ```
 *
 * Intake goes on: what it stores gets the database's time.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Journal } from '../journal/journal.ts';
import type { Log } from '../model/log.ts';
import type { Meter } from '../model/meter.ts';
import type { Lanes } from '../queue/lanes.ts';

export interface ClockState {
  /** How far this machine's clock is ahead of the database's, by the last look. */
  readonly aheadMs: number;
  /** `false` while this process takes no jobs because of it. */
  readonly isRight: boolean;
}

export interface ClockGuard {
  state(): ClockState;
  close(): Promise<void>;
}

export interface ClockGuardPorts {
  readonly journal: Pick<Journal, 'ping'>;
  readonly lanes: Pick<Lanes, 'hold' | 'release'>;
  readonly meter: Pick<Meter, 'clockAhead'>;
  readonly log: Log;
  /** The clock that may be set. @default Date.now */
  readonly wall?: () => number;
  /** One that nobody sets. @default performance.now */
  readonly steady?: () => number;
}

/** Both clocks are compared with the database's this often, and the two with each other each second. */
const COMPARE_EVERY_MS = 10_000;
const LOOK_EVERY_MS = 1_000;
const PING_MS_MAX = 1_000;
/** A clock that has jumped by this much is compared at once. */
const STEP_MS = 1_000;
/** Told, and no more; also what a clock must come back to. */
const AHEAD_MS_TOLD = 2_000;
const AHEAD_MS_MAX = 5_000;

/** Resolves after the first comparison, so that no worker is started by a wrong clock. */
export async function startClockGuard(ports: ClockGuardPorts): Promise<ClockGuard> {
  const { journal, lanes, meter, log, wall = Date.now, steady = () => performance.now() } = ports;
  const leaving = new AbortController();
  let aheadMs = 0;
  let isRight = true;
  let comparedMs = Number.NEGATIVE_INFINITY;
  let offsetMs = wall() - steady();
  let isTold = false;

  const hold = (): void => {
    isRight = false;
    lanes.hold('clock');
    log.warn({ clockAheadMs: aheadMs }, "this machine's clock is wrong: no jobs are taken here");
  };

  const letGo = (): void => {
    isRight = true;
    lanes.release('clock');
    log.info({ clockAheadMs: aheadMs }, "this machine's clock is right again: jobs are taken");
  };

  const apply = (ms: number): void => {
    aheadMs = ms;
    meter.clockAhead(ms);
    const offMs = Math.abs(ms);
    if (isRight && offMs > AHEAD_MS_MAX) hold();
    else if (!isRight && offMs <= AHEAD_MS_TOLD) letGo();
    else if (isRight && offMs > AHEAD_MS_TOLD && !isTold) {
      log.warn(
        { clockAheadMs: ms },
        "this machine's clock and the database's differ: check its NTP",
      );
    }
    isTold = offMs > AHEAD_MS_TOLD;
  };

  const look = async (): Promise<void> => {
    const stepMs = wall() - steady() - offsetMs;
    if (Math.abs(stepMs) < STEP_MS && steady() - comparedMs < COMPARE_EVERY_MS) return;
    comparedMs = steady();
    offsetMs += stepMs;
    const compared = await journal.ping(PING_MS_MAX).catch(() => undefined);
    // Without the database the last comparison and the step since then are what is known.
    apply(compared?.clockAheadMs ?? aheadMs + stepMs);
  };

  const run = async (): Promise<void> => {
    const { signal } = leaving;
    while (await sleep(LOOK_EVERY_MS, true, { signal, ref: false }).catch(() => false)) {
      await look();
    }
  };

  await look();
  const running = run();
  return {
    state: () => ({ aheadMs, isRight }),
    async close() {
      leaving.abort();
      await running;
    },
  };
}
