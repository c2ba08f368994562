// How far a poller has come: the largest value of one field, and where the next turn begins.

import Big from 'big.js';
import type { EventValue } from '../definitions/event-path.ts';
import { versionText } from '../definitions/event-version.ts';
import type { PollDefinition } from '../definitions/receive.ts';

/** The later of two cursors; what cannot be compared as a number or a time is compared as text. */
export function laterCursor(
  unit: NonNullable<PollDefinition['cursor']>['unit'],
  one: string | undefined,
  other: EventValue | undefined,
): string | undefined {
  if (other === undefined) return one;
  if (one === undefined) return other.text;
  return isLater(unit, other.text, one) ? other.text : one;
}

function isLater(
  unit: NonNullable<PollDefinition['cursor']>['unit'],
  one: string,
  than: string,
): boolean {
  const [left, right] = [one, than].map((text) => versionText({ kind: 'text', text }));
  if (unit === 'text' || left === undefined || right === undefined) return one > than;
  return new Big(left).gt(right);
}

/** What the operation gets as `since`: the cursor less the overlap, or where the first turn begins. */
export function sinceOf(
  { cursor, from, overlapMs }: PollDefinition,
  reached: string | undefined,
  now: Date,
): string {
  if (cursor === undefined) return '';
  if (reached === undefined) return firstSince(cursor.unit, from, now);
  const atMs = timeOf(cursor.unit, reached);
  return atMs === undefined ? reached : writeTime(cursor.unit, atMs - overlapMs);
}

function firstSince(
  unit: NonNullable<PollDefinition['cursor']>['unit'],
  from: string,
  now: Date,
): string {
  if (from !== 'now' && from !== 'start') return from;
  const atMs = from === 'now' ? now.getTime() : 0;
  switch (unit) {
    case 'iso':
    case 's':
    case 'ms':
      return writeTime(unit, atMs);
    case 'number':
      return '0';
    case 'text':
      return '';
  }
}

function timeOf(unit: string, text: string): number | undefined {
  const ms = unit === 'iso' ? Date.parse(text) : unit === 's' ? Number(text) * 1_000 : Number(text);
  return unit === 'number' || unit === 'text' || Number.isNaN(ms) ? undefined : ms;
}

function writeTime(unit: string, atMs: number): string {
  if (unit === 'iso') return new Date(atMs).toISOString();
  return String(unit === 's' ? Math.floor(atMs / 1_000) : atMs);
}
