// PostgreSQL dies, fills up, or takes no more connections.

import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, statfs, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Hub } from '../fleet.ts';
import { queryJournal } from '../journal-dump.ts';
import type { Rig } from '../rig.ts';
import type { Scenario } from '../scenario.ts';

/** Until every process that was started without its database has ended. */
const REFUSED_MS_MAX = 30_000;

const postgresKilled: Scenario = {
  id: 'F11',
  title: 'kill -9 of PostgreSQL, back after 4 s',
  promise: '503 with Retry-After meanwhile; nothing acknowledged is lost',
  lanes: ['redis', 'postgres'],
  soak: true,
  quick: true,
  rig: { intakes: 2, ownPostgres: true },
  // A call that was made while its record could not be written is made again at worst.
  expect: { duplicates: { faults: 1 }, spentMax: 1 },
  async fault(rig) {
    await rig.postgres.kill();
    await sleep(4_000);
    await rig.postgres.start();
  },
};

const postgresAwayAtStart: Scenario = {
  id: 'F12',
  title: 'PostgreSQL is away when the hub starts',
  promise: 'the process ends with status 3 and works when its supervisor starts it later',
  lanes: ['redis', 'postgres'],
  slow: true,
  lanesAside: true,
  soak: true,
  rig: { ownPostgres: true },
  expect: { duplicates: { faults: 1 } },
  async fault(rig) {
    await rig.postgres.kill();
    await Promise.all(rig.hubs.map((hub) => hub.end('SIGKILL')));
    // A busy machine takes its time to start a process.
    for (const endMs = Date.now() + REFUSED_MS_MAX; Date.now() < endMs; await sleep(500)) {
      if (rig.hubs.every(hasRefused)) break;
    }
    await rig.postgres.start();
    await Promise.all(rig.hubs.map((hub) => hub.ready()));
  },
  check: (rig) =>
    rig.hubs
      .filter((hub) => !hasRefused(hub))
      .map(({ name, exits }) => ({
        rule: 'start',
        message: `${name} did not end with status 3 but: ${JSON.stringify(exits)}`,
        ids: [],
      })),
};

function hasRefused({ exits }: Pick<Hub, 'exits'>): boolean {
  return exits.some(({ code }) => code === 3);
}

const DISK_SIZE = '220m';
const diskOf = (folder: string): string => join(folder, 'disk');

async function mountDisk(
  folder: string,
  onClose: (close: () => Promise<unknown>) => void,
): Promise<string> {
  const disk = diskOf(folder);
  await mkdir(disk);
  if (!mount(disk)) throw new Error(`a tmpfs cannot be mounted at ${disk}`);
  onClose(async () => spawnSync('umount', [disk]));
  const data = join(disk, 'data');
  await mkdir(data);
  await chmod(data, 0o711);
  return data;
}

function mount(folder: string): boolean {
  const options = `size=${DISK_SIZE},mode=755`;
  return spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]).status === 0;
}

async function whyNoDisk(): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'crossdock-chaos-mount-'));
  const mounted = mount(folder);
  if (mounted) spawnSync('umount', [folder]);
  await rm(folder, { recursive: true, force: true });
  return mounted ? undefined : 'a small tmpfs cannot be mounted here: it takes root';
}

const diskFull: Scenario = {
  id: 'F13',
  title: 'the disk of PostgreSQL is full for 8 s',
  promise: '503 for what cannot be stored; nothing acknowledged is lost; it mends itself',
  lanes: ['redis', 'postgres'],
  skipReason: whyNoDisk,
  rig: { ownPostgres: true, postgresFolder: mountDisk },
  expect: { duplicates: { faults: 1 }, spentMax: 1 },
  async fault(rig) {
    const filler = join(diskOf(rig.folder), 'filler');
    const { bavail, bsize } = await statfs(diskOf(rig.folder));
    // PostgreSQL takes some of it meanwhile.
    await writeFile(filler, Buffer.alloc(bavail * bsize)).catch(() => undefined);
    const left = await statfs(diskOf(rig.folder));
    rig.note(`filled; ${left.bavail * left.bsize} bytes are left`);
    await sleep(8_000);
    await truncate(filler, 0);
    await restartIfDead(rig);
  },
};

/** PostgreSQL gives up when it cannot write its log; its supervisor starts it again. */
async function restartIfDead(rig: Rig): Promise<void> {
  const answers = await queryJournal(rig.databaseUrl, 'SELECT 1').then(
    () => true,
    () => false,
  );
  if (answers) return;
  rig.note('PostgreSQL had ended and is started again');
  await rig.postgres.start();
}

const CONNECTIONS_MAX = 60;

const connectionsExhausted: Scenario = {
  id: 'F14',
  title: 'others take every connection of PostgreSQL for 8 s, and the hub loses its own',
  promise: '503 within 2 s for what cannot be stored; the pools come back by themselves',
  lanes: ['redis', 'postgres'],
  soak: true,
  rig: { ownPostgres: true, postgresSettings: { max_connections: String(CONNECTIONS_MAX) } },
  expect: { duplicates: { faults: 1 }, spentMax: 1 },
  async fault(rig) {
    const held = await takeAllConnections(rig);
    rig.note(`${held.length} connections are taken`);
    await sleep(8_000);
    await Promise.all(held.map((client) => client.end().catch(() => undefined)));
  },
};

async function takeAllConnections(rig: Rig): Promise<readonly pg.Client[]> {
  const held: pg.Client[] = [];
  // What is ended is wanted again by the hub at once: a few rounds until all are ours.
  for (let round = 0; round < 10; round += 1) {
    const killer = held[0];
    await killer?.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name <> 'chaos' AND backend_type = 'client backend' AND usename = current_user`,
    );
    const more = await Promise.all(
      Array.from({ length: CONNECTIONS_MAX }, () => tryToConnect(rig.databaseUrl)),
    );
    held.push(...more.flatMap((client) => client ?? []));
  }
  return held;
}

async function tryToConnect(url: string): Promise<pg.Client | undefined> {
  const client = new pg.Client({ connectionString: url, application_name: 'chaos' });
  client.on('error', () => undefined);
  return client.connect().then(
    () => client,
    () => undefined,
  );
}

export const postgresFaults: readonly Scenario[] = [
  postgresKilled,
  postgresAwayAtStart,
  diskFull,
  connectionsExhausted,
];
