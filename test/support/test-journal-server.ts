// Real PostgreSQL for tests. All test processes of a checkout share one embedded server, each test
// has a database of its own; who kills PostgreSQL starts a private one.
import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { packageRoot } from '../../src/config/package-root.ts';
import { isAlive } from '../../src/journal/embedded-files.ts';
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../src/journal/embedded-postgres.ts';
import type { Log } from '../../src/model/log.ts';

export interface TestDatabase {
  readonly url: string;
  /** Drops the database; rejects when sessions of the test are still open. */
  close(): Promise<void>;
}

export interface PrivateServer {
  readonly url: string;
  /** SIGKILL; resolves when the server and all its backends are gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port. */
  start(): Promise<void>;
  /** Stops it and removes its data. */
  stop(): Promise<void>;
}

export const quietLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** Instead of /var/lib/crossdock, where tests have no business. */
export const testSystemFolder = join(tmpdir(), `crossdock-test-system-${process.getuid?.() ?? 0}`);

const SESSIONS_DEADLINE_MS = 2_000;
const BACKENDS_DEADLINE_MS = 10_000;
const POLL_INTERVAL_MS = 20;

let shared: Promise<EmbeddedPostgres> | undefined;

/** A new, empty database on the shared server. */
export async function acquireTestDatabase(): Promise<TestDatabase> {
  shared ??= openSharedServer();
  const { url } = await shared;
  // The name carries our process id: what a crashed run left is known by it.
  const name = `test_${process.pid}_${randomBytes(6).toString('hex')}`;
  await query(url, `CREATE DATABASE ${name}`);
  return {
    url: url.replace(/[^/]+$/, name),
    async close() {
      const left = await openSessions(url, name);
      await query(url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      if (left.length > 0) throw new Error(`the test left sessions open: ${left.join(', ')}`);
    },
  };
}

/** A server that only this test uses, with its data in a temporary folder or in the given one. */
export async function startPrivateServer(
  settings: Record<string, string> = {},
  given: { readonly dataFolder?: string; readonly port?: number } = {},
): Promise<PrivateServer> {
  const dataFolder = given.dataFolder ?? (await temporaryFolder());
  const options = {
    dataFolder,
    log: quietLog,
    settings,
    restart: false,
    systemFolder: testSystemFolder,
    ...(given.port === undefined ? {} : { port: given.port }),
  };
  let server = await startEmbeddedPostgres(options);
  const port = Number(new URL(server.url).port);
  return {
    url: server.url,
    kill: () => killServer(server),
    async start() {
      await server.close();
      server = await startEmbeddedPostgres({ ...options, port });
    },
    async stop() {
      await server.close();
      if (isAlive(server.pid)) throw new Error('sessions of the test keep the server up');
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
}

/** Unlike what `mkdtemp` makes, one that a server run by root's deputy can reach. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'crossdock-test-'));
  await chmod(folder, 0o711);
  return folder;
}

/** SIGKILL to the server; its backends end by themselves, some a moment later. */
export async function killServer(server: EmbeddedPostgres): Promise<void> {
  const rows = await query(server.url, 'SELECT pid FROM pg_stat_activity');
  const pids = [server.pid, ...rows.map((row) => Number(row['pid']))];
  process.kill(server.pid, 'SIGKILL');
  const deadline = Date.now() + BACKENDS_DEADLINE_MS;
  while (pids.some(isAlive)) {
    if (Date.now() > deadline) throw new Error('backends of the killed server are still there');
    await sleep(POLL_INTERVAL_MS);
  }
}

export async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url, application_name: 'crossdock test' });
  // A server that is killed under the session says so here as well as in the rejection.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

async function openSharedServer(): Promise<EmbeddedPostgres> {
  const checkout = createHash('sha256').update(packageRoot).digest('hex').slice(0, 12);
  const server = await startEmbeddedPostgres({
    dataFolder: join(tmpdir(), `crossdock-test-${process.getuid?.() ?? 0}-${checkout}`),
    log: quietLog,
    systemFolder: testSystemFolder,
  });
  // Comes when nothing else keeps this process alive; the last process stops the server.
  process.once('beforeExit', () => void server.close());
  await dropAbandoned(server.url);
  return server;
}

async function dropAbandoned(url: string): Promise<void> {
  const rows = await query(url, `SELECT datname FROM pg_database WHERE datname LIKE 'test\\_%'`);
  for (const name of rows.map((row) => String(row['datname']))) {
    if (isAlive(Number(name.split('_')[1]))) continue;
    // Two processes may drop the same one.
    await query(url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`).catch(() => undefined);
  }
}

async function openSessions(url: string, database: string): Promise<string[]> {
  const deadline = Date.now() + SESSIONS_DEADLINE_MS;
  for (;;) {
    const rows = await query(
      url,
      `SELECT application_name FROM pg_stat_activity
        WHERE datname = '${database}' AND backend_type = 'client backend'`,
    );
    if (rows.length === 0 || Date.now() > deadline) {
      return rows.map((row) => String(row['application_name'] || 'a session without a name'));
    }
    await sleep(POLL_INTERVAL_MS);
  }
}
