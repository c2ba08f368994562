// The server's main process: finding the one that serves a cluster, starting one, stopping it.
// PostgreSQL's own postmaster.pid is the only lock: of two hubs that start at once, PostgreSQL
// lets one server live, and the other hub finds it there.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isAlive, isErrno, readIfPresent } from './embedded-files.ts';
import type { Place } from './embedded-place.ts';
import { asUser, programEnv, runProgram } from './embedded-program.ts';

export interface Postmaster {
  readonly pid: number;
  /** Absent in the first moments of a start. */
  readonly port: number | undefined;
  readonly ready: boolean;
}

/** What postmaster.pid says and whether it is true. */
export type PostmasterFile =
  | { readonly kind: 'serving'; readonly postmaster: Postmaster }
  /** Left by a server that is no more; some other program may have its process id now. */
  | { readonly kind: 'stale'; readonly pid: number }
  | { readonly kind: 'absent' };

export interface ServerProcess {
  readonly pid: number | undefined;
  /** Why it is no more; `undefined` while it runs. */
  readonly ended: () => string | undefined;
}

const PG_CTL_DEADLINE_MS = 10_000;
const POLL_INTERVAL_MS = 20;
/** Another hub that looks for a port holds it for a moment. */
const PORT_TRIES = 5;
const PS_DEADLINE_MS = 5_000;

/**
 * For a shop on one small machine: little memory, no processes that it does not need, and dead
 * rows of queue-like tables removed early. Statements and details of errors would carry bodies
 * into the log, so they stay out.
 */
const defaultSettings: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'on',
  synchronous_commit: 'on',
  shared_buffers: '128MB',
  max_connections: '100',
  superuser_reserved_connections: '0',
  io_method: 'sync',
  max_parallel_workers_per_gather: '0',
  max_logical_replication_workers: '0',
  max_wal_size: '1GB',
  checkpoint_timeout: '15min',
  autovacuum_naptime: '15s',
  autovacuum_vacuum_threshold: '500',
  autovacuum_vacuum_scale_factor: '0.02',
  autovacuum_analyze_scale_factor: '0.05',
  log_checkpoints: 'off',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
};

export async function readPostmasterFile(cluster: string): Promise<PostmasterFile> {
  const text = await readIfPresent(join(cluster, 'postmaster.pid'));
  const lines = (text ?? '').split('\n').map((line) => line.trim());
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 1) return { kind: 'absent' };
  if (!(await isServer(pid, cluster))) return { kind: 'stale', pid };
  const port = Number(lines[3]) || undefined;
  return { kind: 'serving', postmaster: { pid, port, ready: lines[7] === 'ready' } };
}

/** Starts a server that outlives the hub: a process group of its own, its output in the log. */
export function spawnPostmaster(
  place: Place,
  options: {
    port: number;
    settings: Record<string, string>;
    logFd: number;
    stalePid?: number | undefined;
  },
): ServerProcess {
  const settings = Object.entries({ ...defaultSettings, ...options.settings });
  const args = ['-D', place.cluster, '-p', String(options.port)];
  for (const [name, value] of settings) args.push('-c', `${name}=${value}`);
  // PostgreSQL believes that a process of this id is no server, as it does when pg_ctl names its
  // caller; by itself it would respect even one that has ended and was not yet collected.
  const stale =
    options.stalePid === undefined ? {} : { PG_GRANDPARENT_PID: String(options.stalePid) };
  const child: ChildProcess = spawn(place.binaries.postgres, args, {
    ...asUser(place.user),
    cwd: '/',
    env: { ...programEnv, ...stale },
    detached: true,
    stdio: ['ignore', options.logFd, options.logFd],
    windowsHide: true,
  });
  let ended: string | undefined;
  child.once('error', (error) => {
    ended = `${place.binaries.postgres} does not run here (${error.message})`;
  });
  child.once('exit', (code, signal) => {
    ended ??= `the server ended with ${signal ?? `code ${code}`}`;
  });
  child.unref();
  return { pid: child.pid, ended: () => ended };
}

/** Asks a server to end, closing its sessions. */
export async function signalStop(place: Place, pid: number): Promise<void> {
  if (process.platform === 'win32') {
    const args = ['kill', 'INT', String(pid)];
    const timeoutMs = PG_CTL_DEADLINE_MS;
    return runProgram(place.binaries.pgCtl, args, { user: undefined, timeoutMs });
  }
  try {
    process.kill(pid, 'SIGINT');
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error;
  }
}

/** Whether the server was gone within the deadline. */
export async function waitForStop(pid: number, deadlineMs: number): Promise<boolean> {
  const deadline = Date.now() + deadlineMs;
  while (isAlive(pid)) {
    if (Date.now() > deadline) return false;
    await sleep(POLL_INTERVAL_MS);
  }
  return true;
}

/** The port that the cluster's last server had, so that pools of other processes find it again. */
export async function lastPort(cluster: string): Promise<number | undefined> {
  const options = await readIfPresent(join(cluster, 'postmaster.opts'));
  return Number(/"-p" "(\d+)"/.exec(options ?? '')?.[1]) || undefined;
}

/** A free port of this machine; `preferred` when it is free. */
export async function freePort(preferred = 0, tries = PORT_TRIES): Promise<number> {
  const server = createServer();
  try {
    return await new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(preferred, '127.0.0.1', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  } catch (error) {
    if (preferred === 0 || !isErrno(error, 'EADDRINUSE', 'EACCES')) throw error;
    if (tries <= 1) return freePort();
    await sleep(POLL_INTERVAL_MS);
    return freePort(preferred, tries - 1);
  } finally {
    server.close();
  }
}

/** A process id alone says nothing: after a crash or in a new container it is soon reused. */
async function isServer(pid: number, cluster: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  if (process.platform === 'win32') return true;
  const command = await commandLine(pid);
  return command.includes('postgres') && command.includes(cluster);
}

async function commandLine(pid: number): Promise<string> {
  try {
    if (process.platform === 'linux') return await readFile(`/proc/${pid}/cmdline`, 'utf8');
    const args = ['-ww', '-p', String(pid), '-o', 'command='];
    const { stdout } = await promisify(execFile)('ps', args, { timeout: PS_DEADLINE_MS });
    return stdout.trim();
  } catch {
    return '';
  }
}
