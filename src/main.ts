// The process of a hub: start, run, leave. SIGTERM or SIGINT drains; a second one ends at once.

import type { Environment } from './config/environment.ts';
import { type Hub, type Role, startHub } from './hub.ts';
import type { Log } from './model/log.ts';

export interface RunOptions {
  readonly environment: Environment;
  readonly role: Role;
  readonly log: Log;
  /** Called once, when the hub listens. */
  readonly ready: (hub: Hub) => void;
}

/** A hub that hangs in one of its parts ends all the same. */
const LEAVE_MS_MAX = 9_500;

/** What a shell reports of a process that a signal ended: 128 and the signal's number. */
const signalCodes = { SIGINT: 130, SIGTERM: 143 } as const;

/** Resolves when the hub was told to leave and has left. Rejects when it cannot start. */
export async function runHub({ ready, ...options }: RunOptions): Promise<void> {
  const leaving = watchSignals();
  const hub = await startHub(options);
  ready(hub);
  const signal = await leaving;
  options.log.info({ signal }, 'leaving: work under way is finished or handed back');
  const forced = setTimeout(() => {
    options.log.warn(
      {},
      'a part did not leave in time; what it held is taken over after its lease',
    );
    process.exit(1);
  }, LEAVE_MS_MAX);
  await hub.close();
  clearTimeout(forced);
}

/** One Ctrl-C comes twice under npm: from the terminal, and from npm, which passes it on. */
const SAME_CTRL_C_MS = 500;

/** Resolves at the first signal; a second one ends the process at once. */
export function watchSignals(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let leavingSinceMs: number | undefined;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (leavingSinceMs === undefined) {
          leavingSinceMs = performance.now();
          resolve(signal);
          return;
        }
        const isEcho = performance.now() - leavingSinceMs < SAME_CTRL_C_MS;
        if (signal === 'SIGTERM' || !isEcho) process.exit(signalCodes[signal]);
      });
    }
  });
}
