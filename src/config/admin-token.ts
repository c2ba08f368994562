import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CrossdockError } from '../model/errors.ts';
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
  try {
    await mkdir(environment.dataFolder, { recursive: true });
    await writeFile(file, `${token}\n`, { mode: 0o600, flag: 'wx' });
    return { token, isNew: true };
  } catch (error) {
    // Another process of the same project was first.
    const theirs = await readToken(file).catch(() => undefined);
    if (theirs === undefined) throw unusable(`cannot be kept in ${environment.dataFolder}`, error);
    return { token: theirs, isNew: false };
  }
}

async function readToken(file: string): Promise<string | undefined> {
  try {
    const token = (await readFile(file, 'utf8')).trim();
    return token === '' ? undefined : token;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw unusable(`cannot be read from ${file}`, error);
  }
}

function unusable(what: string, cause: unknown): CrossdockError {
  const reason = cause instanceof Error && 'code' in cause ? cause.code : String(cause);
  const todo = 'Name a folder that the hub may write with CROSSDOCK_DATA_DIR, or set the token.';
  const message = `CROSSDOCK_ADMIN_TOKEN is not set, and a token ${what}: ${reason}`;
  return new CrossdockError('configuration-invalid', message, { cause, todo });
}
