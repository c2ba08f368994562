import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import pg from 'pg';
import { isAlive } from '../../src/journal/embedded-files.ts';
import {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  startEmbeddedPostgres,
} from '../../src/journal/embedded-postgres.ts';
import { startInProcess } from '../support/embedded-postgres-process.ts';
import {
  acquireTestDatabase,
  killServer,
  query,
  quietLog,
  startPrivateServer,
  temporaryFolder,
} from '../support/test-journal-server.ts';

const isRoot = process.getuid?.() === 0;
const base = await temporaryFolder();
const systemFolder = join(base, 'system');
const dataFolder = join(base, 'data');

const started: EmbeddedPostgres[] = [];

after(async () => {
  for (const server of started) await server.close();
  await rm(base, { recursive: true, force: true });
});

async function start(options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const all = { dataFolder, systemFolder, log: quietLog, ...options };
  const server = await startEmbeddedPostgres(all);
  started.push(server);
  return server;
}

test('a first start makes a durable server that only this machine and its password can reach', async () => {
  await mkdir(dataFolder, { mode: 0o711 });
  const leftover = join(dataFolder, 'postgres-init-999999999-0123456789ab');
  await mkdir(leftover);
  const server = await start();
  assert.equal(server.startedByUs, true);
  assert.match(server.url, /^postgres:\/\/crossdock:[0-9a-f]{48}@127\.0\.0\.1:\d+\/crossdock$/);
  const settings = await query(
    server.url,
    `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit,
            current_setting('full_page_writes') AS pages, current_setting('listen_addresses') AS host,
            current_setting('server_encoding') AS encoding, current_setting('data_checksums') AS sums,
            (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser`,
  );
  assert.deepEqual(settings, [
    {
      fsync: 'on',
      commit: 'on',
      pages: 'on',
      host: '127.0.0.1',
      encoding: 'UTF8',
      sums: 'on',
      superuser: false,
    },
  ]);
  const { mode } = await stat(join(dataFolder, 'postgres-password'));
  assert.equal(mode & 0o777, 0o600);
  const wrong = server.url.replace(/:[0-9a-f]{48}@/, ':wrong@');
  await assert.rejects(query(wrong, 'SELECT 1'), { code: '28P01' });
  await assert.rejects(query(server.url.replace('crossdock:', 'postgres:'), 'SELECT 1'), {
    code: '28000',
  });
  await assert.rejects(access(leftover));
  await query(server.url, `CREATE TABLE kept AS SELECT 'first start' AS note`);
  await server.close();
  assert.equal(isAlive(server.pid), false);
});

test('a second start keeps data and port and takes well under a second', async () => {
  const startedMs = Date.now();
  const server = await start();
  const tookMs = Date.now() - startedMs;
  assert.deepEqual(await query(server.url, 'SELECT note FROM kept'), [{ note: 'first start' }]);
  await server.close();
  const again = await start();
  assert.equal(again.url, server.url);
  await again.close();
  assert.ok(tookMs < 1_000, `${tookMs} ms`);
});

test('a server that was killed starts again with all that was committed', async () => {
  const server = await start({ restart: false });
  await query(server.url, 'CREATE TABLE numbers AS SELECT generate_series(1, 1000) AS n');
  await killServer(server);
  await access(join(dataFolder, 'postgres', 'postmaster.pid'));
  const again = await start();
  assert.equal(again.startedByUs, true);
  const rows = await query(again.url, 'SELECT count(*)::int AS count FROM numbers');
  assert.deepEqual(rows, [{ count: 1000 }]);
  await server.close();
  assert.equal(
    isAlive(again.pid),
    true,
    'a handle of the killed server leaves the new one to its user',
  );
  await again.close();
});

test('a dead server is started again although another program has its process id', async () => {
  const server = await start({ restart: false });
  await killServer(server);
  await server.close();
  const cluster = join(dataFolder, 'postgres');
  const { uid, gid } = await stat(cluster);
  const other = spawn('sleep', ['60'], isRoot ? { uid, gid, cwd: '/' } : {});
  await once(other, 'spawn');
  try {
    const file = join(cluster, 'postmaster.pid');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace(/^\d+/, String(other.pid)));
    const again = await start();
    assert.equal(again.startedByUs, true);
    await again.close();
    assert.equal(other.exitCode, null);
  } finally {
    other.kill();
  }
});

test('a server whose hub was killed is taken over, and stopped by who took it over', async () => {
  const hub = await startInProcess({ dataFolder, systemFolder });
  assert.equal(hub.said.startedByUs, true);
  const ended = once(hub.child, 'exit');
  hub.child.kill('SIGKILL');
  await ended;
  const server = await start();
  assert.equal(server.startedByUs, false);
  assert.equal(server.pid, hub.said.pid);
  assert.equal(server.url, hub.said.url);
  await server.close();
  assert.equal(isAlive(server.pid), false);
});

test('closing leaves a server that another hub uses, and the last one stops it', async () => {
  const first = await start();
  const second = await startInProcess({ dataFolder, systemFolder });
  assert.equal(second.said.startedByUs, false);
  await first.close();
  assert.deepEqual(await query(first.url, 'SELECT 1 AS one'), [{ one: 1 }]);
  await second.leave();
  assert.equal(isAlive(first.pid), false);
});

test('two users that close at the same moment leave no server behind', async () => {
  const servers = await Promise.all([start(), start()]);
  await Promise.all(servers.map((server) => server.close()));
  assert.equal(isAlive(servers[0].pid), false);
});

test('closing leaves a server with a session of another program', async () => {
  const server = await start();
  const session = new pg.Client({ connectionString: server.url });
  await session.connect();
  await server.close();
  const { rows } = await session.query('SELECT 1 AS one');
  assert.deepEqual(rows, [{ one: 1 }]);
  await session.end();
  const again = await start();
  assert.equal(again.pid, server.pid);
  await again.close();
});

test('hubs that start at the same moment on an empty folder end with one server', async () => {
  const folder = join(base, 'at-once');
  const shared = { dataFolder: folder, systemFolder };
  const hubs = await Promise.all([startInProcess(shared), startInProcess(shared)]);
  const [first, second] = hubs.map((hub) => hub.said);
  assert.equal(first?.pid, second?.pid);
  assert.equal(first?.url, second?.url);
  assert.deepEqual([first?.startedByUs, second?.startedByUs].sort(), [false, true]);
  const names = await readdir(folder);
  assert.deepEqual(
    names.filter((name) => /-(init|write)-/.test(name)),
    [],
  );
  await Promise.all(hubs.map((hub) => hub.leave()));
  assert.equal(isAlive(Number(first?.pid)), false);
});

test('a test database is its own, and is dropped when it is closed', async () => {
  const [one, two] = await Promise.all([acquireTestDatabase(), acquireTestDatabase()]);
  await query(one.url, 'CREATE TABLE mine ()');
  await assert.rejects(query(two.url, 'SELECT FROM mine'), { code: '42P01' });
  const leaked = new pg.Client({ connectionString: two.url, application_name: 'leaky' });
  leaked.on('error', () => undefined);
  await leaked.connect();
  await one.close();
  await assert.rejects(two.close(), /left sessions open: leaky/);
  await assert.rejects(query(one.url, 'SELECT 1'), { code: '3D000' });
});

test('a private server comes back on its port after it was killed', async () => {
  const server = await startPrivateServer();
  await query(server.url, 'CREATE TABLE kept ()');
  await server.kill();
  await assert.rejects(query(server.url, 'SELECT 1'), { code: 'ECONNREFUSED' });
  await server.start();
  assert.deepEqual(await query(server.url, 'SELECT FROM kept'), []);
  await server.stop();
});
