import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * The text of a file that only its owner may read: one that is there, or what `make` makes at the
 * first time. `failed` says what to throw where the file can be neither read nor written.
 */
export async function readOrMake(
  file: string,
  make: () => string,
  failed: (what: 'read' | 'kept', cause: unknown) => Error,
): Promise<{ readonly text: string; readonly isNew: boolean }> {
  const kept = await readKept(file, failed);
  if (kept !== undefined) return { text: kept, isNew: false };
  const text = make().trim();
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, `${text}\n`, { mode: 0o600, flag: 'wx' });
    return { text, isNew: true };
  } catch (error) {
    // Another process of the same project was first.
    const theirs = await readKept(file, failed).catch(() => undefined);
    if (theirs === undefined) throw failed('kept', error);
    return { text: theirs, isNew: false };
  }
}

async function readKept(
  file: string,
  failed: (what: 'read', cause: unknown) => Error,
): Promise<string | undefined> {
  try {
    const text = (await readFile(file, 'utf8')).trim();
    return text === '' ? undefined : text;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw failed('read', error);
  }
}
