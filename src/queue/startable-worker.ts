// A worker that is held and let go before it has begun to take jobs.

import type { Pausable } from './error-storm.ts';
import type { LaneWorker } from './lane-backend.ts';

export interface StartableWorker extends Pausable {
  /** Begins to take jobs or, where it is held by now, once it is let go. */
  start(): Promise<void>;
}

/** BullMQ lets a worker run that is resumed, also where nobody has started it. */
export function createStartable(
  worker: Pick<LaneWorker, 'run' | 'pause' | 'resume' | 'emit'>,
): StartableWorker {
  let started = false;
  let held = false;
  return {
    async start() {
      started = true;
      worker.run().catch((error: Error) => worker.emit('error', error));
      // In the same turn, so that it takes nothing.
      if (held) await worker.pause(true);
    },
    async pause(doNotWaitActive) {
      held = true;
      if (started) await worker.pause(doNotWaitActive);
    },
    async resume() {
      held = false;
      if (started) await worker.resume();
    },
  };
}
