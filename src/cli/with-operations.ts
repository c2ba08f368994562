import { type Environment, readEnvironment } from '../config/environment.ts';
import { createLog } from '../config/log.ts';
import { type Operations, openOperations } from '../hub.ts';
import { CrossdockError } from '../model/errors.ts';
import { isId } from '../model/ids.ts';
import type { Log } from '../model/log.ts';
import { withProgress } from './terminal.ts';

/** What goes wrong inside, in readable lines on stderr; all of it with `LOG_LEVEL=debug`. */
export function commandLog({ logLevel }: Environment): Log {
  const level = logLevel === 'info' ? 'warn' : logLevel;
  return createLog({ level, pretty: true, to: process.stderr });
}

/** Opens journal and lanes for one command, and closes them whatever happens. */
export async function withOperations<T>(work: (operations: Operations) => Promise<T>): Promise<T> {
  const environment = readEnvironment();
  const log = commandLog(environment);
  const opening = openOperations({ environment, log });
  const operations = await withProgress('opening the journal', opening);
  try {
    return await withProgress('asking the journal', work(operations));
  } finally {
    await operations.close();
  }
}

/** Rejects `usage` for what cannot be the id of anything. */
export function requireId(text: string, what = 'an event or a delivery'): string {
  const id = text.trim().toLowerCase();
  if (isId(id)) return id;
  throw new CrossdockError('usage', `"${text}" is not an id of ${what}`);
}
