// Bytes to text: byte order marks, charsets, UTF-16 without a mark.

import { isAscii, isUtf8 } from 'node:buffer';
import type { Headers } from '../model/event.ts';
import { contentOf } from './content.ts';
import { Unreadable } from './unreadable.ts';

/**
 * The text of a body. A byte order mark counts first, then `charset`, then UTF-8. With `strict` bytes
 * that are none of that charset throw `Unreadable`; otherwise each becomes U+FFFD. An unknown charset
 * always throws.
 */
export function decodeText(
  bytes: Buffer,
  { charset, strict = false }: { readonly charset?: string | undefined; readonly strict?: boolean },
): string {
  const label = markOf(bytes) ?? charset ?? 'utf-8';
  const name = encodingOf(label);
  if (name === undefined) throw new Unreadable(`the charset "${label.slice(0, 40)}" is not known`);
  const text = tryDecode(bytes, name, strict);
  if (text === undefined) throw new Unreadable(`the bytes are not ${name.toUpperCase()}`);
  return text;
}

/** The text of a body for people; `undefined` where it is bytes, or of no charset that is known. */
export function textOf(headers: Headers, bytes: Buffer): string | undefined {
  const { kind, charset } = contentOf(headers, bytes);
  if (kind === 'binary' || kind === 'multipart') return undefined;
  const name = markOf(bytes) ?? (kind === 'json' ? wideLabel(bytes) : undefined) ?? charset;
  const encoding = name === undefined ? undefined : encodingOf(name);
  return encoding === undefined ? undefined : tryDecode(bytes, encoding, true);
}

function encodingOf(label: string): string | undefined {
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return undefined;
  }
}

function tryDecode(bytes: Buffer, name: string, fatal: boolean): string | undefined {
  try {
    const text = new TextDecoder(name, { fatal }).decode(bytes);
    return name === 'windows-1252' ? text.replace(/[\x80-\x9f]/g, characterOf1252) : text;
  } catch {
    return undefined;
  }
}

const of1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

/** Node 20 decodes windows-1252 as ISO 8859-1, which has no characters from 0x80 to 0x9f. */
function characterOf1252(character: string): string {
  return of1252.charAt(character.charCodeAt(0) - 0x80);
}

function markOf(bytes: Buffer): string | undefined {
  const [first, second, third] = bytes;
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8';
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : undefined;
}

/**
 * JSON as UTF-8 without a byte order mark: the same bytes where they are that already. Bytes that are
 * UTF-8 are so whatever the charset says (RFC 8259 has no other), but for UTF-16, which has a NUL in
 * its first two bytes. Throws `Unreadable`.
 */
export function utf8Json(bytes: Buffer, charset?: string): Buffer {
  const wide = wideLabel(bytes);
  if (wide !== undefined) return Buffer.from(decodeText(bytes, { charset: wide, strict: true }));
  if (isAscii(bytes)) return bytes;
  if (isUtf8(bytes)) return markOf(bytes) === 'utf-8' ? bytes.subarray(3) : bytes;
  if (charset === undefined || charset.startsWith('utf-')) {
    throw new Unreadable('not JSON: the bytes are not UTF-8');
  }
  return Buffer.from(decodeText(bytes, { charset, strict: true }));
}

function wideLabel(bytes: Buffer): string | undefined {
  const mark = markOf(bytes);
  if (mark !== undefined) return mark === 'utf-8' ? undefined : mark;
  if (bytes.length < 2 || bytes.length % 2 !== 0) return undefined;
  if (bytes[0] === 0 && bytes[1] !== 0) return 'utf-16be';
  return bytes[1] === 0 && bytes[0] !== 0 ? 'utf-16le' : undefined;
}
