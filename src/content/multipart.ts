// Forms in parts: a field is its text, a file is `{ filename, type, base64 }`.

import type { Headers } from '../model/event.ts';
import {
  type ContentLimits,
  Fields,
  type PlainObject,
  plainObject,
  tooManyKeys,
  Unreadable,
} from './unreadable.ts';

/** A name that comes more than once has a list. Rejects with `Unreadable`. */
export async function parseMultipart(
  headers: Headers,
  bytes: Buffer,
  limits: ContentLimits,
): Promise<PlainObject> {
  const type = headers['content-type'] ?? '';
  countParts(type, bytes, limits);
  const form = await formData(type, bytes);
  if (form === undefined) throw new Unreadable('not multipart: a part is cut off or has no name');
  const fields = new Fields(limits.keysMax);
  for (const [name, value] of form.entries()) {
    fields.add(name, typeof value === 'string' ? value : await fileOf(value));
  }
  return fields.object;
}

/** Before the parser, so that it never makes more of a body than it may have. */
function countParts(type: string, bytes: Buffer, { keysMax }: ContentLimits): void {
  const boundary = /;\s*boundary\s*=\s*(?:"([^"]{1,200})"|([^\s;"]{1,200}))/i.exec(type);
  const mark = boundary?.[1] ?? boundary?.[2];
  if (mark === undefined) throw new Unreadable('not multipart: Content-Type names no boundary');
  let parts = 0;
  for (let at = bytes.indexOf(`--${mark}`); at !== -1; at = bytes.indexOf(`--${mark}`, at + 1)) {
    parts += 1;
    if (parts > keysMax + 1) throw new Unreadable(tooManyKeys(keysMax));
  }
}

// The parser's own error may quote a part.
async function formData(type: string, bytes: Buffer): Promise<FormData | undefined> {
  try {
    return await new Response(bytes, { headers: { 'content-type': type } }).formData();
  } catch {
    return undefined;
  }
}

async function fileOf(file: File): Promise<PlainObject> {
  const fields = plainObject();
  fields['filename'] = file.name;
  fields['type'] = file.type;
  fields['base64'] = Buffer.from(await file.arrayBuffer()).toString('base64');
  return fields;
}
