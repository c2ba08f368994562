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

/** A placeholder is one piece, whatever stands in it: `{json:items[0].id}`. */
const lexeme = /\{([^{}]*)\}|[[\]{}]|[^{}[\]]+/g;

/**
 * Braces hold placeholders; square brackets around some hold what is left out where one of them is
 * absent. Square brackets around text alone are text.
 */
export function parseTemplate(text: string): Parsed<Template> {
  if (text === '') return wrong('the template is empty', FORM);
  const whole: TemplatePart[] = [];
  let group: TemplatePart[] | undefined;
  for (const [piece, inner] of text.matchAll(lexeme)) {
    if (piece === ']' && group !== undefined) {
      whole.push(...closed(group));
      group = undefined;
      continue;
    }
    const part = parsePiece(piece, inner, { text, isInside: group !== undefined });
    if (part === 'open') group = [];
    else if ('problem' in part) return part;
    else (group ?? whole).push(part.value);
  }
  return group === undefined ? { value: whole } : lonely(text);
}

function closed(group: readonly TemplatePart[]): readonly TemplatePart[] {
  if (group.some(({ kind }) => kind !== 'text')) return [{ kind: 'optional', parts: group }];
  return [{ kind: 'text', text: '[' }, ...group, { kind: 'text', text: ']' }];
}

function parsePiece(
  piece: string,
  inner: string | undefined,
  { text, isInside }: { readonly text: string; readonly isInside: boolean },
): Parsed<TemplatePart> | 'open' {
  if (inner !== undefined) return parsePlaceholder(inner);
  if (piece === '[' && !isInside) return 'open';
  if (piece === '[') return wrong(`"${text}" has square brackets in square brackets`, FORM);
  return '{}]'.includes(piece) ? lonely(text) : { value: { kind: 'text', text: piece } };
}

function lonely(text: string): { readonly problem: TextProblem } {
  return wrong(`"${text}" has a brace or bracket without its partner`, FORM);
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
