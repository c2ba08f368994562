// From a message to a request: the operation's templates are parsed once, filled in per message.
// The result stays on the base address's origin and below its path, whatever the message says.

import { parseKeepingDigits } from '../model/exact-json.ts';
import type { Json } from '../model/json.ts';
import type { Message } from './connector.ts';
import type { HttpRequest } from './http-call.ts';
import { hasDotSegment, isHeaderValue, methodsOf } from './http-check.ts';
import type { HttpConnectorFields, HttpOperationFields } from './http-fields.ts';
import { MessageInvalid } from './message-invalid.ts';
import { parseTemplate, type Template, type TemplateScope } from './text-template.ts';

export interface HttpOperation {
  readonly success?: ReadonlySet<number>;
  /** Its path is the same for every message. */
  readonly addressFixed: boolean;
  /** Lower-case names of headers whose values are not journaled. */
  readonly hiddenHeaders: ReadonlySet<string>;
  /** Names of query parameters whose values are not journaled. */
  readonly hiddenQuery: ReadonlySet<string>;
  /** Fixed values behind names that speak of secrets: redacted like declared ones. */
  readonly secrets: readonly string[];
  /** Throws `MessageInvalid`. */
  build(message: Message): HttpRequest;
}

/** A header or parameter whose fixed value is probably a secret that nobody declared. */
const secretName = /auth|cookie|key|pass|secret|session|signature|token/i;
const LITERAL_SECRET_LENGTH_MIN = 8;

export function createHttpOperation(
  connector: HttpConnectorFields,
  operation: HttpOperationFields,
): HttpOperation {
  const base = new URL(connector.baseUrl);
  const prefix = base.origin + base.pathname.replace(/\/+$/, '');
  const method = methodsOf(operation)[0] ?? 'post';
  const path = parseTemplate(operation[method] ?? '/');
  const query = parseTemplates(operation.query ?? {});
  const body = operation.body ?? (method === 'get' || method === 'delete' ? 'none' : 'json');
  const headers = headerTemplates(connector, operation, body);
  const hidden = [...headers, ...query].filter(([name, value]) => isSecret(name, value));

  return {
    ...(operation.success === undefined ? {} : { success: new Set(operation.success) }),
    addressFixed: path.literal !== undefined,
    hiddenHeaders: new Set(headers.filter(isHidden).map(([name]) => name.toLowerCase())),
    hiddenQuery: new Set(query.filter(isHidden).map(([name]) => name)),
    secrets: hidden
      .flatMap(([, value]) => value.literals.map((literal) => literal.trim()))
      .filter((literal) => literal.length >= LITERAL_SECRET_LENGTH_MIN),
    build(message) {
      const scope = scopeOf(message);
      const url = prefix + renderPath(path, scope) + renderQuery(query, scope);
      const text = renderBody(body, scope);
      return {
        method: method.toUpperCase(),
        url,
        headers: renderHeaders(headers, scope),
        ...(text === undefined ? {} : { body: text }),
      };
    },
  };
}

type Named = readonly [name: string, value: Template];

function isHidden([name, value]: Named): boolean {
  return isSecret(name, value);
}

function isSecret(name: string, value: Template): boolean {
  return secretName.test(name) && value.literals.length > 0;
}

function parseTemplates(texts: Readonly<Record<string, string>>): Named[] {
  return Object.entries(texts).map(([name, text]) => [name, parseTemplate(text)]);
}

/**
 * The hub's own headers first, then the connector's, then the operation's: the last of a name
 * counts. The header of `auth` is never among them.
 */
function headerTemplates(
  connector: HttpConnectorFields,
  operation: HttpOperationFields,
  body: 'json' | 'form' | 'none',
): Named[] {
  const texts: Record<string, string> = {
    Accept: 'application/json, */*;q=0.8',
    'User-Agent': 'Crossdock',
  };
  if (body === 'json') texts['Content-Type'] = 'application/json';
  if (body === 'form') texts['Content-Type'] = 'application/x-www-form-urlencoded';
  const byName = new Map<string, Named>();
  const idempotency =
    operation.idempotency === undefined ? {} : { [operation.idempotency.header]: '{$key}' };
  for (const source of [texts, connector.headers, operation.headers, idempotency]) {
    for (const named of parseTemplates(source ?? {})) byName.set(named[0].toLowerCase(), named);
  }
  if (connector.auth !== undefined) {
    byName.delete((connector.auth.header?.name ?? 'authorization').toLowerCase());
  }
  return [...byName.values()];
}

function scopeOf(message: Message): TemplateScope {
  let parsed: { readonly body: Json } | undefined;
  return {
    message,
    body() {
      parsed ??= { body: parseBody(message.body) };
      return parsed.body;
    },
  };
}

function parseBody(text: string): Json {
  try {
    return parseKeepingDigits(text);
  } catch (cause) {
    throw new MessageInvalid('the message is not JSON', { cause });
  }
}

function renderPath(path: Template, scope: TemplateScope): string {
  const text = path.literal ?? path.render(scope, encodeSegment);
  if (hasDotSegment(text)) {
    throw new MessageInvalid(
      `the path ${path.source} would leave its place: a segment is "." or ".."`,
    );
  }
  return text;
}

function encodeSegment(value: string): string {
  if (value === '') throw new MessageInvalid('a placeholder of the path is an empty text');
  return encode(value);
}

function renderQuery(query: readonly Named[], scope: TemplateScope): string {
  if (query.length === 0) return '';
  const pairs = query.map(([name, value]) => `${encode(name)}=${encode(value.render(scope))}`);
  return `?${pairs.join('&')}`;
}

function encode(value: string): string {
  try {
    return encodeURIComponent(value);
  } catch (cause) {
    throw new MessageInvalid('a value of the address is not valid Unicode', { cause });
  }
}

function renderHeaders(headers: readonly Named[], scope: TemplateScope): Record<string, string> {
  const rendered: Record<string, string> = {};
  for (const [name, template] of headers) {
    const value = template.literal ?? template.render(scope);
    if (template.literal === undefined && !isHeaderValue(value)) {
      throw new MessageInvalid(
        `the value of the header ${name} has characters that it cannot carry`,
      );
    }
    rendered[name] = value;
  }
  return rendered;
}

function renderBody(body: 'json' | 'form' | 'none', scope: TemplateScope): string | undefined {
  if (body === 'none') return undefined;
  return body === 'json' ? scope.message.body : formOf(scope.body());
}

function formOf(message: Json): string {
  if (typeof message !== 'object' || message === null || Array.isArray(message)) {
    throw new MessageInvalid('a form needs a message that is an object');
  }
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(message)) {
    const items: readonly Json[] = Array.isArray(value) ? value : [value];
    for (const item of items.filter((one) => one !== null)) form.append(name, flat(name, item));
  }
  return form.toString();
}

function flat(name: string, item: Json): string {
  if (typeof item !== 'object') return String(item);
  throw new MessageInvalid(`the field "${name}" is nested; a form is flat`);
}
