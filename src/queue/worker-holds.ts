// Who holds a worker of this process. It takes jobs again only when nobody does, so that two who
// hold it for reasons of their own do not let go for each other.

import type { Pausable } from './error-storm.ts';

export interface WorkerHolds {
  /** Work under way goes on; nothing more is taken. */
  hold(by: string): Promise<void>;
  release(by: string): Promise<void>;
}

export function createWorkerHolds(worker: Pausable): WorkerHolds {
  const holders = new Set<string>();
  return {
    async hold(by) {
      holders.add(by);
      if (holders.size === 1) await worker.pause(true);
    },
    async release(by) {
      if (holders.delete(by) && holders.size === 0) await worker.resume();
    },
  };
}

export interface Holdable {
  hold(by: string): void;
  release(by: string): void;
}

/** The same for all workers of this process, those that are still to come included. */
export function createProcessHolds(): Holdable & {
  isHeld(): boolean;
  /** In the same turn in which the worker was made, so that it takes nothing. */
  add(worker: Holdable): void;
} {
  const holders = new Set<string>();
  const workers: Holdable[] = [];
  return {
    isHeld: () => holders.size > 0,
    add(worker) {
      workers.push(worker);
      for (const by of holders) worker.hold(by);
    },
    hold(by) {
      holders.add(by);
      for (const worker of workers) worker.hold(by);
    },
    release(by) {
      holders.delete(by);
      for (const worker of workers) worker.release(by);
    },
  };
}
