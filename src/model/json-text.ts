// JSON text before it is a value: bytes to text, one scan that holds the limits and finds the
// numbers, and where a broken text breaks. Nothing here quotes the text in a message.

import { isAscii, isUtf8 } from 'node:buffer';

/** Arrays and objects inside one another. */
export const JSON_DEPTH_MAX = 100;

/** Keys of one object. */
export const JSON_KEYS_MAX = 10_000;

/** The text is not JSON, or beyond a limit. The message says which, where, and nothing of the text. */
export class UnreadableJson extends Error {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'UnreadableJson';
  }
}

/**
 * The text of a JSON body: UTF-8 (RFC 8259 §8.1), a byte order mark removed.
 *
 * Throws `UnreadableJson` for anything that is not UTF-8.
 */
export function decodeJson(bytes: Buffer): string {
  if (isAscii(bytes)) return bytes.toString('latin1');
  if (!isUtf8(bytes)) throw new UnreadableJson('not JSON: the bytes are not UTF-8');
  const text = bytes.toString('utf8');
  return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
}

/**
 * Walks over `text` once, without recursion, and calls `visit` with the start and end of every
 * number. It does not check the grammar: `parseJson` does that afterwards.
 *
 * Throws `UnreadableJson` beyond `JSON_DEPTH_MAX` or `JSON_KEYS_MAX`.
 */
export function scanJson(text: string, visit: (start: number, end: number) => void): void {
  const keys = new Array<number>(JSON_DEPTH_MAX + 1).fill(0);
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
    } else if (code <= NINE && (code >= ZERO || code === MINUS)) {
      const end = endOfNumber(text, at);
      visit(at, end);
      at = end - 1;
    } else if (code >= COLON) {
      depth = countStructure(code, depth, keys);
    }
  }
}

/** `JSON.parse`; throws `UnreadableJson` with line and column instead of a quotation of the text. */
export function parseJson(text: string, original: string = text): unknown {
  const parsed = tryParse(text);
  if (parsed === undefined) throw new UnreadableJson(`not JSON: ${describeBreak(original)}`);
  return parsed.value;
}

// V8's own error quotes the text, so it is not even kept as a cause.
function tryParse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

const BYTE_ORDER_MARK = 0xfeff;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
// `[` and `]` are these without the bit 0x20.
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** The index of the quote that ends the string that begins at `start`; the text's length without one. */
export function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end === -1 ? text.length : end;
}

function isEscaped(text: string, quote: number): boolean {
  let before = quote - 1;
  while (text.charCodeAt(before) === BACKSLASH) before--;
  return (quote - before) % 2 === 0;
}

function endOfNumber(text: string, start: number): number {
  let end = start + 1;
  while (end < text.length && isNumberPart(text.charCodeAt(end))) end++;
  return end;
}

function isNumberPart(code: number): boolean {
  // + - . 0…9 E e
  return (
    (code >= ZERO && code <= NINE) ||
    code === 0x2e ||
    code === 0x65 ||
    code === 0x45 ||
    code === 0x2b ||
    code === MINUS
  );
}

/** Returns the depth after the character. */
function countStructure(code: number, depth: number, keys: number[]): number {
  if (code === COLON) {
    keys[depth] = countKey(keys[depth]);
  } else if ((code | 0x20) === OPEN_BRACE) {
    const inside = deeper(depth);
    keys[inside] = 0;
    return inside;
  } else if ((code | 0x20) === CLOSE_BRACE) {
    return Math.max(0, depth - 1);
  }
  return depth;
}

function deeper(depth: number): number {
  if (depth < JSON_DEPTH_MAX) return depth + 1;
  throw new UnreadableJson(`nested deeper than ${JSON_DEPTH_MAX} levels`);
}

function countKey(count: number | undefined): number {
  const next = (count ?? 0) + 1;
  if (next > JSON_KEYS_MAX) throw new UnreadableJson(`an object has over ${JSON_KEYS_MAX} keys`);
  return next;
}

const token =
  /[ \t\n\r]*(?:([{}[\],:])|("(?:[^"\\\p{Cc}]|[\x7f-\x9f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-]))/uy;

/** What may come next, and what comes after it: the grammar of RFC 8259 §2 as a table. */
type Expecting =
  | 'value'
  | 'value or ]'
  | 'key'
  | 'key or }'
  | ':'
  | ', or ]'
  | ', or }'
  | 'the end';

function describeBreak(text: string): string {
  try {
    const at = findBreak(text);
    if (at >= text.trimEnd().length) return 'unexpected end';
    const lines = text.slice(0, at).split('\n');
    const column = (lines.at(-1) ?? '').length + 1;
    return `unexpected token at line ${lines.length} column ${column}`;
  } catch {
    // The regular expression's own stack, on a string of millions of characters.
    return 'unexpected token';
  }
}

function findBreak(text: string): number {
  const open: string[] = [];
  let expecting: Expecting = 'value';
  token.lastIndex = 0;
  for (;;) {
    const start: number = token.lastIndex;
    const match = token.exec(text);
    const next: Expecting | undefined =
      match === null ? undefined : step(expecting, kindOf(match), open);
    if (next === undefined) return start + (/^[ \t\n\r]*/.exec(text.slice(start))?.[0].length ?? 0);
    expecting = next;
  }
}

function kindOf(match: RegExpExecArray): string {
  return match[1] ?? (match[2] === undefined ? 'scalar' : 'string');
}

function step(expecting: Expecting, kind: string, open: string[]): Expecting | undefined {
  switch (expecting) {
    case 'value or ]':
      return kind === ']' ? close(open) : afterValue(kind, open);
    case 'value':
      return afterValue(kind, open);
    case 'key or }':
      return kind === '}' ? close(open) : afterKey(kind);
    case 'key':
      return afterKey(kind);
    case ':':
      return kind === ':' ? 'value' : undefined;
    case ', or ]':
      return kind === ',' ? 'value' : closeWith(']', kind, open);
    case ', or }':
      return kind === ',' ? 'key' : closeWith('}', kind, open);
    case 'the end':
      return undefined;
  }
}

function afterKey(kind: string): Expecting | undefined {
  return kind === 'string' ? ':' : undefined;
}

function afterValue(kind: string, open: string[]): Expecting | undefined {
  if (kind === 'string' || kind === 'scalar') return afterItem(open);
  if (kind !== '[' && kind !== '{') return undefined;
  open.push(kind);
  return kind === '[' ? 'value or ]' : 'key or }';
}

function closeWith(bracket: string, kind: string, open: string[]): Expecting | undefined {
  return kind === bracket ? close(open) : undefined;
}

function close(open: string[]): Expecting {
  open.pop();
  return afterItem(open);
}

function afterItem(open: readonly string[]): Expecting {
  const bracket = open.at(-1);
  if (bracket === undefined) return 'the end';
  return bracket === '[' ? ', or ]' : ', or }';
}
