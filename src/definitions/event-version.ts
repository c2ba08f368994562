// Which of two events of one key is the newer: a number or a time, as one decimal number.

import { decimalText, isPlainDecimal } from '../model/decimal-text.ts';
import type { EventValue } from './event-path.ts';

/** Digits of a second's fraction that are kept. */
const FRACTION_DIGITS_MAX = 18;

/**
 * The version as plain decimal text: a number, or text that is one, digit by digit; an ISO 8601
 * time as milliseconds since the epoch, its fraction kept. A time without an offset is UTC, a date
 * without a time its midnight. `undefined` for anything else, and beyond 100 digits.
 */
export function versionText(value: EventValue | undefined): string | undefined {
  if (value === undefined || value.kind === 'boolean') return undefined;
  const number = decimalText(value.text);
  if (number !== undefined) return isPlainDecimal(number) ? number : undefined;
  return value.kind === 'text' ? timeText(value.text) : undefined;
}

const isoTime =
  /^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?(Z|z|[+-]\d{2}(?::?\d{2})?)?)?$/;

function timeText(text: string): string | undefined {
  const match = isoTime.exec(text);
  if (match === null) return undefined;
  const [, date = '', hour = '0', minute = '0', second = '0', fraction = '', offset = 'Z'] = match;
  const midnightMs = Date.parse(`${date}T00:00:00Z`);
  const offsetMs = offsetOf(offset);
  if (Number.isNaN(midnightMs) || !isSameDate(midnightMs, date) || offsetMs === undefined) {
    return undefined;
  }
  // 24:00 is a day's end and :60 a leap second.
  if (Number(hour) > 24 || Number(minute) > 59 || Number(second) > 60) return undefined;
  const clockMs = ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1_000;
  return withFraction(midnightMs + clockMs - offsetMs, fraction.slice(0, FRACTION_DIGITS_MAX));
}

/** The 30th of February would be a day of March. */
function isSameDate(ms: number, date: string): boolean {
  return new Date(ms).toISOString().startsWith(date);
}

function offsetOf(offset: string): number | undefined {
  if (offset === 'Z' || offset === 'z') return 0;
  const digits = offset.slice(1).replace(':', '').padEnd(4, '0');
  const hours = Number(digits.slice(0, 2));
  const minutes = Number(digits.slice(2));
  if (hours > 23 || minutes > 59) return undefined;
  return (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

/** Whole milliseconds and a second's fraction, which may be finer. */
function withFraction(ms: number, fraction: string): string | undefined {
  if (fraction === '') return String(ms);
  const scale = Math.max(0, fraction.length - 3);
  const digits = BigInt(ms) * 10n ** BigInt(scale) + BigInt(fraction.padEnd(3, '0'));
  return decimalText(`${digits}e-${scale}`);
}
