// A body as the JSON that mappings and paths see. What is stored stays the bytes that came.

import type { Headers } from '../model/event.ts';
import { JSON_DEPTH_MAX, JSON_KEYS_MAX, parseJson, UnreadableJson } from '../model/json-text.ts';
import { checkJson } from './check-json.ts';
import { type Content, contentOf } from './content.ts';
import { decodeText, utf8Json } from './decode-text.ts';
import { parseForm } from './form.ts';
import { parseMultipart } from './multipart.ts';
import { type ContentLimits, Unreadable } from './unreadable.ts';
import { parseXml } from './xml.ts';

export type JsonReading =
  /** UTF-8, without a byte order mark. */
  | { readonly kind: 'json'; readonly json: Buffer }
  /** One sentence for a person; no part of the body. */
  | { readonly kind: 'unreadable'; readonly reason: string };

/** What a mapping takes at most, whatever a connector says. */
export const contentLimits: ContentLimits = { depthMax: JSON_DEPTH_MAX, keysMax: JSON_KEYS_MAX };

/**
 * The JSON of a body: JSON as it is (in UTF-8 the very same bytes, and their grammar is left to
 * whoever parses them), lines of JSON as a list, a form and parts of a form as an object, XML as
 * `xml.ts` says, text as `{"text":…}` and anything else as `{"base64":…}`. Never rejects.
 */
export async function toJson(
  headers: Headers,
  bytes: Buffer,
  limits: ContentLimits = contentLimits,
): Promise<JsonReading> {
  try {
    const content = contentOf(headers, bytes);
    if (content.kind === 'json') return { kind: 'json', json: utf8Json(bytes, content.charset) };
    return { kind: 'json', json: await convert(content, { headers, bytes, limits }) };
  } catch (error) {
    return { kind: 'unreadable', reason: reasonOf(error) };
  }
}

/** Why a body cannot be read, in words; `undefined` where it can. Never rejects. */
export async function findFault(headers: Headers, bytes: Buffer): Promise<string | undefined> {
  const reading = await toJson(headers, bytes);
  return reading.kind === 'json' ? checkJson(reading.json, contentLimits) : reading.reason;
}

interface Body {
  readonly headers: Headers;
  readonly bytes: Buffer;
  readonly limits: ContentLimits;
}

async function convert({ kind, charset }: Content, body: Body): Promise<Buffer> {
  const { headers, bytes, limits } = body;
  switch (kind) {
    case 'json':
      return utf8Json(bytes, charset);
    case 'ndjson':
      return joinLines(bytes, charset);
    case 'form':
      return jsonOf(parseForm(bytes, limits, charset));
    case 'xml':
      return jsonOf(parseXml(decodeText(bytes, xmlCharset(bytes, charset)), limits));
    case 'multipart':
      return jsonOf(await parseMultipart(headers, bytes, limits));
    case 'text':
      return jsonOf({ text: decodeText(bytes, { charset }) });
    case 'binary':
      return jsonOf({ base64: bytes.toString('base64') });
  }
}

function jsonOf(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** The lines of a body that holds one JSON text a line, without the empty ones; at most `most`. */
export function linesOf(
  bytes: Buffer,
  charset?: string,
  most: number = Number.POSITIVE_INFINITY,
): readonly Buffer[] {
  const json = utf8Json(bytes, charset);
  const lines: Buffer[] = [];
  for (let at = 0; at < json.length && lines.length < most; ) {
    const found = json.indexOf(0x0a, at);
    const end = found === -1 ? json.length : found;
    const line = json.subarray(at, json[end - 1] === 0x0d && end > at ? end - 1 : end);
    if (line.some((byte) => byte !== 0x20 && byte !== 0x09)) lines.push(line);
    at = end + 1;
  }
  return lines;
}

function joinLines(bytes: Buffer, charset: string | undefined): Buffer {
  const pieces = linesOf(bytes, charset).flatMap((line, index) => {
    const reason = breakOf(line);
    if (reason !== undefined) throw new Unreadable(`line ${index + 1}: ${reason}`);
    return index === 0 ? [line] : [comma, line];
  });
  return Buffer.concat([Buffer.from('['), ...pieces, Buffer.from(']')]);
}

/** Depth and keys are looked at where all lines are one list. */
function breakOf(line: Buffer): string | undefined {
  try {
    parseJson(line.toString());
    return undefined;
  } catch (error) {
    return error instanceof UnreadableJson ? error.message : 'not JSON';
  }
}

const comma = Buffer.from(',');

/** What the document's own first line says counts where the request says nothing. */
function xmlCharset(
  bytes: Buffer,
  charset: string | undefined,
): { readonly charset?: string; readonly strict: true } {
  const declaration = bytes.subarray(0, 200).toString('latin1');
  const own = /^<\?xml[^>]*?\sencoding\s*=\s*["']([\w.:-]{1,40})["']/.exec(declaration)?.[1];
  const label = charset ?? own?.toLowerCase();
  return label === undefined ? { strict: true } : { charset: label, strict: true };
}

function reasonOf(error: unknown): string {
  if (error instanceof Unreadable) return error.message;
  // Beyond what the runtime itself can hold, such as a text of half a gigabyte.
  return 'the body is beyond what can be read';
}
