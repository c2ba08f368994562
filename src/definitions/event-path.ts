// A path to one value of an event: `id`, `customer.id`, `line_items[0].sku`, `$event.shop`. Not
// JSONata: it is read while the sender waits, so it must cost next to nothing and never fail.

import { decimalText } from '../model/decimal-text.ts';
import { createNumerals } from '../model/exact-json.ts';
import type { Json, JsonObject } from '../model/json.ts';
import { decodeJson } from '../model/json-text.ts';

/** A path, parsed: into the body, or to what the hub itself knows of the event. */
export type EventPath =
  | { readonly of: 'body'; readonly steps: readonly (string | number)[] }
  | { readonly of: 'event'; readonly field: EventField };

type EventField = 'source' | 'topic' | 'shop';

export interface EventPathProblem {
  /** Of the path alone; whoever reports it says where the path stands. */
  readonly message: string;
  readonly hint: string;
}

/** The event that paths are read from. */
export interface ReadableEvent {
  readonly source: string;
  readonly topic: string;
  readonly body: Buffer;
  readonly shop?: string;
}

/** What a path leads to. A number is its decimal text, exact to the last digit. */
export interface EventValue {
  readonly kind: 'text' | 'number' | 'boolean';
  readonly text: string;
}

export const EVENT_PATH_CHARS_MAX = 500;

const eventFields: readonly string[] = ['source', 'topic', 'shop'] satisfies EventField[];
const step = /[.]?([A-Za-z_][A-Za-z0-9_-]*)|[.]?`([^`]+)`|\[(\d{1,6})\]/y;
const FORM = 'write names with dots, such as customer.id or line_items[0].sku; odd names in `…`';

/** The path that `text` writes, or what is wrong with it. */
export function parseEventPath(
  text: string,
): { readonly path: EventPath } | { readonly problem: EventPathProblem } {
  if (text.length > EVENT_PATH_CHARS_MAX) {
    return wrong(`the path is longer than ${EVENT_PATH_CHARS_MAX} characters`, FORM);
  }
  if (text.startsWith('$')) return parseEventField(text);
  const steps: (string | number)[] = [];
  step.lastIndex = 0;
  while (step.lastIndex < text.length) {
    const at: number = step.lastIndex;
    const match = step.exec(text);
    const dotted = text.charAt(at) === '.';
    const isFirst = at === 0;
    const isIndex = match?.[3] !== undefined;
    if (match === null || (!isIndex && dotted === isFirst)) {
      return wrong(`"${text}" is no path: it breaks at character ${at + 1}`, FORM);
    }
    steps.push(isIndex ? Number(match[3]) : (match[1] ?? match[2] ?? ''));
  }
  return steps.length === 0 ? wrong('the path is empty', FORM) : { path: { of: 'body', steps } };
}

function parseEventField(text: string): ReturnType<typeof parseEventPath> {
  const [head, field = '', ...rest] = text.split('.');
  if (head === '$event' && rest.length === 0 && eventFields.includes(field)) {
    return { path: { of: 'event', field: field as EventField } };
  }
  const known = eventFields.map((name) => `$event.${name}`).join(', ');
  return wrong(`"${text}" is nothing that a path can lead to`, `beside the body there is ${known}`);
}

function wrong(message: string, hint: string): { readonly problem: EventPathProblem } {
  return { problem: { message, hint } };
}

/**
 * Reads paths of one event. The body is parsed once, at the first path that leads into it, and not
 * at all where none does. `undefined` where the path leads nowhere, to an empty text, to null, to a
 * list or an object, or where the body is no JSON.
 */
export function createEventReader(
  event: ReadableEvent,
): (path: EventPath) => EventValue | undefined {
  const read = createJsonReader(event.body);
  return (path) => (path.of === 'event' ? textValue(event[path.field]) : read(path.steps));
}

/** As `createEventReader`, of JSON bytes alone. */
export function createJsonReader(
  bytes: Buffer,
): (steps: readonly (string | number)[]) => EventValue | undefined {
  let body: ParsedBody | undefined;
  return (steps) => {
    body ??= parseBody(bytes);
    return valueAt(follow(body.value, steps), body.mark);
  };
}

interface ParsedBody {
  readonly value: Json | undefined;
  /** What a number that a double cannot hold ends with, as text. */
  readonly mark: string | undefined;
}

function parseBody(bytes: Buffer): ParsedBody {
  try {
    const text = decodeJson(bytes);
    const numerals = createNumerals([text]);
    return { value: numerals.parse(text), mark: numerals.mark };
  } catch {
    // Any bytes are accepted; what is no JSON has no keys.
    return { value: undefined, mark: undefined };
  }
}

function follow(root: Json | undefined, steps: readonly (string | number)[]): Json | undefined {
  let value = root;
  for (const one of steps) {
    if (typeof value !== 'object' || value === null) return undefined;
    if (Array.isArray(value) !== (typeof one === 'number')) return undefined;
    value = Object.hasOwn(value, one) ? (value as JsonObject)[one] : undefined;
  }
  return value;
}

function valueAt(value: Json | undefined, mark: string | undefined): EventValue | undefined {
  switch (typeof value) {
    case 'string':
      return mark !== undefined && value.endsWith(mark)
        ? numberValue(value.slice(0, -mark.length))
        : textValue(value);
    case 'number':
      return numberValue(String(value));
    case 'boolean':
      return { kind: 'boolean', text: String(value) };
    default:
      return undefined;
  }
}

function textValue(text: string | undefined): EventValue | undefined {
  return text === undefined || text === '' ? undefined : { kind: 'text', text };
}

function numberValue(literal: string): EventValue {
  return { kind: 'number', text: decimalText(literal) ?? literal };
}
