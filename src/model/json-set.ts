// Setting one value of a JSON text while every other byte stays as it was written.

import { type Slice, sliceAt } from './json-slices.ts';
import { parseJson } from './json-text.ts';

/**
 * `text` with `value` at `path`: as a number where a number stood and `value` is one, otherwise as a
 * string. Objects that are missing on the way are made. `undefined` where it cannot be put: `text` is
 * no JSON, or the path leads through something else than an object or a list that is there.
 */
export function setJson(
  text: string,
  path: readonly (string | number)[],
  value: string,
): string | undefined {
  try {
    parseJson(text);
  } catch {
    return undefined;
  }
  const there = sliceAt(text, path);
  if (there !== undefined) {
    return splice(text, there, written(value, text.slice(there.start, there.end)));
  }
  return insert(text, path, JSON.stringify(value));
}

export function splice(text: string, { start, end }: Slice, replacement: string): string {
  return `${text.slice(0, start)}${replacement}${text.slice(end)}`;
}

/** `path` made of objects around `json`; `undefined` where a list is asked for. */
export function wrapJson(path: readonly (string | number)[], json: string): string | undefined {
  if (path.some((step) => typeof step === 'number')) return undefined;
  return path.reduceRight<string>((inner, step) => `{${JSON.stringify(step)}:${inner}}`, json);
}

function written(value: string, before: string): string {
  const stayNumber = /^-?\d/.test(before) && /^(0|[1-9]\d*)$/.test(value);
  return stayNumber ? value : JSON.stringify(value);
}

/** Into the deepest object of the way that is there, as its first field. */
function insert(
  text: string,
  path: readonly (string | number)[],
  json: string,
): string | undefined {
  for (let depth = path.length - 1; depth >= 0; depth -= 1) {
    const parent = sliceAt(text, path.slice(0, depth));
    if (parent === undefined) continue;
    const fields = wrapJson(path.slice(depth), json);
    const inside = text.slice(parent.start + 1, parent.end - 1);
    if (fields === undefined || text.charAt(parent.start) !== '{') return undefined;
    const more = inside.trim() === '' ? '' : ',';
    return splice(text, parent, `${fields.slice(0, -1)}${more}${inside}}`);
  }
  return undefined;
}
