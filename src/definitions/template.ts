// The templates of `receive:`: `{timestamp}.{body}`, `{header:X-GitHub-Event}[.{json:action}]`.

import { parseEventPath } from './event-path.ts';
import type { JsonPath, ListPath, Source, Template, TemplatePart, Token } from './receive.ts';

export type Parsed<Value> = { readonly value: Value } | { readonly problem: TextProblem };

/** Of the text alone; whoever reports it says where the text stands. */
export interface TextProblem {
  readonly message: string;
  readonly hint: string;
}

const tokens: readonly string[] = [
  'body',
  'body.base64',
  'body.sha256',
  'body.crc32',
  'timestamp',
  'secret',
  'method',
  'url',
  'form.sorted',
] satisfies Token[];

const sourceNames = ['header', 'query', 'form', 'json', 'pair', 'claim'];
const FORM = `a placeholder is one of ${tokens.map((token) => `{${token}}`).join(', ')}, or {header:…}, {query:…}, {form:…}, {json:…}`;

const group = /\[([^[\]]*\{[^[\]]*)\]/g;

/**
 * Braces hold placeholders; square brackets around some hold what is left out where one of them is
 * absent.
 */
export function parseTemplate(text: string): Parsed<Template> {
  if (text === '') return wrong('the template is empty', FORM);
  const parts: TemplatePart[] = [];
  let from = 0;
  for (const match of text.matchAll(group)) {
    const before = parsePieces(text.slice(from, match.index));
    const inside = parsePieces(match[1] ?? '');
    if ('problem' in before) return before;
    if ('problem' in inside) return inside;
    parts.push(...before.value, { kind: 'optional', parts: inside.value });
    from = match.index + match[0].length;
  }
  const rest = parsePieces(text.slice(from));
  return 'problem' in rest ? rest : { value: [...parts, ...rest.value] };
}

function parsePieces(text: string): Parsed<Template> {
  const parts: TemplatePart[] = [];
  for (const [piece, inner] of text.matchAll(/\{([^{}]*)\}|[^{}]+|[{}]/g)) {
    if (piece === '{' || piece === '}') {
      return wrong(`"${text}" has a brace without its partner`, FORM);
    }
    const part = inner === undefined ? textPart(piece) : parsePlaceholder(inner);
    if ('problem' in part) return part;
    parts.push(part.value);
  }
  return { value: parts };
}

function textPart(text: string): { readonly value: TemplatePart } {
  return { value: { kind: 'text', text } };
}

function parsePlaceholder(inner: string): Parsed<TemplatePart> {
  if (tokens.includes(inner)) return { value: { kind: 'token', token: inner as Token } };
  const [, from = '', name = ''] = /^([a-z]+):(.+)$/.exec(inner) ?? [];
  if (!sourceNames.includes(from)) return wrong(`{${inner}} is no placeholder`, FORM);
  const source = parseSource(from as Source['from'], name);
  return 'problem' in source ? source : { value: { kind: 'source', source: source.value } };
}

export function parseSource(from: Source['from'], name: string): Parsed<Source> {
  switch (from) {
    case 'header':
      return { value: { from, name: name.toLowerCase() } };
    case 'json': {
      const path = parseJsonPath(name);
      return 'problem' in path ? path : { value: { from, path: path.value, text: name } };
    }
    default:
      return { value: { from, name } };
  }
}

/** `id`, `data.object.id`, `` `Envelope`.items[0] ``. */
export function parseJsonPath(text: string): Parsed<JsonPath> {
  const parsed = parseEventPath(text);
  if ('problem' in parsed) return parsed;
  if (parsed.path.of === 'body') return { value: parsed.path.steps };
  return wrong(`"${text}" leads to no value of the body`, 'write names with dots, such as data.id');
}

/** `[]`, `data[]`, `notificationItems[].NotificationRequestItem`. */
export function parseListPath(text: string): Parsed<ListPath> {
  const form = 'write [] for a body that is a list itself, or data[], or items[].event';
  const [before = '', after, ...rest] = text.split('[]');
  if (after === undefined || rest.length > 0 || (after !== '' && !after.startsWith('.'))) {
    return wrong(`"${text}" names no list`, form);
  }
  const path = before === '' ? { value: [] } : parseJsonPath(before);
  const item = after === '' ? { value: [] } : parseJsonPath(after.slice(1));
  if ('problem' in path) return path;
  if ('problem' in item) return item;
  return { value: { path: path.value, item: item.value, text } };
}

/** Whether `token` stands anywhere in it. */
export function usesToken(template: Template, token: Token): boolean {
  return template.some(
    (part) =>
      (part.kind === 'token' && part.token === token) ||
      (part.kind === 'optional' && usesToken(part.parts, token)),
  );
}

function wrong(message: string, hint: string): { readonly problem: TextProblem } {
  return { problem: { message, hint } };
}
