import type { Headers } from '../model/event.ts';

/** The value of the first of `names` (lower-case) that is there and not empty. */
export function firstHeader(headers: Headers, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = headers[name];
    if (value !== undefined && value !== '') return value;
  }
  return undefined;
}
