// The hub as a process of its own, as anybody would run it: started, waited for, stopped. Owns its
// last log lines, which are shown when something goes wrong.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { withProgress } from '../src/cli/terminal.ts';
import { packageRoot } from '../src/config/package-root.ts';

export interface HubProcess {
  readonly url: string;
  /** How it ended; `undefined` while it runs. */
  howItEnded(): string | undefined;
  /** The last lines that it wrote. */
  lastLines(): readonly string[];
  /** SIGTERM, and SIGKILL where that is not enough. */
  stop(): Promise<void>;
  /** SIGKILL, now. */
  kill(): void;
}

/** Beside this program, wherever it was compiled to. */
const program = fileURLToPath(new URL('../src/cli/crossdock.js', import.meta.url));
const LINES_KEPT = 40;
const READY_POLL_MS = 100;
/** The first start unpacks and initialises a database. */
const READY_DEADLINE_MS = 60_000;
/** The hub promises to be gone within 10 s of a SIGTERM. */
const STOP_DEADLINE_MS = 12_000;

/** Resolves when the hub says that it is ready. Rejects when it ends before, or never is. */
export async function startHubProcess(options: {
  readonly host: string;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** The hub can be stopped from now on. */
  onSpawn(hub: HubProcess): void;
}): Promise<HubProcess> {
  const child = spawn(process.execPath, [program, 'start'], {
    cwd: packageRoot,
    env: { ...options.env, HOST: options.host, PORT: String(options.port) },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own: a Ctrl-C is ours to pass on, once.
    detached: true,
  });
  const hub = createHubProcess(child, `http://${options.host}:${options.port}`);
  options.onSpawn(hub);
  await withProgress('starting the hub', waitUntilReady(hub, options.signal));
  return hub;
}

function createHubProcess(child: ChildProcess, url: string): HubProcess {
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (lines.length > LINES_KEPT) lines.shift();
    });
  }
  let end: string | undefined;
  const ended = new Promise<void>((resolve) => {
    const endWith = (how: string) => {
      end ??= how;
      resolve();
    };
    child.once('error', (error) => endWith(`could not be started: ${error.message}`));
    child.once('close', (code, signal) => endWith(`ended with ${signal ?? `status ${code}`}`));
  });
  return {
    url,
    howItEnded: () => end,
    lastLines: () => lines,
    async stop() {
      if (end !== undefined) return;
      child.kill('SIGTERM');
      const killer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
      await ended;
      clearTimeout(killer);
    },
    kill() {
      if (end === undefined) child.kill('SIGKILL');
    },
  };
}

async function waitUntilReady(hub: HubProcess, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + READY_DEADLINE_MS;
  while (Date.now() < deadline) {
    signal.throwIfAborted();
    const end = hub.howItEnded();
    if (end !== undefined) throw new Error(`the hub ${end}`);
    if (await isReady(hub.url)) return;
    await sleep(READY_POLL_MS);
  }
  throw new Error(`the hub was not ready within ${READY_DEADLINE_MS / 1000} s`);
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
