import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { CrossdockError } from '../model/errors.ts';
import type { Environment } from './environment.ts';
import { readOrMake } from './kept-text.ts';

/** The admin token: from the environment, or one that is made at the first start and kept. */
export async function readAdminToken(
  environment: Pick<Environment, 'adminToken' | 'dataFolder'>,
): Promise<{ readonly token: string; readonly isNew: boolean }> {
  const { adminToken, dataFolder } = environment;
  if (adminToken !== undefined) return { token: adminToken, isNew: false };
  const file = join(dataFolder, 'admin-token');
  const make = () => randomBytes(24).toString('base64url');
  const { text: token, isNew } = await readOrMake(file, make, (what, cause) =>
    unusable(what === 'read' ? `read from ${file}` : `kept in ${dataFolder}`, cause),
  );
  return { token, isNew };
}

function unusable(what: string, cause: unknown): CrossdockError {
  const reason = cause instanceof Error && 'code' in cause ? cause.code : String(cause);
  const todo = 'Name a folder that the hub may write with CROSSDOCK_DATA_DIR, or set the token.';
  const message = `CROSSDOCK_ADMIN_TOKEN is not set, and a token cannot be ${what}: ${reason}`;
  return new CrossdockError('configuration-invalid', message, { cause, todo });
}
