// The parts of a body that are events of their own, each as it was written.

import { checkJson } from '../content/check-json.ts';
import { contentOf } from '../content/content.ts';
import { linesOf } from '../content/to-json.ts';
import type { BodyLimits, SplitDefinition } from '../definitions/receive.ts';
import { CrossdockError } from '../model/errors.ts';
import { elementsIn, sliceAt } from '../model/json-slices.ts';
import { decodeJson } from '../model/json-text.ts';
import type { RequestReader } from './webhook-request.ts';

/** The bytes of one event, and why they are none of the kind that was looked for. */
export interface Part {
  readonly bytes: Buffer;
  readonly unreadable?: string;
}

export type Parts =
  | { readonly kind: 'parts'; readonly parts: readonly Part[] }
  /** There is no such list: the body stays whole. */
  | { readonly kind: 'whole'; readonly reason: string };

/**
 * Splits the body that `reader` reads, whose JSON is `json`. Throws `body-too-large` beyond
 * `eventsMax`: nothing of such a request is taken.
 */
export function splitBody(
  split: SplitDefinition,
  from: { readonly reader: RequestReader; readonly json: Buffer },
  limits: BodyLimits,
): Parts {
  const { reader, json } = from;
  const { headers, body } = reader.request;
  const content = contentOf(headers, body);
  if (split.form === undefined) {
    const isLines = content.kind === 'ndjson' && split.list.path.length === 0;
    return isLines
      ? partsOfLines(split, linesOf(body, content.charset, limits.eventsMax + 1), limits)
      : partsOf(split, json, limits);
  }
  const field = reader.read({ from: 'form', name: split.form });
  if (field === undefined) return { kind: 'whole', reason: `no field ${split.form} in the form` };
  const bytes = Buffer.from(field);
  const reason = checkJson(bytes, limits);
  if (reason !== undefined) return { kind: 'whole', reason: `field ${split.form}: ${reason}` };
  return partsOf(split, bytes, limits);
}

function partsOf({ list }: SplitDefinition, json: Buffer, { eventsMax }: BodyLimits): Parts {
  const text = decodeJson(json);
  const slice = sliceAt(text, list.path);
  const elements = slice === undefined ? undefined : elementsIn(text, slice, eventsMax + 1);
  if (elements === undefined) return { kind: 'whole', reason: `no list at ${list.text}` };
  checkCount(elements.length, eventsMax);
  const parts = elements.map((element): Part => {
    const part = sliceAt(text, list.item, element);
    const { start, end } = part ?? element;
    const bytes = Buffer.from(text.slice(start, end));
    return part === undefined ? { bytes, unreadable: `no element at ${list.text}` } : { bytes };
  });
  return { kind: 'parts', parts };
}

/** One line that cannot be read does not take the others with it. */
function partsOfLines(split: SplitDefinition, lines: readonly Buffer[], limits: BodyLimits): Parts {
  checkCount(lines.length, limits.eventsMax);
  const parts = lines.map((bytes): Part => {
    const unreadable = checkJson(bytes, limits);
    if (unreadable !== undefined) return { bytes, unreadable };
    return split.list.item.length === 0 ? { bytes } : itemOf(split, bytes);
  });
  return { kind: 'parts', parts };
}

function itemOf({ list }: SplitDefinition, line: Buffer): Part {
  const text = decodeJson(line);
  const slice = sliceAt(text, list.item);
  if (slice === undefined) return { bytes: line, unreadable: `no element at ${list.text}` };
  return { bytes: Buffer.from(text.slice(slice.start, slice.end)) };
}

function checkCount(count: number, eventsMax: number): void {
  if (count <= eventsMax) return;
  const message = `The body has more than ${eventsMax} events (eventsMax); nothing of it is kept.`;
  throw new CrossdockError('body-too-large', message);
}
