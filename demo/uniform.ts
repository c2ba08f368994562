import { createHash } from 'node:crypto';

/** A number in [0, 1) that depends on nothing but `parts`: chance that repeats itself. */
export function uniform(...parts: readonly (string | number)[]): number {
  return createHash('sha256').update(parts.join('\n')).digest().readUInt32BE(0) / 2 ** 32;
}
