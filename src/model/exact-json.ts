/**
 * JSON whose numbers survive the way through JavaScript (DESIGN.md, invariant 6).
 *
 * A double holds neither 820982911946154508 nor the zero of 10.10. Two things are done about it:
 * - A literal that a double cannot hold becomes a **marked string** while expressions run: its
 *   text and, at the end, one Unicode noncharacter (U+FDD0…U+FDEF) that occurs in no source. On
 *   the way out a value that is exactly a literal and the mark is the bare literal again; in a key
 *   or inside a longer string only the mark is taken off.
 * - A fraction that JavaScript would print otherwise (10.10, 1.50e-3) stays a number; its text is
 *   remembered under its value and written again on the way out. Whole numbers (10.00, 1e3) are
 *   not: `10.00` as a price would turn an unrelated quantity of 10 into 10.00, which readers of
 *   integers refuse. They go out as 10 and 1000, the same numbers.
 */

import type { Json } from './json.ts';
import { parseJson, scanJson } from './json-text.ts';

/** What one evaluation knows of the literals in its sources. */
export interface Numerals {
  /** The mark, once a source needed one. */
  readonly mark: string | undefined;
  parse(text: string): Json;
  /** As `JSON.stringify`, with the literals as they came in. */
  stringify(value: unknown): string | undefined;
  /** JSON text whose marked strings are bare literals again. */
  unmarkJson(text: string): string;
}

/** @param sources every text that will be parsed: the mark is chosen to occur in none. */
export function createNumerals(sources: readonly string[]): Numerals {
  const texts = new Map<number, string>();
  let mark: string | undefined;
  const needMark = (): string => {
    mark ??= findMark(sources);
    return mark;
  };
  return {
    get mark() {
      return mark;
    },
    parse: (text) => {
      const replaced = replaceLiterals(text, (literal, fate) => {
        const ending = needMark();
        if (fate === 'lost') return `"${literal}${ending}"`;
        if (!texts.has(Number(literal))) texts.set(Number(literal), literal);
        return literal;
      });
      return parseJson(replaced, text) as Json;
    },
    stringify: (value) => {
      const replacer = texts.size === 0 ? undefined : restoreText(texts, needMark());
      const text = JSON.stringify(value, replacer) as string | undefined;
      return mark === undefined || text === undefined ? text : unmark(text, mark);
    },
    unmarkJson: (text) => (mark === undefined ? text : unmark(text, mark)),
  };
}

/**
 * `JSON.parse` for readers that want text, such as URL templates and forms: every number that
 * JavaScript would print with other digits is a string of its literal (`820982911946154508`,
 * `10.10`, `1e3`).
 *
 * Throws `UnreadableJson`.
 */
export function parseKeepingDigits(text: string): Json {
  return parseJson(replaceLiterals(text, quote, 'whole too'), text) as Json;
}

/** Whether a double holds the number that `literal` writes. */
export function keepsDigits(literal: string): boolean {
  return fateOf(literal, 0, literal.length) !== 'lost';
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const SAFE_DIGITS = 15;

/** `lost`: a double is another number. `fraction`, `whole`: the same number with other digits. */
type Fate = 'kept' | 'lost' | 'fraction' | 'whole';

function quote(literal: string): string {
  return `"${literal}"`;
}

function replaceLiterals(
  text: string,
  replace: (literal: string, fate: Fate) => string,
  whole?: 'whole too',
): string {
  let out = '';
  let copied = 0;
  scanJson(text, (start, end) => {
    const fate = fateOf(text, start, end);
    if (fate === 'kept' || (fate === 'whole' && whole === undefined)) return;
    if (isKey(text, end)) return;
    out += text.slice(copied, start) + replace(text.slice(start, end), fate);
    copied = end;
  });
  return copied === 0 ? text : out + text.slice(copied);
}

// A number where a key should be is an error of the text, and must stay one.
function isKey(text: string, end: number): boolean {
  let next = end;
  while (' \t\n\r'.includes(text.charAt(next)) && next < text.length) next++;
  return text.charAt(next) === ':';
}

function fateOf(text: string, start: number, end: number): Fate {
  if (end - start <= SAFE_DIGITS && isPlain(text, start, end)) return 'kept';
  const literal = text.slice(start, end);
  const value = Number(literal);
  if (String(value) === literal || !NUMBER.test(literal)) return 'kept';
  if (canonical(literal) !== canonical(String(value))) return 'lost';
  return Number.isInteger(value) ? 'whole' : 'fraction';
}

function isPlain(text: string, start: number, end: number): boolean {
  const first = text.charCodeAt(start);
  if (first === 0x30 && end - start > 1) return false;
  for (let at = first === 0x2d ? start + 1 : start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x30 || code > 0x39) return false;
  }
  return first !== 0x2d;
}

/**
 * Digits without zeros at either end, and the power of ten of the last one. An exponent that
 * loses digits itself belongs to no finite double, so that it is unlike every other anyway.
 */
function canonical(literal: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(literal);
  if (match === null) return literal;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const digits = trimZerosBefore(whole + fraction);
  const significant = trimZerosAfter(digits);
  if (significant === '') return '0';
  const power = Number(exponent) - fraction.length + (digits.length - significant.length);
  return `${sign}${significant}e${power}`;
}

function trimZerosBefore(digits: string): string {
  let start = 0;
  while (digits.charCodeAt(start) === 0x30) start++;
  return digits.slice(start);
}

function trimZerosAfter(digits: string): string {
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === 0x30) end--;
  return digits.slice(0, end);
}

function findMark(sources: readonly string[]): string {
  for (let code = 0xfdd0; code <= 0xfdef; code++) {
    const mark = String.fromCharCode(code);
    const pattern = new RegExp(`${mark}|\\\\u${code.toString(16)}`, 'i');
    if (!sources.some((source) => pattern.test(source))) return mark;
  }
  // All 32 in one body: nobody but an attacker, who now gets digits in quotes.
  return String.fromCharCode(0xfdd0);
}

function restoreText(texts: ReadonlyMap<number, string>, mark: string) {
  return (_key: string, value: unknown): unknown => {
    const text = typeof value === 'number' ? texts.get(value) : undefined;
    return text === undefined ? value : text + mark;
  };
}

// In JSON a quote that follows `:`, `,` or `[` is always the start of a string, never inside one.
function unmark(text: string, mark: string): string {
  if (!text.includes(mark)) return text;
  const bare = new RegExp(
    `(?<=^|[:,[]\\s*)"(-?(?:0|[1-9]\\d*)(?:\\.\\d+)?(?:[eE][+-]?\\d+)?)${mark}"(?=\\s*(?:[,\\]}]|$))`,
    'g',
  );
  return text.replace(bare, '$1').replaceAll(mark, '');
}
