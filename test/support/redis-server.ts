// A real Redis of one's own for a test: on a free port, without a file unless asked for one.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** Of the process that runs now. */
  readonly pid: number;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  /** Ends it and deletes what it wrote. */
  stop(): Promise<void>;
  /** The same port and files again; ends it first where it still runs. */
  restart(): Promise<void>;
}

const START_DEADLINE_MS = 10_000;
const PORT_TRIES_MAX = 5;

/** `undefined` where redis-server is not installed. `args` come after ours and win over them. */
export async function startRedis(args: readonly string[] = []): Promise<RedisServer | undefined> {
  if (!isInstalled()) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'crossdock-redis-'));
  const { port, child } = await startOnFreePort(folder, args);
  let running = child;

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (running.exitCode !== null || running.signalCode !== null) return;
    const exited = once(running, 'exit');
    running.kill(signal);
    await exited;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return running.pid ?? 0;
    },
    kill: () => end('SIGKILL'),
    async stop() {
      await end('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
    async restart() {
      await end('SIGKILL');
      running = await launch({ folder, port, args });
    },
  };
}

/** For the options of a test that needs Redis. With `CI=true` a missing one is a failure. */
export function skipWithoutRedis(): { readonly skip?: string } {
  if (isInstalled()) return {};
  const skip = 'redis-server is not installed: apt-get install -y redis-server';
  if (process.env['CI'] === 'true') throw new Error(skip);
  return { skip };
}

function isInstalled(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0;
}

async function startOnFreePort(
  folder: string,
  args: readonly string[],
): Promise<{ port: number; child: ChildProcess }> {
  for (let tries = 1; ; tries += 1) {
    const port = await freePort();
    try {
      return { port, child: await launch({ folder, port, args }) };
    } catch (error) {
      if (tries === PORT_TRIES_MAX) throw error;
    }
  }
}

async function launch(options: {
  readonly folder: string;
  readonly port: number;
  readonly args: readonly string[];
}): Promise<ChildProcess> {
  const { folder, port, args } = options;
  const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
  const noFiles = ['--save', '', '--appendonly', 'no'];
  const child = spawn('redis-server', [...own, ...noFiles, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // A test run that dies must not leave servers behind.
  const killWithUs = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', killWithUs);
  child.once('exit', () => process.off('exit', killWithUs));
  await ready(child);
  return child;
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = '';
    const fail = (): void => reject(new Error(`redis-server did not start:\n${output}`));
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      fail();
    }, START_DEADLINE_MS);
    child.once('error', fail);
    child.once('exit', () => {
      clearTimeout(timer);
      fail();
    });
    child.stdout?.on('data', (chunk) => {
      output = (output + chunk).slice(-4_096);
      if (!output.includes('Ready to accept connections')) return;
      clearTimeout(timer);
      child.stdout?.removeAllListeners('data').resume();
      resolve();
    });
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
