// One start of the server: take over the one that runs, or start one, and wait until it serves.
// Safe in several processes at once, which all end with the same server.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Keeper, openKeeper } from './embedded-keeper.ts';
import type { ServerLog } from './embedded-log.ts';
import type { Place } from './embedded-place.ts';
import {
  freePort,
  lastPort,
  type Postmaster,
  type PostmasterFile,
  readPostmasterFile,
  type ServerProcess,
  signalStop,
  spawnPostmaster,
  waitForStop,
} from './embedded-postmaster.ts';
import { serverFailed } from './embedded-program.ts';

export interface Start {
  readonly place: Place;
  readonly password: string;
  readonly log: ServerLog;
  readonly settings: Readonly<Record<string, string>>;
  /** Of a server that has to be started; `undefined` for the last one's or any free one. */
  readonly port: number | undefined;
  /** Gives the start up: a server that was started and does not serve yet is stopped. */
  readonly signal: AbortSignal;
}

export interface Server {
  readonly keeper: Keeper;
  readonly pid: number;
  readonly port: number;
  readonly startedByUs: boolean;
}

/** How long a connection to a server that says it is ready may take. */
export const CONNECT_DEADLINE_MS = 5_000;

const START_DEADLINE_MS = 30_000;
const POLL_INTERVAL_MS = 15;
const RETRY_INTERVAL_MS = 200;
/** How long a server that is given up may take to end. */
const ABANDON_DEADLINE_MS = 3_000;

/** Resolves when a server takes the hub's password; rejects when that cannot be or took too long. */
export async function bringUp(start: Start): Promise<Server> {
  const launched: Launched = { child: undefined };
  try {
    return await lookAndAct(start, launched);
  } catch (error) {
    if (start.signal.aborted) await abandon(start.place, launched.child);
    throw error;
  }
}

interface Launched {
  child: ServerProcess | undefined;
}

/** Looks, and acts on what it sees, until there is a server. */
async function lookAndAct(start: Start, launched: Launched): Promise<Server> {
  const { signal } = start;
  const deadline = Date.now() + START_DEADLINE_MS;
  let reason: unknown;
  while (Date.now() < deadline) {
    const found = await readPostmasterFile(start.place.cluster);
    if (found.kind === 'serving') {
      const attempt = await enter(start, found.postmaster, launched.child);
      if (attempt.kind === 'open') return attempt.server;
      reason = attempt.reason ?? reason;
    }
    signal.throwIfAborted();
    if (launched.child?.ended() !== undefined) {
      await acceptEnd(start, launched.child);
      launched.child = undefined;
    } else if (launched.child === undefined && found.kind !== 'serving') {
      launched.child = await launch(start, found);
    }
    await sleep(POLL_INTERVAL_MS, undefined, { signal });
  }
  throw serverFailed(
    `the server of ${start.place.cluster} is not ready after ${START_DEADLINE_MS / 1_000} s and was ` +
      `left to go on, start again to wait on: ${await start.log.tail()}`,
    reason,
  );
}

async function enter(
  start: Start,
  { pid, port, ready }: Postmaster,
  child: ServerProcess | undefined,
): Promise<{ kind: 'open'; server: Server } | { kind: 'not-yet'; reason?: unknown }> {
  if (!ready || port === undefined) return { kind: 'not-yet' };
  const { place, password, signal } = start;
  const startedByUs = child?.pid === pid;
  try {
    const timeoutMs = CONNECT_DEADLINE_MS;
    const attempt = await openKeeper({ port, password, cluster: place.cluster, timeoutMs, signal });
    if (attempt.kind === 'not-yet') {
      await sleep(RETRY_INTERVAL_MS, undefined, { signal });
      return attempt;
    }
    return { kind: 'open', server: { keeper: attempt.keeper, pid, port, startedByUs } };
  } catch (error) {
    if (startedByUs) await signalStop(place, pid);
    throw error;
  }
}

async function launch(start: Start, found: PostmasterFile): Promise<ServerProcess> {
  const { place, log } = start;
  return spawnPostmaster(place, {
    port: start.port ?? (await freePort(await lastPort(place.cluster))),
    settings: start.settings,
    logFd: log.handle.fd,
    stalePid: found.kind === 'stale' ? found.pid : undefined,
  });
}

/**
 * A server that ended is no failure when another hub's was quicker, when processes of a killed
 * one are just leaving, or when somebody took the port that was free a moment ago.
 */
async function acceptEnd(start: Start, child: ServerProcess): Promise<void> {
  const said = await start.log.tail();
  const found = await readPostmasterFile(start.place.cluster);
  const portTaken = /could not create any TCP\/IP sockets/.test(said);
  const mayPass = /postmaster\.pid" already exists|pre-existing shared memory/.test(said);
  const otherServes = found.kind === 'serving' && found.postmaster.pid !== child.pid;
  if (portTaken && start.port !== undefined && !otherServes) {
    throw serverFailed(`port ${start.port} is taken: ${said}`);
  }
  if (!portTaken && !mayPass && !otherServes) {
    throw serverFailed(`${child.ended()} (log ${start.place.dataFolder}/postgres.log): ${said}`);
  }
  await sleep(RETRY_INTERVAL_MS, undefined, { signal: start.signal });
}

async function abandon(place: Place, child: ServerProcess | undefined): Promise<void> {
  if (child?.pid === undefined || child.ended() !== undefined) return;
  await signalStop(place, child.pid);
  await waitForStop(child.pid, ABANDON_DEADLINE_MS);
}
