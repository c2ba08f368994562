// The Redis of one rig, with its files where the scenario can reach them.

import { chmod, mkdir, readdir, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { startRedis } from '../test/support/redis-server.ts';
import { redisPassword } from './canaries.ts';
import { quietPort } from './quiet-port.ts';

export interface RigRedis {
  readonly port: number;
  readonly pid: number;
  kill(): Promise<void>;
  /** The same port and files again. */
  restart(): Promise<void>;
  /** Runs one command, on a connection of its own that knows no proxy. */
  command(name: string, ...args: readonly (string | number)[]): Promise<unknown>;
  /** Deletes all that it wrote; call it while the server is down. */
  removeFiles(): Promise<void>;
  /**
   * Starts to note how large the append-only file is. The result ends the server as a loss of power
   * would: at once, and with the file as it was `lostMs` before.
   */
  watchFile(): { losePower(lostMs: number): Promise<{ readonly lostBytes: number }> };
  stop(): Promise<void>;
}

export type FsyncPolicy = 'everysec' | 'always';

const SAMPLE_MS = 20;

/** `undefined` where redis-server is not installed. */
export async function startRigRedis(
  folder: string,
  fsync: FsyncPolicy,
): Promise<RigRedis | undefined> {
  const port = await quietPort();
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o755);
  const redis = await startRedis([
    ...['--port', String(port), '--dir', folder, '--requirepass', redisPassword],
    ...['--appendonly', 'yes', '--appendfsync', fsync, '--maxmemory-policy', 'noeviction'],
  ]);
  if (redis === undefined) return undefined;
  return {
    port,
    get pid() {
      return redis.pid;
    },
    kill: () => redis.kill(),
    restart: () => redis.restart(),
    command: (name, ...args) => runCommand(port, name, args),
    async removeFiles() {
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true });
    },
    watchFile: () => watchFile(folder, () => redis.kill()),
    stop: () => redis.stop(),
  };
}

async function runCommand(
  port: number,
  name: string,
  args: readonly (string | number)[],
): Promise<unknown> {
  const client = new Redis(port, '127.0.0.1', {
    password: redisPassword,
    maxRetriesPerRequest: 2,
    lazyConnect: true,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await client.call(name, ...args);
  } finally {
    client.disconnect();
  }
}

function watchFile(folder: string, kill: () => Promise<void>) {
  const sizes: { readonly atMs: number; readonly file: string; readonly bytes: number }[] = [];
  let isWatching = true;
  const watching = (async () => {
    while (isWatching) {
      const found = await newestFile(folder);
      if (found !== undefined) sizes.push({ atMs: Date.now(), ...found });
      await sleep(SAMPLE_MS);
    }
  })();
  return {
    async losePower(lostMs: number) {
      isWatching = false;
      await watching;
      await kill();
      const last = await newestFile(folder);
      if (last === undefined) throw new Error(`Redis wrote no append-only file in ${folder}`);
      const untilMs = Date.now() - lostMs;
      const kept = sizes.filter((one) => one.file === last.file && one.atMs <= untilMs).at(-1);
      const keptBytes = kept?.bytes ?? last.bytes;
      await truncate(last.file, keptBytes);
      return { lostBytes: last.bytes - keptBytes };
    },
  };
}

/** The increment that Redis appends to now. */
async function newestFile(
  folder: string,
): Promise<{ readonly file: string; readonly bytes: number } | undefined> {
  const place = join(folder, 'appendonlydir');
  const names = await readdir(place).catch((): string[] => []);
  const name = names
    .filter((one) => one.endsWith('.incr.aof'))
    .toSorted(byNumber)
    .at(-1);
  if (name === undefined) return undefined;
  const file = join(place, name);
  const bytes = await stat(file).then(
    ({ size }) => size,
    () => undefined,
  );
  return bytes === undefined ? undefined : { file, bytes };
}

function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
