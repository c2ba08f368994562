import { v7 } from 'uuid';

/** A UUID version 7: ordered by time, so that new rows land side by side in an index. */
export function newId(): string {
  return v7();
}

/** The smallest version 7 id of a moment, in milliseconds since the epoch. */
export function firstIdOf(ms: number): string {
  const hex = Math.max(0, Math.floor(ms)).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

export function isId(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(text);
}
