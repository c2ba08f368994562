// Appends lines to files so that they are on the disk when the promise resolves. Lines that wait
// for the same file go out together: one write, one fdatasync. A file has one writer within a
// process; other processes may append to it too, because a batch is a single O_APPEND write.

import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { CallGuard } from './call-guard.ts';

const BATCH_LINES_MAX = 1_000;
const BATCH_BYTES_MAX = 8 * 1_048_576;

export interface FileAppender {
  /** `line` ends with a newline. Rejects with the error of the file system. */
  append(path: string, line: Buffer, guard: CallGuard): Promise<void>;
  /** Waits until nothing is being written. */
  close(): Promise<void>;
}

interface Waiting {
  readonly line: Buffer;
  readonly guard: CallGuard;
  resolve(): void;
  reject(error: unknown): void;
}

export function createFileAppender(): FileAppender {
  const writers = new Map<string, { readonly waiting: Waiting[]; readonly done: Promise<void> }>();

  async function drain(path: string, waiting: Waiting[]): Promise<void> {
    // Whoever else sends in this turn of the event loop still joins the first batch.
    await new Promise(setImmediate);
    while (waiting.length > 0) await writeNext(path, waiting);
    writers.delete(path);
  }

  return {
    append(path, line, guard) {
      return new Promise((resolve, reject) => {
        const entry = { line, guard, resolve, reject };
        const writer = writers.get(path);
        if (writer !== undefined) {
          writer.waiting.push(entry);
          return;
        }
        const waiting = [entry];
        writers.set(path, { waiting, done: drain(path, waiting) });
      });
    },
    async close() {
      await Promise.all([...writers.values()].map(({ done }) => done));
    },
  };
}

/** The next lines, without those whose call was stopped while they waited. */
function takeBatch(waiting: Waiting[]): Waiting[] {
  const batch: Waiting[] = [];
  let bytes = 0;
  let taken = 0;
  for (const entry of waiting) {
    const full = batch.length === BATCH_LINES_MAX || bytes + entry.line.length > BATCH_BYTES_MAX;
    if (batch.length > 0 && full) break;
    taken += 1;
    if (entry.guard.stop !== undefined) continue;
    entry.guard.markWritten();
    batch.push(entry);
    bytes += entry.line.length;
  }
  waiting.splice(0, taken);
  return batch;
}

async function writeNext(path: string, waiting: Waiting[]): Promise<void> {
  let batch: readonly Waiting[] = waiting;
  try {
    const file = await openForAppend(path);
    try {
      const { size } = await file.stat();
      const healed = size > 0 && (await lastByte(file, size)) !== NEWLINE;
      batch = takeBatch(waiting);
      await writeLines(file, batch, healed);
      if (size === 0) await syncFolder(dirname(path));
    } finally {
      await file.close();
    }
    for (const { resolve } of batch) resolve();
  } catch (error) {
    // Before the batch was taken, the file itself is out of reach, for everybody who waits.
    const failed = batch === waiting ? waiting.splice(0) : batch;
    for (const { reject } of failed) reject(error);
  }
}

async function writeLines(
  file: FileHandle,
  batch: readonly Waiting[],
  healed: boolean,
): Promise<void> {
  if (batch.length === 0) return;
  const lines = batch.map(({ line }) => line);
  const bytes = Buffer.concat(healed ? [Buffer.of(NEWLINE), ...lines] : lines);
  const { bytesWritten } = await file.write(bytes);
  if (bytesWritten < bytes.length) {
    throw Object.assign(new Error('the write was cut short'), { code: 'ENOSPC' });
  }
  await file.datasync();
}

const NEWLINE = 0x0a;

async function openForAppend(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'a+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await mkdir(dirname(path), { recursive: true });
    return open(path, 'a+');
  }
}

/** A crash in mid-write leaves a last line without its newline: the next batch starts on a new one. */
async function lastByte(file: FileHandle, size: number): Promise<number | undefined> {
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0];
}

/** Makes the name of a new file durable. Windows cannot open a folder, and does not need to. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
