import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves with the first value that is not undefined; rejects, naming `what`, after `deadlineMs`. */
export async function waitUntil<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  deadlineMs = 10_000,
): Promise<T> {
  const endMs = Date.now() + deadlineMs;
  for (;;) {
    const value = await look();
    if (value !== undefined) return value;
    if (Date.now() > endMs) throw new Error(`waited ${deadlineMs} ms in vain: ${what}`);
    await sleep(20);
  }
}
