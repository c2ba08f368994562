// The watch over a server in use: one that was killed is started again on its port, so that every
// pool of the hub finds it again by itself. Ends with the hub; what then becomes of the server is
// embedded-postgres.ts's to say.
//
//   serving ──session lost──▶ pausing ──pause over──▶ starting ──▶ serving
//      │                         │  ▲──────failed────────┘│
//      └───────── end() ─────────┴────────────────────────┴─▶ ended
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../model/log.ts';
import type { Server } from './embedded-start.ts';

export interface Watch {
  /** The server in use, or the last one while there is none. */
  server(): Server;
  /**
   * Begins no other start. One that is under way may come to its end for 4 s and is then given up.
   * Resolves when nothing of the watch goes on; never rejects.
   */
  end(): Promise<void>;
}

export interface WatchOptions {
  readonly log: Log;
  /** Resolves with a server on the port of the one before; stops what it started on `signal`. */
  start(lost: Server, signal: AbortSignal): Promise<Server>;
}

const PAUSE_FIRST_MS = 100;
const PAUSE_MAX_MS = 10_000;
/** A server that stood this long is no longer taken for one that dies again and again. */
const STEADY_MS = 60_000;
const GRACE_MS = 4_000;

export function watchServer(first: Server, options: WatchOptions): Watch {
  const ending = new AbortController();
  const givingUp = new AbortController();
  const ended = new Promise<void>((resolve) => {
    ending.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  let server = first;
  let pauseMs = PAUSE_FIRST_MS;

  async function keepUp(): Promise<void> {
    for (;;) {
      const sinceMs = Date.now();
      await Promise.race([server.keeper.lost, ended]);
      if (ending.signal.aborted) return;
      options.log.warn({ server: server.pid }, 'embedded PostgreSQL was lost and is started again');
      if (Date.now() - sinceMs > STEADY_MS) pauseMs = PAUSE_FIRST_MS;
      const next = await startAgain();
      if (next === undefined) return;
      server = next;
    }
  }

  async function startAgain(): Promise<Server | undefined> {
    const lostMs = Date.now();
    for (;;) {
      await pause(pauseMs, ending.signal);
      if (ending.signal.aborted) return undefined;
      pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS);
      try {
        const next = await options.start(server, givingUp.signal);
        const fields = { server: next.pid, tookMs: Date.now() - lostMs };
        options.log.info(fields, 'embedded PostgreSQL is back');
        return next;
      } catch (error) {
        if (givingUp.signal.aborted) return undefined;
        const fields = { server: server.pid, retryMs: pauseMs, err: error };
        options.log.warn(fields, 'embedded PostgreSQL could not be started again yet');
      }
    }
  }

  const watching = keepUp();
  return {
    server: () => server,
    async end() {
      ending.abort();
      await Promise.race([watching, sleep(GRACE_MS, undefined, { ref: false })]);
      givingUp.abort();
      await watching;
    },
  };
}

/**
 * Half of the time is chance: hubs that lost one server should not start the next in one instant.
 * Does not keep the process alive.
 */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const chosenMs = ms / 2 + (Math.random() * ms) / 2;
  await sleep(chosenMs, undefined, { signal, ref: false }).catch(() => undefined);
}
