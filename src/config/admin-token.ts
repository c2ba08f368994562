import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from './environment.ts';

/** The admin token: from the environment, or one that is made at the first start and kept. */
export async function readAdminToken(
  environment: Pick<Environment, 'adminToken' | 'dataFolder'>,
): Promise<{ readonly token: string; readonly isNew: boolean }> {
  if (environment.adminToken !== undefined) return { token: environment.adminToken, isNew: false };
  const file = join(environment.dataFolder, 'admin-token');
  const kept = await readToken(file);
  if (kept !== undefined) return { token: kept, isNew: false };
  const token = randomBytes(24).toString('base64url');
  await mkdir(environment.dataFolder, { recursive: true });
  try {
    await writeFile(file, `${token}\n`, { mode: 0o600, flag: 'wx' });
    return { token, isNew: true };
  } catch (error) {
    // Another process of the same project was first.
    const theirs = await readToken(file);
    if (theirs === undefined) throw error;
    return { token: theirs, isNew: false };
  }
}

async function readToken(file: string): Promise<string | undefined> {
  try {
    const token = (await readFile(file, 'utf8')).trim();
    return token === '' ? undefined : token;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
