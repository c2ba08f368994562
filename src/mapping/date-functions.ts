// `$date.…`: points in time as ISO 8601 in UTC.

import { parseDurationMs } from '../model/units.ts';
import { FunctionError } from './evaluation.ts';

/** Zones whose formatter is kept: making one costs about 50 µs. */
const ZONES_MAX = 50;

const ISO_DATE =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2})(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/;

export const dateFunctions = {
  iso: (value: unknown) => format(toMs(value)),
  add: (date: unknown, duration: unknown) => format(toMs(date) + toDurationMs(duration)),
  day: (date: unknown, zone: unknown) => {
    const ms = toMs(date);
    return zone === undefined ? format(ms).slice(0, 10) : formatterOf(zone).format(ms);
  },
  unix: (date: unknown) => Math.floor(toMs(date) / 1_000),
  fromUnix: (seconds: unknown) => {
    if (typeof seconds !== 'number') throw new FunctionError('argument 1 must be a number');
    return format(seconds * 1_000);
  },
};

function format(ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) throw new FunctionError('the date is out of range');
  return date.toISOString();
}

/** A date without a zone is taken as UTC. */
function toMs(value: unknown): number {
  if (typeof value === 'number') return value;
  const match = typeof value === 'string' ? ISO_DATE.exec(value) : null;
  if (match === null) throw new FunctionError('argument 1 is no ISO 8601 date');
  const [, year = '', month = '', day = '', time = '00:00', seconds = '00'] = match;
  const zone = (match[7] ?? 'Z').replace(/^([+-]\d{2})(\d{2})$/, '$1:$2');
  const fraction = (match[6] ?? '').slice(0, 4);
  const ms = Date.parse(`${year}-${month}-${day}T${time}:${seconds}${fraction}${zone}`);
  const isRealDay = new Date(Date.UTC(+year, +month - 1, +day)).getUTCDate() === +day;
  if (Number.isNaN(ms) || !isRealDay) throw new FunctionError('argument 1 is no date that exists');
  return ms;
}

function toDurationMs(value: unknown): number {
  const text = typeof value === 'string' ? value : '';
  const ms = parseDurationMs(text.replace(/^[+-]/, ''));
  if (ms === undefined) {
    throw new FunctionError('argument 2 must be a duration such as "30d", "-2h" or "15m"');
  }
  return text.startsWith('-') ? -ms : ms;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(zone: unknown): Intl.DateTimeFormat {
  if (typeof zone !== 'string') throw new FunctionError('argument 2 must be a time zone');
  const known = formatters.get(zone);
  if (known !== undefined) return known;
  const formatter = makeFormatter(zone);
  if (formatter === undefined) {
    throw new FunctionError('argument 2 is no IANA time zone such as "Europe/Berlin"');
  }
  if (formatters.size >= ZONES_MAX) formatters.clear();
  formatters.set(zone, formatter);
  return formatter;
}

function makeFormatter(zone: string): Intl.DateTimeFormat | undefined {
  try {
    // Canadian English writes a day as YYYY-MM-DD.
    return new Intl.DateTimeFormat('en-CA', {
      timeZone: zone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
    });
  } catch {
    return undefined;
  }
}
