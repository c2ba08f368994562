import { readFile } from 'node:fs/promises';
import { CrossdockError } from '../model/errors.ts';

/** A file that the command line names. Rejects `usage` where it cannot be read. */
export async function readGiven(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, cause: unknown): CrossdockError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : 'unknown';
  return new CrossdockError('usage', `cannot read ${path}: ${code}`, { cause });
}
