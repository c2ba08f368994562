// What happens by itself, again and again, in one process at a time: the sweep, the
// retention, and the turns that others bring.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Journal } from '../journal/journal.ts';
import type { Log } from '../model/log.ts';

const SWEEP_EVERY_MS = 5_000;
const RETENTION_EVERY_MS = 3_600_000;
/** Small pieces with a rest between: nobody waits long for the table. */
const RETENTION_PIECE = 500;
const RETENTION_REST_MS = 200;

/** One more thing that is done again and again. */
export interface Turn {
  readonly task: string;
  readonly everyMs: number;
  run(leaving: AbortSignal): Promise<unknown>;
}

export interface Housekeeping {
  /** Ends the turns; resolves when none is under way. */
  close(): Promise<void>;
}

export function startHousekeeping(ports: {
  readonly journal: Journal;
  readonly log: Log;
  readonly retentionDays: number;
  sweep(leaving: AbortSignal): Promise<number>;
  readonly turns?: readonly Turn[];
  /** While this says no, the turns are left to other processes. */
  isClockRight(): boolean;
}): Housekeeping {
  const { journal, log } = ports;
  const leaving = new AbortController();
  const turns = [
    repeat('sweep', SWEEP_EVERY_MS, () => ports.sweep(leaving.signal)),
    repeat('retention', RETENTION_EVERY_MS, () =>
      deleteOldEvents({ journal, log, days: ports.retentionDays, signal: leaving.signal }),
    ),
    ...(ports.turns ?? []).map(({ task, everyMs, run }) =>
      repeat(task, everyMs, () => run(leaving.signal)),
    ),
  ];

  async function repeat(task: string, everyMs: number, run: () => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        if (ports.isClockRight()) await run();
      } catch (error) {
        log.warn({ err: error, task }, 'a turn of housekeeping failed; the next will tell');
      }
      // Spread, so that many processes do not turn together.
      const waitMs = everyMs * (0.8 + 0.4 * Math.random());
      const waited = await sleep(waitMs, true, { signal: leaving.signal, ref: false }).catch(
        () => false,
      );
      if (!waited) return;
    }
  }

  return {
    async close() {
      leaving.abort();
      await Promise.all(turns);
    },
  };
}

/** Deletes what is older than the retention, piece by piece; resolves with how many events went. */
export async function deleteOldEvents(parts: {
  readonly journal: Journal;
  readonly log: Log;
  readonly days: number;
  readonly signal: AbortSignal;
}): Promise<number> {
  const { journal, log, days, signal } = parts;
  let count = 0;
  await journal.whileLeader('retention', async () => {
    while (!signal.aborted) {
      const olderThanMs = days * 86_400_000;
      const gone = await journal.deleteOldEvents({ olderThanMs, limit: RETENTION_PIECE });
      count += gone;
      if (gone < RETENTION_PIECE) return;
      await sleep(RETENTION_REST_MS);
    }
  });
  if (count > 0) log.info({ count, days }, 'events older than the retention deleted');
  return count;
}
