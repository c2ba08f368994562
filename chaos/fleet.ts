// The hub's processes, under a supervisor as production has one: what ends is started again.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { adminToken } from '../test/support/hub-process.ts';
import { shopSecret } from '../test/support/test-project.ts';
import { waitUntil } from '../test/support/wait-until.ts';
import { erpToken } from './canaries.ts';
import { quietPort } from './quiet-port.ts';

export type HubRole = 'intake' | 'delivery' | 'all';

/** What a process is started with; a restart may change it. */
export interface HubStart {
  /** The project's folder. */
  readonly folder: string;
  /** The program to run. */
  readonly program: string;
  readonly variables: Readonly<Record<string, string>>;
}

export interface HubExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Since the signal that we sent it, where we did. */
  readonly tookMs?: number;
}

export interface Hub {
  readonly name: string;
  readonly role: HubRole;
  readonly url: string;
  readonly pid: number;
  readonly outputFile: string;
  /** How it ended, each time. */
  readonly exits: readonly HubExit[];
  /** Sends a signal that ends it, and resolves when it has ended; the supervisor starts it again. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** Holds or lets go of the whole process, children excepted. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** Changes what the next starts are made with; variables are added to those it has. */
  change(change: Partial<HubStart>): void;
  /** The next starts are made as the first one was. */
  changeBack(): void;
  /** Ends it for good, without the supervisor. */
  stop(): Promise<void>;
  /** Starts it again after `stop`. */
  start(): void;
  /** Resolves when `/readyz` answers 200. */
  ready(deadlineMs?: number): Promise<void>;
}

/** The program of this build. */
export const hubProgram = fileURLToPath(new URL('../src/cli/crossdock.js', import.meta.url));

/** A supervisor's pause between an end and the next start. */
const RESTART_MS = 300;
/** The hub promises to leave within 10 s. */
const STOP_DEADLINE_MS = 12_000;
/** Asking costs the machine that starts it. */
const READY_POLL_MS = 250;
/** Long enough for a machine that is busy with other things. */
const READY_DEADLINE_MS = 180_000;

export async function createHub(options: {
  readonly name: string;
  readonly role: HubRole;
  readonly logFolder: string;
  readonly start: HubStart;
}): Promise<Hub> {
  const { name, role, logFolder } = options;
  const port = await quietPort();
  const url = `http://127.0.0.1:${port}`;
  const outputFile = join(logFolder, `${name}.log`);
  const exits: HubExit[] = [];
  let next = options.start;
  let child: ChildProcess | undefined;
  let supervised = false;
  let endingSinceMs: number | undefined;

  const launch = (): void => {
    if (!supervised) return;
    endingSinceMs = undefined;
    const started = spawnHub({ start: next, role, port, outputFile });
    child = started;
    started.once('exit', (code, signal) => {
      const tookMs = endingSinceMs === undefined ? undefined : Date.now() - endingSinceMs;
      exits.push({ code, signal, ...(tookMs === undefined ? {} : { tookMs }) });
      setTimeout(launch, RESTART_MS);
    });
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child === undefined || !isRunning(child)) return;
    const exited = once(child, 'exit');
    endingSinceMs = Date.now();
    child.kill(signal);
    await exited;
  };

  return {
    name,
    role,
    url,
    outputFile,
    exits,
    get pid() {
      return child?.pid ?? 0;
    },
    end,
    signal(signal) {
      child?.kill(signal);
    },
    change(change) {
      next = { ...next, ...change, variables: { ...next.variables, ...change.variables } };
    },
    changeBack() {
      next = options.start;
    },
    async stop() {
      supervised = false;
      child?.kill('SIGCONT');
      const killer = setTimeout(() => child?.kill('SIGKILL'), STOP_DEADLINE_MS);
      await end('SIGTERM');
      clearTimeout(killer);
    },
    start() {
      if (supervised) return;
      supervised = true;
      launch();
    },
    async ready(deadlineMs = READY_DEADLINE_MS) {
      await waitUntil(`${name} is ready`, () => isReady(url), deadlineMs).catch(async (error) => {
        throw new Error(`${name} is not ready:\n${await lastLines(outputFile)}`, { cause: error });
      });
    },
  };
}

function spawnHub(parts: {
  readonly start: HubStart;
  readonly role: HubRole;
  readonly port: number;
  readonly outputFile: string;
}): ChildProcess {
  const { start, role, port, outputFile } = parts;
  const output = openSync(outputFile, 'a');
  try {
    const child = spawn(process.execPath, [start.program, 'start', '--role', role], {
      env: {
        PATH: process.env['PATH'],
        NODE_ENV: 'production',
        LOG_LEVEL: 'info',
        CROSSDOCK_DIR: start.folder,
        CROSSDOCK_ADMIN_TOKEN: adminToken,
        SHOP_SECRET: shopSecret,
        ERP_TOKEN: erpToken,
        PORT: String(port),
        ...start.variables,
      },
      stdio: ['ignore', output, output],
    });
    // A run that dies must not leave hubs behind.
    const killWithUs = (): void => {
      child.kill('SIGKILL');
    };
    process.once('exit', killWithUs);
    child.once('exit', () => process.off('exit', killWithUs));
    return child;
  } finally {
    closeSync(output);
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

async function isReady(url: string): Promise<true | undefined> {
  const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) }).catch(
    () => undefined,
  );
  await response?.arrayBuffer().catch(() => undefined);
  if (response?.ok === true) return true;
  await sleep(READY_POLL_MS);
  return undefined;
}

async function lastLines(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').slice(-12).join('\n');
}
