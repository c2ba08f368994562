// Files and folders that must appear whole or not at all: unique names next to the goal, a
// rename at the end, and a broom for what a killed process left behind.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A leftover of a process that seems alive (its id may be reused) goes after this long. */
const LEFTOVER_AGE_MAX_MS = 10 * 60_000;

export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

/** `undefined` when there is no such file. */
export async function readIfPresent(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** A path that only this call uses; `removeLeftovers` knows its form. */
export function temporaryPath(folder: string, prefix: string): string {
  return join(folder, `${prefix}${process.pid}-${randomBytes(6).toString('hex')}`);
}

/** Removes what `temporaryPath` named for processes that are no more. */
export async function removeLeftovers(folder: string, prefix: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const match = name.startsWith(prefix)
      ? /^(\d+)-[0-9a-f]{12}$/.exec(name.slice(prefix.length))
      : null;
    if (match === null) continue;
    const path = join(folder, name);
    if (!isAlive(Number(match[1])) || (await ageMs(path)) > LEFTOVER_AGE_MAX_MS) {
      // Two starting hubs may sweep the same leftover; what one misses the next start removes.
      await rm(path, { recursive: true, force: true }).catch(() => undefined);
    }
  }
}

/** A process that has ended and waits for its parent to notice is not alive. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return isErrno(error, 'EPERM') && !isZombie(pid);
  }
}

/** Makes a rename inside `folder` survive a loss of power. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isZombie(pid: number): boolean {
  if (process.platform !== 'linux') return false;
  try {
    // The state follows the name, which stands in parentheses and may contain anything.
    return /\) [ZX] [^)]*$/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function ageMs(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found === undefined ? 0 : Date.now() - found.mtimeMs;
}
