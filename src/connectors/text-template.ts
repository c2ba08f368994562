// Templates of the http kind: `{path.to.field}` of the outgoing message, `{$key}`, `{$event.id}` …
// Parsed once when the connector is made, rendered for each message.

import type { Json } from '../model/json.ts';
import type { Message } from './connector.ts';
import { MessageInvalid } from './message-invalid.ts';

/** What a template can see. */
export interface TemplateScope {
  readonly message: Message;
  /** The outgoing message, parsed at the first call; throws `MessageInvalid` where it is no JSON. */
  body(): Json;
}

export interface Template {
  readonly source: string;
  /** The text of a template without placeholders. */
  readonly literal?: string;
  /** The fixed parts, in order. */
  readonly literals: readonly string[];
  /** Throws `MessageInvalid` naming the placeholder that has no value. */
  render(scope: TemplateScope, encode?: (value: string) => string): string;
}

interface Placeholder {
  readonly source: string;
  read(scope: TemplateScope): Json | undefined;
}

const eventFields = ['id', 'source', 'topic', 'shop', 'key', 'receivedAt'] as const;

/** Throws an `Error` that says what is wrong, for `check`. */
export function parseTemplate(source: string): Template {
  const parts: (string | Placeholder)[] = [];
  let from = 0;
  for (const match of source.matchAll(/\{([^{}]*)\}/g)) {
    parts.push(literalPart(source.slice(from, match.index), source));
    parts.push(parsePlaceholder(match[1] ?? ''));
    from = match.index + match[0].length;
  }
  parts.push(literalPart(source.slice(from), source));
  const literals = parts.filter((part) => typeof part === 'string').filter((part) => part !== '');
  return {
    source,
    literals,
    ...(parts.length === 1 ? { literal: source } : {}),
    render: (scope, encode = (value) => value) =>
      parts.map((part) => (typeof part === 'string' ? part : encode(textOf(part, scope)))).join(''),
  };
}

function literalPart(text: string, source: string): string {
  if (!/[{}]/.test(text)) return text;
  const [doubled, inner = ''] = /\{\{([^{}]*)\}\}/.exec(source) ?? [];
  if (doubled === undefined) throw new Error(`"${source}" has a brace without its partner`);
  throw new Error(`"${source}" has doubled braces; write {${inner.trim()}} for ${doubled}`);
}

function parsePlaceholder(inner: string): Placeholder {
  const source = `{${inner}}`;
  if (inner === '$key') return { source, read: ({ message }) => message.idempotencyKey };
  if (inner.startsWith('$')) {
    const field = eventFields.find((name) => inner === `$event.${name}`);
    if (field === undefined) {
      const known = ['{$key}', ...eventFields.map((name) => `{$event.${name}}`)].join(', ');
      throw new Error(`${source} is not known; there are ${known} and paths into the message`);
    }
    return { source, read: ({ message }) => message.event[field] };
  }
  const path = inner.split('.');
  if (path.some((name) => !/^[^\s$]+$/.test(name))) {
    throw new Error(`${source} is not a path into the message, such as {customer.id}`);
  }
  return { source, read: (scope) => valueAt(scope.body(), path) };
}

function valueAt(root: Json, path: readonly string[]): Json | undefined {
  let value: Json | undefined = root;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) {
      return undefined;
    }
    value = (value as Readonly<Record<string, Json>>)[name];
  }
  return value;
}

function textOf(placeholder: Placeholder, scope: TemplateScope): string {
  const value = placeholder.read(scope);
  if (value === undefined || value === null) {
    throw new MessageInvalid(`the message has no value for ${placeholder.source}`);
  }
  if (typeof value === 'object') {
    throw new MessageInvalid(`${placeholder.source} is not text, a number or a boolean`);
  }
  return String(value);
}
