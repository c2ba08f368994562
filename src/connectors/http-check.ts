// Mistakes in an http connector's file that its schema cannot say, and the rules about addresses,
// paths and headers that both `check` and the running connector keep.

import type { KindProblem } from '../definitions/definitions.ts';
import type { JsonObject } from '../model/json.ts';
import { isForbiddenAddress } from './forbidden-address.ts';
import {
  type HttpAuthFields,
  type HttpConnectorFields,
  type HttpMethod,
  type HttpOperationFields,
  httpMethods,
} from './http-fields.ts';
import { parseTemplate } from './text-template.ts';

type Path = KindProblem['path'];

/** Values that do not fit the schema have been left out. */
type FittingAuth = {
  readonly [Way in keyof NonNullable<HttpAuthFields>]?: Partial<NonNullable<HttpAuthFields>[Way]>;
};

const forbiddenHeaders = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'upgrade',
  'expect',
  'te',
  'trailer',
]);

export function checkHttp(
  connector: JsonObject,
  operations: ReadonlyMap<string, JsonObject>,
): readonly KindProblem[] {
  const fields: Partial<HttpConnectorFields> = connector;
  const problems = [
    ...checkUrl(fields.baseUrl, ['baseUrl'], { bare: true }),
    ...checkAuth(fields.auth),
    ...checkHeaders(fields.headers, ['headers']),
  ];
  for (const [name, operation] of operations) {
    problems.push(...checkOperation(operation as HttpOperationFields, ['operations', name]));
  }
  return problems;
}

/** The name of a header that a file may set. */
export function isAllowedHeader(name: string): boolean {
  const lower = name.toLowerCase();
  return /^[A-Za-z0-9-]+$/.test(name) && !forbiddenHeaders.has(lower) && !/^proxy-/.test(lower);
}

/** Tab, and whatever of Latin-1 can be printed: no CR, LF or NUL (RFC 9110 §5.5). */
export function isHeaderValue(value: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}

/** Whether a path holds `.` or `..` as a segment, also spelled with %2e: URL parsers resolve those. */
export function hasDotSegment(path: string): boolean {
  return /(^|\/)(\.|%2e){1,2}(\/|$)/i.test(path);
}

/** The methods an operation names; one of them is right. */
export function methodsOf(operation: HttpOperationFields): HttpMethod[] {
  return httpMethods.filter((method) => operation[method] !== undefined);
}

function checkUrl(
  text: string | undefined,
  path: Path,
  { bare }: { bare: boolean },
): KindProblem[] {
  if (text === undefined) return [];
  const problem = (code: string, message: string) => [{ path, code, message }];
  if (!URL.canParse(text)) return problem('url-invalid', `"${path.at(-1)}" is not an absolute URL`);
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return problem('url-invalid', `"${path.at(-1)}" does not start with http:// or https://`);
  }
  if (url.username !== '' || url.password !== '') {
    return problem('url-invalid', 'user and password belong in "auth", not in the address');
  }
  if (bare && (url.search !== '' || url.hash !== '')) {
    return problem('url-invalid', 'the base address has a query or a fragment');
  }
  if (isForbiddenAddress(url.hostname.replace(/^\[|\]$/g, ''))) {
    return problem('address-forbidden', 'link-local and metadata addresses are never called');
  }
  return [];
}

function checkAuth(auth: FittingAuth | undefined): KindProblem[] {
  const problems: KindProblem[] = [];
  const invalid = (path: Path, message: string) =>
    problems.push({ path: ['auth', ...path], code: 'header-invalid', message });
  if (auth?.bearer !== undefined && !/^[\x21-\x7e]+$/.test(auth.bearer)) {
    invalid(['bearer'], 'a bearer token has no spaces, line breaks or non-ASCII characters');
  }
  if (auth?.basic?.user?.includes(':')) invalid(['basic', 'user'], 'a user name has no colon');
  const { name, value } = auth?.header ?? {};
  if (name !== undefined && !isAllowedHeader(name)) {
    problems.push(forbidden(['auth', 'header', 'name']));
  }
  if (value !== undefined && !isHeaderValue(value)) {
    invalid(['header', 'value'], 'the value has characters that a header cannot carry');
  }
  const tokenUrl = ['auth', 'oauth2', 'tokenUrl'];
  return [...problems, ...checkUrl(auth?.oauth2?.tokenUrl, tokenUrl, { bare: false })];
}

function checkOperation(operation: HttpOperationFields, path: Path): KindProblem[] {
  return [
    ...checkMethod(operation, path),
    ...checkBody(operation, path),
    ...checkHeaders(operation.headers, [...path, 'headers']),
    ...checkIdempotency(operation, path),
    ...Object.entries(operation.query ?? {}).flatMap(([name, value]) =>
      checkTemplate(value, [...path, 'query', name]),
    ),
  ];
}

function checkMethod(operation: HttpOperationFields, path: Path): KindProblem[] {
  const methods = methodsOf(operation);
  const method = methods[0];
  if (method === undefined) {
    const message = 'the operation has no method';
    return [{ path, code: 'method-missing', message, hint: 'add one such as post: /orders' }];
  }
  if (methods.length > 1) {
    const message = `the operation has ${methods.length} methods: ${methods.join(', ')}`;
    return [{ path, code: 'method-ambiguous', message, hint: 'make it several operations' }];
  }
  return checkPath(operation[method] ?? '', [...path, method]);
}

function checkPath(text: string, path: Path): KindProblem[] {
  const problem = (message: string) => [{ path, code: 'path-invalid', message }];
  if (!/^\/(?!\/)/.test(text)) return problem('a path starts with one "/"; it goes below baseUrl');
  const fixed = text.replace(/\{[^{}]*\}/g, 'x');
  if (/[?#]/.test(fixed)) return problem('a path has no "?" or "#"; use "query"');
  if (/[\s\\]/.test(fixed)) return problem('a path has no spaces, line breaks or backslashes');
  if (hasDotSegment(fixed)) return problem('a path has no "." or ".." segments');
  return checkTemplate(text, path);
}

function checkBody(operation: HttpOperationFields, path: Path): KindProblem[] {
  if (operation.get === undefined || (operation.body ?? 'none') === 'none') return [];
  return [{ path: [...path, 'body'], code: 'body-not-allowed', message: 'a get has no body' }];
}

function checkIdempotency(operation: HttpOperationFields, path: Path): KindProblem[] {
  const header = operation.idempotency?.header;
  if (header === undefined || isAllowedHeader(header)) return [];
  return [forbidden([...path, 'idempotency', 'header'])];
}

function checkHeaders(headers: HttpConnectorFields['headers'], path: Path): KindProblem[] {
  return Object.entries(headers ?? {}).flatMap(([name, value]) => {
    const at = [...path, name];
    if (!isAllowedHeader(name)) return [forbidden(at)];
    const problems = checkTemplate(value, at);
    if (problems.length === 0 && !parseTemplate(value).literals.every(isHeaderValue)) {
      const message = 'the value has characters that a header cannot carry';
      problems.push({ path: at, code: 'header-invalid', message });
    }
    return problems;
  });
}

function forbidden(path: Path): KindProblem {
  const message =
    'this header cannot be set: its name is not valid, or it belongs to the connection';
  return { path, code: 'header-forbidden', message };
}

function checkTemplate(text: string, path: Path): KindProblem[] {
  try {
    parseTemplate(text);
    return [];
  } catch (error) {
    return [{ path, code: 'template-invalid', message: (error as Error).message }];
  }
}
