// The elements of a list in a JSON body, each as it was written.

import type { ListPath } from '../definitions/receive.ts';
import { elementsIn, sliceAt } from '../model/json-slices.ts';
import { decodeJson, parseJson } from '../model/json-text.ts';

/**
 * The bytes of each element, or of the part of it that counts; an element without that part is left
 * out. Empty where there is no such list, or where the body is no JSON.
 */
export function elementsOf(json: Buffer, list: ListPath): readonly Buffer[] {
  return listElements(json, list) ?? [];
}

/** As `elementsOf`; `undefined` where there is no such list, or where the body is no JSON. */
export function listElements(
  json: Buffer,
  { path, item }: ListPath,
): readonly Buffer[] | undefined {
  try {
    const text = decodeJson(json);
    parseJson(text);
    const list = sliceAt(text, path);
    const elements = list === undefined ? undefined : elementsIn(text, list);
    return elements?.flatMap((element) => {
      const part = item.length === 0 ? element : sliceAt(text, item, element);
      return part === undefined ? [] : [Buffer.from(text.slice(part.start, part.end))];
    });
  } catch {
    // Not JSON: nothing in it has a name.
    return undefined;
  }
}
