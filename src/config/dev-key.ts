import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { CrossdockError } from '../model/errors.ts';
import type { Environment } from './environment.ts';
import { readOrMake } from './kept-text.ts';

/**
 * The private RSA key of this project's machine, made when it is first asked for: `crossdock send`
 * signs with it in the place of vendors, and only a hub that `crossdock dev` runs accepts that.
 */
export async function readDevKey({
  dataFolder,
}: Pick<Environment, 'dataFolder'>): Promise<KeyObject> {
  const file = join(dataFolder, 'dev-key.pem');
  const { text } = await readOrMake(file, makeKey, (what, cause) => {
    const reason = cause instanceof Error && 'code' in cause ? cause.code : String(cause);
    return unusable(`${file} cannot be ${what}: ${reason}`, cause);
  });
  try {
    return createPrivateKey(text);
  } catch (error) {
    throw unusable(`${file} is no private key`, error);
  }
}

function makeKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function unusable(message: string, cause: unknown): CrossdockError {
  const todo = 'Delete the file, or name a folder that may be written with CROSSDOCK_DATA_DIR.';
  return new CrossdockError('configuration-invalid', message, { cause, todo });
}
