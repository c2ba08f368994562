// What a body is: by its Content-Type, and by its first bytes where that says nothing.

import type { Headers } from '../model/event.ts';

export type ContentKind = 'json' | 'ndjson' | 'form' | 'xml' | 'multipart' | 'text' | 'binary';

export interface Content {
  readonly kind: ContentKind;
  /** Lower-case label of the `charset` parameter, where there is one. */
  readonly charset?: string;
}

const kinds: ReadonlyMap<string, ContentKind> = new Map([
  ['application/json', 'json'],
  ['text/json', 'json'],
  ['application/x-ndjson', 'ndjson'],
  ['application/ndjson', 'ndjson'],
  ['application/jsonl', 'ndjson'],
  ['application/x-jsonl', 'ndjson'],
  ['application/jsonlines', 'ndjson'],
  ['application/x-jsonlines', 'ndjson'],
  ['application/x-www-form-urlencoded', 'form'],
  ['application/xml', 'xml'],
  ['text/xml', 'xml'],
  ['multipart/form-data', 'multipart'],
  ['text/plain', 'text'],
]);

/**
 * What a body is. One without a Content-Type is JSON unless it begins as XML; one with `text/plain`
 * (as Amazon SNS sends its JSON) is JSON where it begins with `{` or `[`; so is a "form" that is JSON,
 * which is what tools send whose user forgot the header. Never throws.
 */
export function contentOf(headers: Headers, bytes: Buffer): Content {
  const header = headers['content-type'] ?? '';
  const type = (header.split(';', 1)[0] ?? '').trim().toLowerCase();
  const charset = /;\s*charset\s*=\s*["']?([^\s"';]+)/i.exec(header)?.[1]?.toLowerCase();
  return { kind: kindOf(type, bytes), ...(charset === undefined ? {} : { charset }) };
}

function kindOf(type: string, bytes: Buffer): ContentKind {
  if (type === '') return sniff(bytes);
  const kind = kinds.get(type) ?? kindOfFamily(type);
  if (kind === 'form' && looksLikeJson(bytes)) return 'json';
  return type === 'text/plain' && isBracket(firstByte(bytes)) ? 'json' : kind;
}

function kindOfFamily(type: string): ContentKind {
  if (type.endsWith('+json')) return 'json';
  if (type.endsWith('+xml')) return 'xml';
  return type.startsWith('text/') ? 'text' : 'binary';
}

const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const LESS_THAN = 0x3c;

/** Nothing says what it is: JSON, so that what is none is told and not taken for a text. */
function sniff(bytes: Buffer): ContentKind {
  const isXml = firstByte(bytes) === LESS_THAN && bytes.subarray(0, 64).includes('<?xml');
  return isXml ? 'xml' : 'json';
}

function isBracket(byte: number): boolean {
  return byte === OPEN_BRACE || byte === OPEN_BRACKET;
}

/** The first byte that is no mark of a byte order, no white space and no half of an UTF-16 unit. */
function firstByte(bytes: Buffer): number {
  for (const byte of bytes.subarray(0, 1_024)) {
    if (![0xef, 0xbb, 0xbf, 0xff, 0xfe, 0x00, 0x20, 0x09, 0x0a, 0x0d].includes(byte)) return byte;
  }
  return -1;
}

/** A form may begin with a bracket; only what is JSON to its end is taken for it. */
function looksLikeJson(bytes: Buffer): boolean {
  return isBracket(firstByte(bytes)) && isJson(bytes);
}

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString());
    return true;
  } catch {
    return false;
  }
}
