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
