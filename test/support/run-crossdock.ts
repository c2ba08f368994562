// The `crossdock` command line as a process of its own, as people and scripts run it.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../src/config/package-root.ts';

export const cliFixtures = join(packageRoot, 'test', 'fixtures', 'cli');

const bin = fileURLToPath(new URL('../../src/cli/crossdock.js', import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** A project of test/fixtures/cli, or an absolute path. */
  readonly project?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

export type RunningCrossdock = ChildProcessByStdio<Writable, Readable, Readable>;

/** Nothing of the tester's own environment reaches the process but PATH. */
export function spawnCrossdock(
  args: readonly string[],
  options: RunOptions = {},
): RunningCrossdock {
  const { project = 'good', env = {} } = options;
  return spawn(process.execPath, [bin, ...args], {
    stdio: 'pipe',
    env: {
      PATH: process.env['PATH'],
      CROSSDOCK_DIR: join(project.startsWith('/') ? '' : cliFixtures, project),
      ...env,
    },
  });
}

/** Runs one command to its end. */
export async function runCrossdock(
  args: readonly string[],
  options: RunOptions = {},
): Promise<Ran> {
  const child = spawnCrossdock(args, options);
  child.stdin.end(options.input ?? '');
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr: stderr.replace(progressLines, '') };
}

/** They come where a machine is slow, and then anywhere. */
const progressLines = /^[a-z ]+ …\n/gm;
