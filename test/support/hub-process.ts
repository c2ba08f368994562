import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { shopSecret } from './test-project.ts';
import { waitUntil } from './wait-until.ts';

export const adminToken = 'admin-token-of-the-tests';

/** The real program in a process of its own. */
export interface HubProcess {
  readonly url: string;
  readonly pid: number;
  /** Everything it printed so far. */
  output(): string;
  /** Resolves with the exit code, or the signal that ended it. */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals>;
}

export interface HubProcessOptions {
  readonly folder: string;
  readonly variables?: Readonly<Record<string, string>>;
  readonly role?: string;
  /** @default until `/readyz` says 200 */
  readonly until?: 'ready' | 'listening';
}

const program = fileURLToPath(new URL('../../src/cli/crossdock.js', import.meta.url));

export async function startHubProcess(options: HubProcessOptions): Promise<HubProcess> {
  const port = await freePort();
  const child = spawn(process.execPath, [program, 'start', '--role', options.role ?? 'all'], {
    env: {
      PATH: process.env['PATH'],
      CROSSDOCK_DIR: options.folder,
      CROSSDOCK_ADMIN_TOKEN: adminToken,
      SHOP_SECRET: shopSecret,
      ERP_TOKEN: 'token-of-the-erp',
      PORT: String(port),
      ...options.variables,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const url = `http://127.0.0.1:${port}`;
  const path = options.until === 'listening' ? '/healthz' : '/readyz';
  await waitUntil('the hub is ready', () => answers(child, `${url}${path}`, () => output), 40_000);
  return {
    url,
    pid: child.pid ?? 0,
    output: () => output,
    end: (signal) => end(child, signal),
  };
}

async function answers(
  child: ChildProcess,
  url: string,
  output: () => string,
): Promise<true | undefined> {
  if (child.exitCode !== null) throw new Error(`the hub ended (${child.exitCode}):\n${output()}`);
  const response = await fetch(url).catch(() => undefined);
  return response?.ok === true ? true : undefined;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
  return child.signalCode ?? child.exitCode ?? 0;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}
