/**
 * Where deliveries are tried whose process vanished: apart, so that one that ends its process again
 * takes nobody with it. A few processes, one attempt at a time in each, kept between suspects and
 * ended when there have been none for a while.
 *
 * ```
 *  claim with a strike ──▶ a free place? ──▶ its process: attempt ──▶ verdict
 *                             │ no: busy                  │ died, or did not end in time
 *                             ▼                           ▼
 *                        handed back                 one strike, of this delivery alone
 * ```
 */

import type { Log } from '../model/log.ts';
import type { Verdict, Work } from './attempt.ts';
import { type SuspectProcess, startSuspectProcess } from './suspect-process.ts';

/** What became of one attempt apart. */
export type SuspectAnswer =
  | { readonly kind: 'verdict'; readonly verdict: Verdict }
  /** The process ended, or was ended since the attempt did not: `how` says it for a person. */
  | { readonly kind: 'died'; readonly how: string }
  /** Nothing was tried: every place is taken, or its process is not ready yet. */
  | { readonly kind: 'busy' };

export interface SuspectLimits {
  readonly signal: AbortSignal;
  /** By `performance.now()`: an attempt that has not ended by then is ended. */
  readonly endsMs: number;
}

export interface Suspects {
  /**
   * Tries one delivery in a process of its own. Rejects `overloaded` where that does not start, and
   * with the signal's reason when `signal` aborts first.
   */
  attempt(work: Work, limits: SuspectLimits): Promise<SuspectAnswer>;
  /** Ends the processes; resolves when they are gone. */
  close(): Promise<void>;
}

export interface SuspectsOptions {
  /** Absolute path of the program that the processes run. */
  readonly program: string;
  /** All of their environment: secrets travel in it and never in arguments. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  /** How long a process without suspects is kept, in milliseconds. @default 30 s */
  readonly idleMs?: number;
}

/** Processes of one hub: after a crash the suspects are many, and nearly all of them innocent. */
const PROCESSES_MAX = 2;
/** A lane's worker waits no longer for a place, and then for its process: innocents want to go on. */
const PLACE_WAIT_MS = 3_000;
const START_WAIT_MS = 3_000;
const IDLE_MS = 30_000;

export function createSuspects(options: SuspectsOptions): Suspects {
  const places = createPlaces(PROCESSES_MAX);
  const idle: { readonly process: SuspectProcess; readonly timer: NodeJS.Timeout }[] = [];
  const all = new Set<SuspectProcess>();

  const starting: SuspectProcess[] = [];
  /** Why one did not start that nobody waited for any more: told to who comes next. */
  const failures: unknown[] = [];

  const start = (): SuspectProcess => {
    const started = startSuspectProcess(options);
    all.add(started);
    void started.gone.then(() => all.delete(started));
    started.ready.then(
      () => {
        if (remove(starting, started)) keep(started);
      },
      (error: unknown) => {
        if (remove(starting, started)) failures.splice(0, 1, error);
      },
    );
    return started;
  };

  /** A machine that is short of processors starts one late: it is kept for those that come then. */
  const take = async (): Promise<SuspectProcess | undefined> => {
    for (let kept = idle.pop(); kept !== undefined; kept = idle.pop()) {
      clearTimeout(kept.timer);
      if (kept.process.isAlive) return kept.process;
    }
    if (failures.length > 0) throw failures.pop();
    const begun = starting.shift() ?? start();
    const isReady = await readyWithin(begun.ready, START_WAIT_MS);
    if (isReady) return begun;
    starting.push(begun);
    return undefined;
  };

  const keep = (process: SuspectProcess): void => {
    if (!process.isAlive) return;
    const timer = setTimeout(() => process.end(), options.idleMs ?? IDLE_MS);
    timer.unref();
    idle.push({ process, timer });
  };

  return {
    async attempt(work, limits) {
      limits.signal.throwIfAborted();
      if (!(await places.take(PLACE_WAIT_MS))) return { kind: 'busy' };
      try {
        const process = await take();
        if (process === undefined) return { kind: 'busy' };
        try {
          limits.signal.throwIfAborted();
          const answer = await process.attempt(work, limits);
          if (answer.kind === 'died') {
            const { how } = answer;
            options.log.warn({ delivery: work.deliveryId, how }, 'a delivery ended its process');
          }
          return answer;
        } finally {
          keep(process);
        }
      } finally {
        places.give();
      }
    },
    async close() {
      for (const { timer } of idle.splice(0)) clearTimeout(timer);
      const gone = [...all].map((process) => {
        process.end();
        return process.gone;
      });
      await Promise.all(gone);
    },
  };
}

function remove(from: SuspectProcess[], process: SuspectProcess): boolean {
  const index = from.indexOf(process);
  if (index >= 0) from.splice(index, 1);
  return index >= 0;
}

async function readyWithin(ready: Promise<void>, waitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), waitMs);
  });
  try {
    return await Promise.race([ready.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

interface Places {
  /** `false` where none came free in time. */
  take(waitMs: number): Promise<boolean>;
  give(): void;
}

function createPlaces(count: number): Places {
  let free = count;
  const waiting: ((got: boolean) => void)[] = [];
  return {
    take(waitMs) {
      if (free > 0) {
        free -= 1;
        return Promise.resolve(true);
      }
      return new Promise((resolve) => {
        const settle = (got: boolean): void => {
          clearTimeout(timer);
          const index = waiting.indexOf(settle);
          if (index >= 0) waiting.splice(index, 1);
          resolve(got);
        };
        const timer = setTimeout(() => settle(false), waitMs);
        waiting.push(settle);
      });
    },
    give() {
      const next = waiting[0];
      if (next === undefined) free += 1;
      else next(true);
    },
  };
}
