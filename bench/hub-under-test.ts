// A hub in processes of its own, on its own project, and what the machine says about its memory.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { benchSecret } from './order.ts';
import { freePort } from './redis.ts';

export interface HubUnderTest {
  readonly port: number;
  readonly readyMs: number;
  /** Deliveries that were recorded as delivered so far, over all roles. */
  delivered(): Promise<number>;
  /** The largest resident size, in MB, of any of the hub's processes so far (children included). */
  largestMb(): number;
  stop(): Promise<void>;
}

const ownProgram = fileURLToPath(new URL('../src/cli/crossdock.js', import.meta.url));
const SAMPLE_MS = 250;

export async function createBenchProject(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'crossdock-bench-'));
  await chmod(folder, 0o711);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

export function removeBenchProject(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true });
}

export async function startHubUnderTest(options: {
  readonly folder: string;
  readonly redisUrl?: string;
  /** @default all */
  readonly role?: string;
  /** Another version's `dist/src/cli/crossdock.js`. @default this one's */
  readonly program?: string;
}): Promise<HubUnderTest> {
  const startedMs = performance.now();
  const port = await freePort();
  const hub = startRole({ role: 'all', program: ownProgram, ...options, port });
  await waitReady(hub, port);
  const readyMs = Math.round(performance.now() - startedMs);
  let largest = 0;
  const sampling = setInterval(() => {
    void largestOf(hub.pid ?? 0).then((megabytes) => {
      largest = Math.max(largest, megabytes);
    });
  }, SAMPLE_MS);
  return {
    port,
    readyMs,
    delivered: () => readDelivered(port),
    largestMb: () => Math.round(largest),
    async stop() {
      clearInterval(sampling);
      hub.kill('SIGTERM');
      await once(hub, 'exit');
    },
  };
}

function startRole(options: {
  readonly folder: string;
  readonly redisUrl?: string;
  readonly port: number;
  readonly role: string;
  readonly program: string;
}): ChildProcess {
  return spawn(process.execPath, [options.program, 'start', '--role', options.role], {
    env: {
      PATH: process.env['PATH'],
      CROSSDOCK_DIR: options.folder,
      BENCH_SECRET: benchSecret,
      LOG_LEVEL: 'error',
      PORT: String(options.port),
      ...(options.redisUrl === undefined ? {} : { REDIS_URL: options.redisUrl }),
    },
    stdio: ['ignore', 'inherit', 'ignore'],
  });
}

async function waitReady(hub: ChildProcess, port: number): Promise<void> {
  for (const endMs = Date.now() + 30_000; Date.now() < endMs; await sleep(25)) {
    if (hub.exitCode !== null) throw new Error(`the hub ended with ${hub.exitCode}`);
    const response = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    if (response?.ok === true) return;
  }
  throw new Error('the hub was not ready within 30 s');
}

async function readDelivered(port: number): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const counts = metrics.matchAll(
    /^crossdock_deliveries_total\{[^}]*outcome="delivered"[^}]*\} (\d+)/gm,
  );
  return [...counts].reduce((sum, match) => sum + Number(match[1]), 0);
}

/** Resident megabytes of the largest among a process and its direct children that are ours. */
async function largestOf(pid: number): Promise<number> {
  const pids = [pid, ...(await childrenOf(pid))];
  const sizes = await Promise.all(pids.map(residentMb));
  return Math.max(...sizes);
}

async function childrenOf(pid: number): Promise<readonly number[]> {
  const tasks = await readdir(`/proc/${pid}/task`).catch(() => []);
  const texts = await Promise.all(
    tasks.map((task) => readFile(`/proc/${pid}/task/${task}/children`, 'utf8').catch(() => '')),
  );
  return texts.join(' ').split(/\s+/).filter(Boolean).map(Number);
}

async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1_024;
}
