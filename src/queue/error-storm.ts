// A worker whose store refuses every command (out of memory, read-only) would spin; this holds it
// for a while, longer each time, and lets go when the errors stop.

import type { Log } from '../model/log.ts';

export interface Pausable {
  pause(doNotWaitActive: boolean): Promise<void>;
  resume(): Promise<void>;
}

const ERRORS_PER_SECOND_MAX = 20;
const HOLD_MS_MIN = 2_000;
const HOLD_MS_MAX = 30_000;
/** Errors of one worker are logged at most once in this time, with how many there were. */
const LOG_EVERY_MS = 10_000;

/** Call the result with each error of `worker`; `stop` ends a hold for good. */
export function createErrorStormBreaker(
  worker: Pausable,
  lane: string,
  log: Log,
): { onError(error: Error): void; stop(): void } {
  let since = 0;
  let count = 0;
  let unlogged = 0;
  let loggedAt = Number.NEGATIVE_INFINITY;
  let holdMs = HOLD_MS_MIN;
  let heldUntil = 0;
  let hold: NodeJS.Timeout | undefined;

  const letGo = (): void => {
    hold = undefined;
    heldUntil = performance.now();
    worker.resume().catch((error: unknown) => log.warn({ err: error, lane }, 'resume failed'));
  };

  const trip = (now: number): void => {
    const quiet = now - heldUntil > HOLD_MS_MAX;
    holdMs = quiet ? HOLD_MS_MIN : Math.min(HOLD_MS_MAX, holdMs * 2);
    log.warn({ lane, holdMs }, 'lane held: its store refuses commands');
    worker.pause(true).catch((error: unknown) => log.warn({ err: error, lane }, 'pause failed'));
    hold = setTimeout(letGo, holdMs);
  };

  return {
    onError(error) {
      const now = performance.now();
      unlogged += 1;
      if (now - loggedAt > LOG_EVERY_MS) {
        log.warn({ err: error, lane, count: unlogged }, 'lane error');
        loggedAt = now;
        unlogged = 0;
      }
      if (now - since > 1_000) {
        since = now;
        count = 0;
      }
      count += 1;
      if (count > ERRORS_PER_SECOND_MAX && hold === undefined) trip(now);
    },
    stop() {
      clearTimeout(hold);
    },
  };
}
