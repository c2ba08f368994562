// A server that is killed under the hubs that use it.
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import pg from 'pg';
import { isAlive } from '../../src/journal/embedded-files.ts';
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../src/journal/embedded-postgres.ts';
import { freePort, readPostmasterFile } from '../../src/journal/embedded-postmaster.ts';
import type { Log } from '../../src/model/log.ts';
import { startInProcess } from '../support/embedded-postgres-process.ts';
import { query, quietLog, temporaryFolder } from '../support/test-journal-server.ts';
import { waitUntil } from '../support/wait-until.ts';

const CLOSE_MS_MAX = 10_000;
const base = await temporaryFolder();
const systemFolder = join(base, 'system');
const dataFolder = join(base, 'data');
const cluster = join(dataFolder, 'postgres');

const started: EmbeddedPostgres[] = [];

after(async () => {
  for (const server of started) await server.close();
  await rm(base, { recursive: true, force: true });
});

async function start(log: Log = quietLog): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataFolder, systemFolder, log });
  started.push(server);
  return server;
}

/** Kills the server's main process; resolves with its id. */
function kill(server: EmbeddedPostgres): number {
  const { pid } = server;
  process.kill(pid, 'SIGKILL');
  return pid;
}

async function backAfter(server: EmbeddedPostgres, lostPid: number): Promise<void> {
  await waitUntil('the server is back', () => (server.pid === lostPid ? undefined : true));
}

async function closeQuickly(server: EmbeddedPostgres): Promise<void> {
  const startedMs = Date.now();
  await server.close();
  const tookMs = Date.now() - startedMs;
  assert.ok(tookMs < CLOSE_MS_MAX, `${tookMs} ms`);
}

async function assertNothingServes(): Promise<void> {
  assert.notEqual((await readPostmasterFile(cluster)).kind, 'serving');
}

test('a server killed in use is back on its port with its data, as often as it is killed', async () => {
  const said: string[] = [];
  const keep = (_fields: object, message: string): void => void said.push(message);
  const server = await start({ ...quietLog, info: keep, warn: keep });
  const { url } = server;
  const pool = new pg.Pool({ connectionString: url });
  pool.on('error', () => undefined);
  await pool.query('CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n');
  for (const _time of ['first', 'second']) {
    said.length = 0;
    await backAfter(server, kill(server));
    const { rows } = await pool.query('SELECT count(*)::int AS count FROM kept');
    assert.deepEqual(rows, [{ count: 1000 }]);
    assert.equal(server.url, url);
    assert.deepEqual(said, [
      'embedded PostgreSQL was lost and is started again',
      'embedded PostgreSQL is back',
    ]);
  }
  await pool.end();
  const { pid } = server;
  await closeQuickly(server);
  assert.equal(isAlive(pid), false);
  await assertNothingServes();
});

test('a keeper whose session alone was ended enters the same server again', async () => {
  const server = await start();
  const { pid } = server;
  const keepers = "SELECT pid FROM pg_stat_activity WHERE application_name = 'crossdock keeper'";
  const [before] = await query(server.url, keepers);
  await query(server.url, `SELECT pg_terminate_backend(${before?.['pid']})`);
  const [next] = await waitUntil('there is a keeper again', async () => {
    const rows = await query(server.url, keepers);
    return rows.length === 1 && rows[0]?.['pid'] !== before?.['pid'] ? rows : undefined;
  });
  assert.ok(next);
  assert.equal(server.pid, pid);
  await server.close();
  assert.equal(isAlive(pid), false);
});

test('hubs that lose one server come back to one server, and the last one stops it', async () => {
  const own = await start();
  const shared = { dataFolder, systemFolder };
  const others = await Promise.all([startInProcess(shared), startInProcess(shared)]);
  await backAfter(own, kill(own));
  await waitUntil('all three are back', async () => {
    const rows = await query(
      own.url,
      "SELECT FROM pg_stat_activity WHERE application_name = 'crossdock keeper'",
    );
    return rows.length === 3 ? true : undefined;
  });
  const found = await readPostmasterFile(cluster);
  assert.ok(found.kind === 'serving');
  assert.equal(found.postmaster.pid, own.pid);
  await closeQuickly(own);
  assert.equal(isAlive(own.pid), true);
  for (const other of others) await other.leave();
  assert.equal(isAlive(own.pid), false);
});

test('a hub gets its server back on its port when others who started it elsewhere have ended', async () => {
  const hub = await startInProcess({ dataFolder, systemFolder });
  hub.child.kill('SIGSTOP');
  process.kill(hub.said.pid, 'SIGKILL');
  const elsewhere = await startEmbeddedPostgres({
    dataFolder,
    systemFolder,
    log: quietLog,
    port: await freePort(),
  });
  started.push(elsewhere);
  assert.notEqual(elsewhere.url, hub.said.url);
  hub.child.kill('SIGCONT');
  await elsewhere.close();
  await waitUntil('the server is back on the port of the hub', () =>
    query(hub.said.url, 'SELECT').catch(() => undefined),
  );
  await hub.leave();
  await assertNothingServes();
});

test('closing right after the server was killed leaves nothing behind', async () => {
  const server = await start();
  kill(server);
  await closeQuickly(server);
  await assertNothingServes();
});

test('closing while the server starts again leaves nothing behind', async () => {
  const server = await start();
  const lostPid = kill(server);
  await waitUntil('the next server has begun to start', async () => {
    const found = await readPostmasterFile(cluster);
    return found.kind === 'serving' && found.postmaster.pid !== lostPid ? true : undefined;
  });
  await closeQuickly(server);
  await assertNothingServes();
});

test('a process whose server was killed ends when it has closed', async () => {
  const user = await startInProcess({ dataFolder, systemFolder });
  process.kill(user.said.pid, 'SIGKILL');
  const startedMs = Date.now();
  await user.leave();
  assert.ok(Date.now() - startedMs < CLOSE_MS_MAX);
  assert.equal(user.child.exitCode, 0);
  await assertNothingServes();
});
