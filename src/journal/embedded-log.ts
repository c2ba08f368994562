// The server's log: a file in the data folder that the server writes by itself, also while no hub
// runs, and that hubs keep short.
import { copyFile, type FileHandle, open, stat, truncate } from 'node:fs/promises';
import { lastLines, type ServerUser, serverFailed } from './embedded-program.ts';

/** Beyond this the log moves to `<name>.1`, replacing the one before. */
const LOG_BYTES_MAX = 4_194_304;
const LOG_CHECK_INTERVAL_MS = 60_000;
const TAIL_BYTES = 8_192;

export interface ServerLog {
  readonly handle: FileHandle;
  /** What the server wrote since the log was opened, its last lines. */
  tail(): Promise<string>;
}

export async function openServerLog(
  file: string,
  user: ServerUser | undefined,
): Promise<ServerLog> {
  await shorten(file);
  const handle = await open(file, 'a+', 0o600).catch((error) => {
    throw serverFailed(`its log ${file} cannot be opened`, error);
  });
  if (user !== undefined) await handle.chown(user.uid, user.gid);
  const { size: offset } = await handle.stat();
  return {
    handle,
    async tail() {
      const { size } = await handle.stat();
      const start = Math.max(offset, size - TAIL_BYTES);
      const buffer = Buffer.alloc(Math.max(0, size - start));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
      return lastLines(buffer.toString('utf8', 0, bytesRead));
    },
  };
}

/** Keeps the log short while this process lives; does not keep the process alive. */
export function watchServerLog(file: string): NodeJS.Timeout {
  const check = (): void => void shorten(file).catch(() => undefined);
  return setInterval(check, LOG_CHECK_INTERVAL_MS).unref();
}

/** The server appends, so cutting the file to nothing under it is safe. */
async function shorten(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined || found.size <= LOG_BYTES_MAX) return;
  await copyFile(file, `${file}.1`);
  await truncate(file);
}
