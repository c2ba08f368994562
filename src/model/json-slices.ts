// Pieces of a JSON text as they were written: digits, spaces and order of keys stay.

import { endOfString, UnreadableJson } from './json-text.ts';

const white = /[ \t\n\r]*/y;
const scalar = /[^,\]}\s]+/y;

/** Where one value stands in a text. */
export interface Slice {
  readonly start: number;
  readonly end: number;
}

/**
 * Where the value at `path` stands in `text`, which must be JSON (`parseJson` says so); of keys that
 * come twice the last one counts, as for `JSON.parse`. `undefined` where the path leads nowhere.
 */
export function sliceAt(
  text: string,
  path: readonly (string | number)[],
  within: Slice = { start: 0, end: text.length },
): Slice | undefined {
  let slice: Slice | undefined = trim(text, within);
  for (const step of path) {
    if (slice === undefined) return undefined;
    slice = typeof step === 'number' ? elementsIn(text, slice)?.[step] : field(text, slice, step);
  }
  return slice;
}

/**
 * Where the elements of the list at `slice` stand; `undefined` where it is no list. Of a list that is
 * longer than `most` the elements behind that are left out.
 */
export function elementsIn(
  text: string,
  slice: Slice,
  most: number = Number.POSITIVE_INFINITY,
): readonly Slice[] | undefined {
  if (text.charAt(slice.start) !== '[') return undefined;
  const elements: Slice[] = [];
  let at = skipWhite(text, slice.start + 1);
  while (text.charAt(at) !== ']' && elements.length < most) {
    const element = valueAt(text, at);
    elements.push(element);
    at = skipComma(text, element.end);
  }
  return elements;
}

function field(text: string, slice: Slice, name: string): Slice | undefined {
  if (text.charAt(slice.start) !== '{') return undefined;
  let found: Slice | undefined;
  let at = skipWhite(text, slice.start + 1);
  while (text.charAt(at) !== '}') {
    const keyEnd = endOfString(text, at) + 1;
    const value = valueAt(text, skipWhite(text, skipWhite(text, keyEnd) + 1));
    if (JSON.parse(text.slice(at, keyEnd)) === name) found = value;
    at = skipComma(text, value.end);
  }
  return found;
}

function skipComma(text: string, at: number): number {
  const next = skipWhite(text, at);
  return text.charAt(next) === ',' ? skipWhite(text, next + 1) : next;
}

function trim(text: string, { start }: Slice): Slice {
  return valueAt(text, skipWhite(text, start));
}

/** The value that begins at `start`; brackets are counted, so that no depth is too deep. */
function valueAt(text: string, start: number): Slice {
  let depth = 0;
  let at = start;
  do {
    const char = text.charAt(at);
    if (char === '"') at = endOfString(text, at) + 1;
    else if (char === '{' || char === '[') at = open(at);
    else if (char === '}' || char === ']') at = close(at);
    else at = skip(text, at);
    if (depth > 0) at = skipBetween(text, at);
  } while (depth > 0);
  return { start, end: at };

  function open(bracket: number): number {
    depth += 1;
    return bracket + 1;
  }
  function close(bracket: number): number {
    depth -= 1;
    return bracket + 1;
  }
}

function skip(text: string, at: number): number {
  scalar.lastIndex = at;
  if (!scalar.test(text)) throw new UnreadableJson('not JSON: unexpected end');
  return scalar.lastIndex;
}

function skipBetween(text: string, at: number): number {
  let next = at;
  while (' \t\n\r,:'.includes(text.charAt(next)) && next < text.length) next++;
  if (next >= text.length) throw new UnreadableJson('not JSON: unexpected end');
  return next;
}

function skipWhite(text: string, at: number): number {
  white.lastIndex = at;
  white.test(text);
  return white.lastIndex;
}
