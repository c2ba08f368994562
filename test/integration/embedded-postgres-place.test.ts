import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chown, mkdir, mkdtemp, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { packageRoot } from '../../src/config/package-root.ts';
import { findBinaries, hydrateLinks } from '../../src/journal/embedded-binaries.ts';
import {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  startEmbeddedPostgres,
} from '../../src/journal/embedded-postgres.ts';
import { isCrossdockError } from '../../src/model/errors.ts';
import { startInProcess } from '../support/embedded-postgres-process.ts';
import { query, quietLog, temporaryFolder } from '../support/test-journal-server.ts';

const isRoot = process.getuid?.() === 0;
const ORDINARY_UID = 65_534;
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

/** Why another user could not run what is in this checkout, which may be in a home folder. */
async function unreachable(): Promise<string | false> {
  for (let folder = packageRoot; ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 0) return `other users cannot enter ${folder}`;
    if (dirname(folder) === folder) return false;
  }
}

function failsSaying(pattern: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isCrossdockError(error, 'embedded-server-failed'), String(error));
    assert.match(error.message, pattern);
    return true;
  };
}

test('root finds another place for data that its server could not reach', {
  skip: isRoot ? false : 'only for root',
}, async () => {
  const parent = await mkdtemp(join(tmpdir(), 'crossdock-test-'));
  const hidden = join(parent, '.crossdock');
  try {
    const server = await start({ dataFolder: hidden });
    await query(server.url, 'CREATE TABLE kept AS SELECT 1 AS one');
    await server.close();
    const location = (await readFile(join(hidden, 'postgres-location'), 'utf8')).trim();
    assert.equal(dirname(location), join(systemFolder, 'clusters'));
    assert.notEqual((await stat(location)).uid, 0);
    const again = await start({ dataFolder: hidden });
    assert.deepEqual(await query(again.url, 'SELECT one FROM kept'), [{ one: 1 }]);
    await again.close();
    await rm(location, { recursive: true });
    await assert.rejects(start({ dataFolder: hidden }), failsSaying(/are not there/));
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
});

test("an ordinary user runs a server alone, and is told why root's data are closed to it", {
  skip: isRoot ? await unreachable() : 'the other tests run as an ordinary user',
}, async () => {
  const folder = join(base, 'ordinary');
  const ordinary = { dataFolder: folder, systemFolder, uid: ORDINARY_UID };
  await mkdir(folder);
  await chown(folder, ORDINARY_UID, ORDINARY_UID);
  const own = await startInProcess(ordinary);
  assert.equal(own.said.code, undefined, own.said.message);
  assert.equal((await stat(join(folder, 'postgres'))).uid, ORDINARY_UID);
  await own.leave();
  const asRoot = await start({ dataFolder: folder });
  await asRoot.close();
  const back = await startInProcess(ordinary);
  assert.equal(back.said.code, undefined, back.said.message);
  await back.leave();

  await chown(join(folder, 'postgres'), ORDINARY_UID - 1, ORDINARY_UID - 1);
  const refused = await startInProcess(ordinary);
  assert.equal(refused.said.code, 'embedded-server-failed');
  assert.match(refused.said.message, /belong to another user .* "chown -R 65534/);
  await refused.leave();
});

test('a server that cannot start says so with the last lines of its log', async () => {
  const settings = { shared_buffers: 'plenty' };
  await assert.rejects(
    start({ settings }),
    failsSaying(/invalid value for parameter "shared_buffers"/),
  );
  const blocker = createServer().listen(0, '127.0.0.1');
  await once(blocker, 'listening');
  const address = blocker.address();
  assert.ok(typeof address === 'object' && address !== null);
  await assert.rejects(start({ port: address.port }), failsSaying(/port \d+ is taken/));
  blocker.close();
  await assert.rejects(
    findBinaries('plan9-mips'),
    failsSaying(/no server programs for plan9-mips/),
  );
});

test('a lost password, a foreign password and a folder in the way are named', async () => {
  const password = join(dataFolder, 'postgres-password');
  const kept = await readFile(password, 'utf8');
  await writeFile(password, 'another\n');
  await assert.rejects(start(), failsSaying(/refuses the hub's password/));
  await rm(password);
  await assert.rejects(start(), failsSaying(/postgres-password is missing/));
  await writeFile(password, kept, { mode: 0o600 });
  const folder = join(base, 'in-the-way');
  await mkdir(join(folder, 'postgres', 'something'), { recursive: true });
  if (isRoot) await chown(join(folder, 'postgres'), ORDINARY_UID, ORDINARY_UID);
  await assert.rejects(start({ dataFolder: folder }), failsSaying(/in the way of a new cluster/));
  await assert.rejects(start({ dataFolder: password }), failsSaying(/cannot be used/));
});

test('links that npm did not make are made, by several processes at once too', async () => {
  const folder = join(base, 'package');
  await mkdir(join(folder, 'native', 'lib'), { recursive: true });
  await writeFile(join(folder, 'native', 'lib', 'libx.so.1.2'), '');
  const target = 'native/lib/libx.so.1';
  const links = JSON.stringify([{ source: 'native/lib/libx.so.1.2', target }]);
  await writeFile(join(folder, 'native', 'pg-symlinks.json'), links);
  await Promise.all([hydrateLinks(folder, 'x'), hydrateLinks(folder, 'x')]);
  assert.equal(await readlink(join(folder, target)), 'libx.so.1.2');
});
