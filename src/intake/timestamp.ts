import type { Source, TimestampDefinition } from '../definitions/receive.ts';
import { refused, type Verdict } from './verdict.ts';

/** The time of a signature as it was sent, and the values of the signature header's own list. */
export interface Time {
  readonly text?: string;
  pair(source: Source): string | undefined;
}

/** Refuses what is too far from now, and what is no time although a tolerance is asked for. */
export function checkTimestamp(
  definition: TimestampDefinition | undefined,
  { text }: { readonly text?: string },
  nowMs: number,
): Verdict | undefined {
  if (definition?.toleranceMs === undefined || text === undefined) return undefined;
  const atMs = parseUnitMs(text, definition.unit);
  if (atMs === undefined) {
    return refused('timestamp-unreadable', `the timestamp is not written as ${definition.unit}`);
  }
  const ageMs = nowMs - atMs;
  if (Math.abs(ageMs) <= definition.toleranceMs) return undefined;
  const tolerance = `tolerance ${seconds(definition.toleranceMs)}`;
  return ageMs > 0
    ? refused('too-old', `timestamp ${seconds(ageMs)} old, ${tolerance}`)
    : refused('too-early', `timestamp ${seconds(-ageMs)} in the future, ${tolerance}`);
}

function parseUnitMs(text: string, unit: TimestampDefinition['unit']): number | undefined {
  switch (unit) {
    case 's':
      return /^\d{1,11}$/.test(text) ? Number(text) * 1_000 : undefined;
    case 'ms':
      return /^\d{1,14}$/.test(text) ? Number(text) : undefined;
    case 'iso':
      return parseIsoMs(text);
    case 'http':
      return parseHttpMs(text);
  }
}

/** `atMs` as a sender writes it. */
export function writeTime(atMs: number, unit: TimestampDefinition['unit']): string {
  switch (unit) {
    case 's':
      return String(Math.floor(atMs / 1_000));
    case 'ms':
      return String(atMs);
    case 'iso':
      return new Date(atMs).toISOString();
    case 'http':
      return new Date(atMs).toUTCString();
  }
}

/** Milliseconds since the epoch of seconds, milliseconds, ISO 8601 or an HTTP date. */
export function parseTimeMs(text: string): number | undefined {
  if (/^\d{1,11}(\.\d{1,9})?$/.test(text)) return Number(text) * 1_000;
  if (/^\d{12,14}$/.test(text)) return Number(text);
  return parseIsoMs(text) ?? parseHttpMs(text);
}

const iso =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?) ?(Z|UTC|GMT|[+-]\d{2}:?\d{2})?)?$/;

/** A time without a zone is in UTC: what it means must not depend on where the hub runs. */
function parseIsoMs(text: string): number | undefined {
  const [, day, time = '00:00', zone = 'Z'] = iso.exec(text) ?? [];
  if (day === undefined) return undefined;
  const offset = zone.replace(/^(?:UTC|GMT)$/, 'Z').replace(/^(...)(\d\d)$/, '$1:$2');
  return timeOf(`${day}T${time}${offset}`);
}

const http =
  /^(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} (?:GMT|UTC|[+-]\d{4})$/;

/** As in HTTP (RFC 9110 §5.6.7) and in mail (RFC 5322 §3.3), which have the same order. */
function parseHttpMs(text: string): number | undefined {
  return http.test(text) ? timeOf(text) : undefined;
}

function timeOf(text: string): number | undefined {
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1_000)} s`;
}
