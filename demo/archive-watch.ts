// Follows the files of the archive connector as they grow.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const LOOK_EVERY_MS = 200;

/** Calls `onOrder` with the id of each order that gets a line; looks again on `look()`. */
export function watchArchive(directory: string, onOrder: (orderId: string) => void) {
  const seen = new Map<string, number>();
  const look = (): void => {
    for (const name of listFiles(directory)) {
      const complete = readFileSync(join(directory, name), 'utf8').split('\n').slice(0, -1);
      for (const line of complete.slice(seen.get(name) ?? 0)) {
        const orderId = /"body":\{"id":(\d+)/.exec(line)?.[1];
        if (orderId !== undefined) onOrder(orderId);
      }
      seen.set(name, complete.length);
    }
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  return { look, close: () => clearInterval(timer) };
}

/** The folder is made by the first line. */
function listFiles(directory: string): readonly string[] {
  try {
    return readdirSync(directory).filter((name) => name.endsWith('.ndjson'));
  } catch {
    return [];
  }
}
