// The embedded PostgreSQL: a real server, from programs inside an npm package, with its data in
// the project's data folder. This file owns its life: take over the one that runs, or start one;
// wait until it serves; stop it when nobody else uses it. Where it lies and as whom it runs is
// embedded-place.ts, how its data come to be is embedded-cluster.ts.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../model/log.ts';
import { findBinaries } from './embedded-binaries.ts';
import { prepareCluster, ROLE } from './embedded-cluster.ts';
import { type Keeper, openKeeper } from './embedded-keeper.ts';
import { openServerLog, type ServerLog, watchServerLog } from './embedded-log.ts';
import { choosePlace, type Place } from './embedded-place.ts';
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

export interface EmbeddedPostgresOptions {
  /** Absolute path, such as `<project>/.crossdock`; made when it is missing. */
  readonly dataFolder: string;
  readonly log: Log;
  /** More server settings, or others than ours; a server that is taken over keeps its own. */
  readonly settings?: Record<string, string>;
  /** @default the port of the last start when it is free, otherwise any free one */
  readonly port?: number;
  /**
   * Where root keeps what an unprivileged server could not reach otherwise.
   * @default /var/lib/crossdock
   */
  readonly systemFolder?: string;
}

export interface EmbeddedPostgres {
  /** `postgres://crossdock:<password>@127.0.0.1:<port>/crossdock` */
  readonly url: string;
  /** False when the server was running already: left by a killed hub, or in use by another. */
  readonly startedByUs: boolean;
  /** Process id of the server. */
  readonly pid: number;
  /**
   * Stops the server, unless sessions of others are open: close your own pools first. Resolves
   * when it is gone, after 10 s at the latest. Never rejects; a second call is the first's result.
   */
  close(): Promise<void>;
}

const START_DEADLINE_MS = 30_000;
const PROGRESS_INTERVAL_MS = 2_000;
const POLL_INTERVAL_MS = 15;
const RETRY_INTERVAL_MS = 200;
const CONNECT_DEADLINE_MS = 5_000;

/**
 * Resolves when the server takes connections. Rejects with `embedded-server-failed`, saying what
 * to do and what the server's log said last.
 */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const startedMs = Date.now();
  const progress = setInterval(() => {
    const fields = { dataFolder: options.dataFolder, tookMs: Date.now() - startedMs };
    options.log.info(fields, 'embedded PostgreSQL is still starting');
  }, PROGRESS_INTERVAL_MS);
  try {
    const place = await choosePlace(options, await findBinaries());
    const password = await prepareCluster(place);
    const server = await serve(place, password, options);
    const fields = { server: server.pid, cluster: place.cluster, tookMs: Date.now() - startedMs };
    const what = server.startedByUs ? 'started' : 'was running and is used';
    options.log.info(fields, `embedded PostgreSQL ${what}`);
    return server;
  } catch (error) {
    // What a call of the operating system said: a folder that is full, read-only or not ours.
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    throw serverFailed(
      `the data folder ${options.dataFolder} cannot be used (${error.message})`,
      error,
    );
  } finally {
    clearInterval(progress);
  }
}

async function serve(
  place: Place,
  password: string,
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const logFile = join(place.dataFolder, 'postgres.log');
  const log = await openServerLog(logFile, place.user);
  try {
    const server = await bringUp({ place, password, log, options });
    return runningServer(server, { place, password, log: options.log, logFile });
  } finally {
    await log.handle.close();
  }
}

interface Start {
  readonly place: Place;
  readonly password: string;
  readonly log: ServerLog;
  readonly options: EmbeddedPostgresOptions;
}

interface Server {
  readonly keeper: Keeper;
  readonly pid: number;
  readonly port: number;
  readonly startedByUs: boolean;
}

/** Looks, and acts on what it sees, until a server takes the hub's password. */
async function bringUp(start: Start): Promise<Server> {
  const deadline = Date.now() + START_DEADLINE_MS;
  let child: ServerProcess | undefined;
  let reason: unknown;
  while (Date.now() < deadline) {
    const found = await readPostmasterFile(start.place.cluster);
    if (found.kind === 'serving') {
      const attempt = await enter(start, found.postmaster, child);
      if (attempt.kind === 'open') return attempt.server;
      reason = attempt.reason ?? reason;
    }
    if (child?.ended() !== undefined) {
      await acceptEnd(start, child, found);
      child = undefined;
    } else if (child === undefined && found.kind !== 'serving') {
      child = await launch(start, found);
    }
    await sleep(POLL_INTERVAL_MS);
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
  const { place, password } = start;
  const startedByUs = child?.pid === pid;
  try {
    const timeoutMs = CONNECT_DEADLINE_MS;
    const attempt = await openKeeper({ port, password, cluster: place.cluster, timeoutMs });
    if (attempt.kind === 'not-yet') {
      await sleep(RETRY_INTERVAL_MS);
      return attempt;
    }
    return { kind: 'open', server: { keeper: attempt.keeper, pid, port, startedByUs } };
  } catch (error) {
    if (startedByUs) await signalStop(place, pid);
    throw error;
  }
}

async function launch(start: Start, found: PostmasterFile): Promise<ServerProcess> {
  const { place, options, log } = start;
  return spawnPostmaster(place, {
    port: options.port ?? (await freePort(await lastPort(place.cluster))),
    settings: options.settings ?? {},
    logFd: log.handle.fd,
    stalePid: found.kind === 'stale' ? found.pid : undefined,
  });
}

/**
 * A server that ended is no failure when another hub's was quicker, when processes of a killed
 * one are just leaving, or when somebody took the port that was free a moment ago.
 */
async function acceptEnd(start: Start, child: ServerProcess, found: PostmasterFile): Promise<void> {
  const said = await start.log.tail();
  const portTaken = /could not create any TCP\/IP sockets/.test(said);
  const mayPass = /postmaster\.pid" already exists|pre-existing shared memory/.test(said);
  if (portTaken && start.options.port !== undefined) {
    throw serverFailed(`port ${start.options.port} is taken: ${said}`);
  }
  const otherServes = found.kind === 'serving' && found.postmaster.pid !== child.pid;
  if (!portTaken && !mayPass && !otherServes) {
    throw serverFailed(`${child.ended()} (log ${start.place.dataFolder}/postgres.log): ${said}`);
  }
  await sleep(RETRY_INTERVAL_MS);
}

interface Belongings {
  readonly place: Place;
  readonly password: string;
  readonly log: Log;
  readonly logFile: string;
}

function runningServer(server: Server, belongings: Belongings): EmbeddedPostgres {
  const { pid, port, startedByUs } = server;
  const watch = watchServerLog(belongings.logFile);
  let closing: Promise<void> | undefined;
  return {
    url: `postgres://${ROLE}:${belongings.password}@127.0.0.1:${port}/${ROLE}`,
    startedByUs,
    pid,
    close() {
      clearInterval(watch);
      closing ??= release(server, belongings).catch((error) => {
        belongings.log.warn(
          { server: pid, err: error },
          'embedded PostgreSQL could not be stopped',
        );
      });
      return closing;
    },
  };
}

async function release(server: Server, belongings: Belongings): Promise<void> {
  const { place, log } = belongings;
  const current = server.keeper.isBroken() ? await findAgain(belongings) : server;
  if (current === undefined) return;
  const { keeper, pid } = current;
  try {
    if (!(await keeper.isAlone())) {
      log.info({ server: pid }, 'embedded PostgreSQL stays up: others use it');
      return;
    }
    await signalStop(place, pid);
  } finally {
    await keeper.leave();
  }
  if (await waitForStop(pid)) log.info({ server: pid }, 'embedded PostgreSQL stopped');
  else log.warn({ server: pid }, 'embedded PostgreSQL is still stopping');
}

/** The server was killed in between; it may be back, started by somebody else. */
async function findAgain({
  place,
  password,
}: Belongings): Promise<Pick<Server, 'keeper' | 'pid'> | undefined> {
  const found = await readPostmasterFile(place.cluster);
  if (found.kind !== 'serving' || found.postmaster.port === undefined) return undefined;
  const { pid, port } = found.postmaster;
  const timeoutMs = CONNECT_DEADLINE_MS;
  const attempt = await openKeeper({ port, password, cluster: place.cluster, timeoutMs });
  return attempt.kind === 'open' ? { keeper: attempt.keeper, pid } : undefined;
}
