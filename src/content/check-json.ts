import type { Json } from '../model/json.ts';
import {
  decodeJson,
  JSON_DEPTH_MAX,
  JSON_KEYS_MAX,
  parseJson,
  scanJson,
  UnreadableJson,
} from '../model/json-text.ts';
import { type ContentLimits, tooManyKeys } from './unreadable.ts';

/** Why bytes cannot be read as JSON within the limits, in words; `undefined` where they can. */
export function checkJson(bytes: Buffer, limits: ContentLimits): string | undefined {
  try {
    const text = decodeJson(bytes);
    scanJson(text, () => undefined);
    return beyond(parseJson(text) as Json, limits);
  } catch (error) {
    return error instanceof UnreadableJson ? error.message : 'not JSON';
  }
}

/** Whether the first and the last byte are those of one object or list: cheap, and no proof. */
export function looksWhole(json: Buffer): boolean {
  let start = 0;
  let end = json.length - 1;
  while (isWhite(json[start])) start += 1;
  while (end > start && isWhite(json[end])) end -= 1;
  // { and }, [ and ] are two apart.
  return (json[start] === 0x7b || json[start] === 0x5b) && json[end] === (json[start] ?? 0) + 2;
}

function isWhite(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Level by level, so that depth costs no stack. `scanJson` has held the largest limits before. */
function beyond(root: Json, { depthMax, keysMax }: ContentLimits): string | undefined {
  if (depthMax >= JSON_DEPTH_MAX && keysMax >= JSON_KEYS_MAX) return undefined;
  let level = [root].filter(hasMembers);
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth === depthMax) return `nested deeper than ${depthMax} levels`;
    if (level.some((one) => !Array.isArray(one) && Object.keys(one).length > keysMax)) {
      return tooManyKeys(keysMax);
    }
    level = level.flatMap((one) => (Object.values(one) as Json[]).filter(hasMembers));
  }
  return undefined;
}

function hasMembers(value: Json): value is Json & object {
  return typeof value === 'object' && value !== null;
}
