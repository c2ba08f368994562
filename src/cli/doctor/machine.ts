// What the hub stands on: Node, packages, disk, port.

import { readFile, statfs } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import type { Environment } from '../../config/environment.ts';
import { isLoopback } from '../start.ts';
import { type Finding, fail, pass, warn } from './finding.ts';

const NODE_MIN = '20.19.0';
/** Below these are known faults: code execution in jsonata, lost connections in bullmq. */
const packagesMin: Readonly<Record<string, string>> = { jsonata: '2.2.2', bullmq: '6.7.0' };

const DISK_FAIL_BYTES = 256 * 1_024 ** 2;
const DISK_WARN_BYTES = 2 * 1_024 ** 3;
const PROBE_MS = 1_000;

export function checkNode(version = process.versions.node): Finding {
  return isAtLeast(version, NODE_MIN)
    ? pass('Node.js', version)
    : fail('Node.js', version, `Install Node.js ${NODE_MIN} or later.`);
}

export async function checkPackages(): Promise<readonly Finding[]> {
  return Promise.all(
    Object.entries(packagesMin).map(async ([name, least]) => {
      const version = await readPackageVersion(name);
      if (version === undefined) return fail(name, 'not installed', 'Run npm ci.');
      return isAtLeast(version, least)
        ? pass(name, version)
        : fail(name, version, `Install ${name} ${least} or later.`);
    }),
  );
}

/** Compares `1.2.3` with `1.2.3`, part by part. */
export function isAtLeast(version: string, least: string): boolean {
  const [have, want] = [version, least].map((text) => text.split('-', 1)[0]?.split('.') ?? []);
  for (const [index, part] of (want ?? []).entries()) {
    const difference = Number(have?.[index] ?? 0) - Number(part);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** Found as `import` would find it; a package need not let its package.json be imported. */
async function readPackageVersion(name: string): Promise<string | undefined> {
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
  for (const folder of folders) {
    try {
      const text = await readFile(join(folder, name, 'package.json'), 'utf8');
      return (JSON.parse(text) as { version: string }).version;
    } catch {
      // Not in this folder; the next one is looked at.
    }
  }
  return undefined;
}

/** The journal grows in the data folder where the embedded server keeps it. */
export async function checkDisk({ dataFolder, databaseUrl }: Environment): Promise<Finding> {
  const folder = await nearestFolder(dataFolder);
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const found = `${(free / 1_024 ** 3).toFixed(1)} GiB free in ${folder}`;
  const todo = 'Make room, or put CROSSDOCK_DATA_DIR on another disk.';
  if (databaseUrl !== undefined || free > DISK_WARN_BYTES) return pass('disk', found);
  return free > DISK_FAIL_BYTES ? warn('disk', found, todo) : fail('disk', found, todo);
}

async function nearestFolder(folder: string): Promise<string> {
  try {
    await statfs(folder);
    return folder;
  } catch (error) {
    if (dirname(folder) === folder) throw error;
    return nearestFolder(dirname(folder));
  }
}

export async function checkPort({ host, port }: Environment): Promise<Finding> {
  const address = `${host} port ${port}`;
  const code = await tryListen(host, port);
  if (code === undefined) return pass('port', `${address} is free`);
  if (code !== 'EADDRINUSE') {
    return fail('port', `${address} cannot be listened on: ${code}`, 'Correct HOST and PORT.');
  }
  if (await isHub(host, port)) return pass('port', `a hub listens on ${address}`);
  return fail(
    'port',
    `${address} is taken`,
    'Set PORT to a free port, or stop what listens there.',
  );
}

function tryListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}

async function isHub(host: string, port: number): Promise<boolean> {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  const url = `http://${name.includes(':') ? `[${name}]` : name}:${port}/readyz`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_MS) });
    return 'journal' in Object(await response.json());
  } catch {
    return false;
  }
}

export function checkExposure({ adminToken, host }: Environment): Finding {
  const token = adminToken === undefined ? 'a token that start makes' : 'CROSSDOCK_ADMIN_TOKEN';
  if (isLoopback(host)) return pass('sign-in', `${token}; only this machine reaches ${host}`);
  const todo = 'Put a proxy with TLS in front of it: the token must not travel in clear.';
  return warn('sign-in', `${token}; others reach ${host}`, todo);
}
