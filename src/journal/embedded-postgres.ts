// The embedded PostgreSQL: a real server, from programs inside an npm package, with its data in
// the project's data folder. This file owns its life in this process: from the first start to the
// stop, which waits for nobody else using it. How a server comes up is embedded-start.ts, what
// happens when it is killed embedded-watch.ts, where it lies and as whom it runs
// embedded-place.ts, how its data come to be embedded-cluster.ts.
import { join } from 'node:path';
import type { Log } from '../model/log.ts';
import { findBinaries } from './embedded-binaries.ts';
import { prepareCluster, ROLE } from './embedded-cluster.ts';
import { openKeeper } from './embedded-keeper.ts';
import { openServerLog, watchServerLog } from './embedded-log.ts';
import { choosePlace, type Place } from './embedded-place.ts';
import { readPostmasterFile, signalStop, waitForStop } from './embedded-postmaster.ts';
import { serverFailed } from './embedded-program.ts';
import { bringUp, CONNECT_DEADLINE_MS, type Server } from './embedded-start.ts';
import { type Watch, watchServer } from './embedded-watch.ts';

export interface EmbeddedPostgresOptions {
  /** Absolute path, such as `<project>/.crossdock`; made when it is missing. */
  readonly dataFolder: string;
  readonly log: Log;
  /** More server settings, or others than ours; a server that is taken over keeps its own. */
  readonly settings?: Record<string, string>;
  /** @default the port of the last start when it is free, otherwise any free one */
  readonly port?: number;
  /**
   * Whether a server that ends while it is in use is started again, on its port.
   * @default true
   */
  readonly restart?: boolean;
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
  /** Process id of the server; another one after it was started again. */
  readonly pid: number;
  /**
   * Stops the server, unless sessions of others are open: close your own pools first. Resolves
   * when it is gone, after 10 s at the latest. Never rejects; a second call is the first's result.
   */
  close(): Promise<void>;
}

const PROGRESS_INTERVAL_MS = 2_000;
const CLOSE_DEADLINE_MS = 10_000;

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
    const message = `the data folder ${options.dataFolder} cannot be used (${error.message})`;
    throw serverFailed(`${message}; CROSSDOCK_DATA_DIR names another one`, error);
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
  const home: Home = { place, password, logFile, options };
  const server = await startAt(home, options.port, new AbortController().signal);
  return runningServer(server, home);
}

/** What all servers of one data folder have in common. */
interface Home {
  readonly place: Place;
  readonly password: string;
  readonly logFile: string;
  readonly options: EmbeddedPostgresOptions;
}

async function startAt(home: Home, port: number | undefined, signal: AbortSignal): Promise<Server> {
  const { place, password, options } = home;
  const log = await openServerLog(home.logFile, place.user);
  try {
    return await bringUp({ place, password, log, port, settings: options.settings ?? {}, signal });
  } finally {
    await log.handle.close();
  }
}

/** Rejects when others brought the server up on a port where no pool of this hub looks for it. */
async function startAgain(home: Home, lost: Server, signal: AbortSignal): Promise<Server> {
  const server = await startAt(home, lost.port, signal);
  if (server.port === lost.port) return server;
  await stopUnlessUsed(home, server, Date.now() + CLOSE_DEADLINE_MS);
  throw serverFailed(
    `others started the server on port ${server.port}, this hub needs it on ${lost.port}: ` +
      'it comes back there when they have ended',
  );
}

function runningServer(first: Server, home: Home): EmbeddedPostgres {
  const { log, restart } = home.options;
  const logWatch = watchServerLog(home.logFile);
  const watch =
    restart === false
      ? undefined
      : watchServer(first, { log, start: (lost, signal) => startAgain(home, lost, signal) });
  const current = (): Server => watch?.server() ?? first;
  let closing: Promise<void> | undefined;
  return {
    url: `postgres://${ROLE}:${home.password}@127.0.0.1:${first.port}/${ROLE}`,
    startedByUs: first.startedByUs,
    get pid() {
      return current().pid;
    },
    close() {
      clearInterval(logWatch);
      closing ??= closeServer(home, current, watch).catch((error) => {
        const fields = { server: current().pid, err: error };
        log.warn(fields, 'embedded PostgreSQL could not be stopped');
      });
      return closing;
    },
  };
}

async function closeServer(
  home: Home,
  current: () => Server,
  watch: Watch | undefined,
): Promise<void> {
  const deadline = Date.now() + CLOSE_DEADLINE_MS;
  await watch?.end();
  const server = current().keeper.isBroken() ? await findAgain(home, deadline) : current();
  if (server !== undefined) await stopUnlessUsed(home, server, deadline);
}

type Entered = Pick<Server, 'keeper' | 'pid'>;

async function stopUnlessUsed(home: Home, server: Entered, deadline: number): Promise<void> {
  const { keeper, pid } = server;
  const { log } = home.options;
  // A server that does not answer keeps nobody waiting.
  const impatience = setTimeout(() => void keeper.leave(), deadline - Date.now());
  try {
    if (!(await keeper.isAlone())) {
      log.info({ server: pid }, 'embedded PostgreSQL stays up: others use it');
      return;
    }
    await signalStop(home.place, pid);
  } finally {
    clearTimeout(impatience);
    await keeper.leave();
  }
  if (await waitForStop(pid, deadline - Date.now())) {
    log.info({ server: pid }, 'embedded PostgreSQL stopped');
  } else log.warn({ server: pid }, 'embedded PostgreSQL is still stopping');
}

/** The server was killed in between; it may be back, started by somebody else. */
async function findAgain(home: Home, deadline: number): Promise<Entered | undefined> {
  const { place, password } = home;
  const found = await readPostmasterFile(place.cluster);
  if (found.kind !== 'serving' || found.postmaster.port === undefined) return undefined;
  const { pid, port } = found.postmaster;
  const attempt = await openKeeper({
    port,
    password,
    cluster: place.cluster,
    timeoutMs: CONNECT_DEADLINE_MS,
    signal: AbortSignal.timeout(Math.max(0, deadline - Date.now())),
  });
  return attempt.kind === 'open' ? { keeper: attempt.keeper, pid } : undefined;
}
