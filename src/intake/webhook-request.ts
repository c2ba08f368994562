// One request as intake sees it, and the reader of its parts. What is costly (the JSON, the form)
// is read at the first question, and once.

import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { crc32 } from 'node:zlib';
import { createJsonReader } from '../definitions/event-path.ts';
import type { Source, Token } from '../definitions/receive.ts';
import type { Headers } from '../model/event.ts';
import { formFieldsOf, sortedFields } from './form-fields.ts';

export interface WebhookRequest {
  readonly method: string;
  /** Path and query as they came, such as `/webhooks/shop?token=…`. */
  readonly target: string;
  readonly headers: Headers;
  /** Lower-case names of headers that came more than once. */
  readonly repeated: ReadonlySet<string>;
  /** No key is fetched for it: its address names too many that are none. @default false */
  readonly fetchesNothing?: boolean;
  /** The exact bytes that were received. */
  readonly body: Buffer;
  /** Who sent it, as far as trusted proxies say. */
  readonly address?: string;
  /** Whether a trusted proxy handed it on: only then do headers that proxies write count. */
  readonly viaTrustedProxy?: boolean;
}

const none: ReadonlySet<string> = new Set();

/** Headers with one text each; repeated ones joined as Node joins them. */
export function plainHeaders(headers: IncomingHttpHeaders): Headers {
  const plain: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (typeof value === 'string') plain[name] = value;
    else if (value !== undefined) plain[name] = value.join(', ');
  }
  return plain;
}

/** Names that stand more than once in Node's list of names and values. */
export function repeatedHeaders(rawHeaders: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>();
  let repeated: Set<string> | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    if (seen.has(name)) {
      repeated ??= new Set();
      repeated.add(name);
    }
    seen.add(name);
  }
  return repeated ?? none;
}

/** Whether the body came compressed. */
export function isEncoded(headers: Headers): boolean {
  const encoding = headers['content-encoding'];
  return encoding !== undefined && encoding !== '' && encoding !== 'identity';
}

/** Answers what a source or a token of a template is in one request. */
export interface RequestReader {
  readonly request: WebhookRequest;
  read(source: Source): string | undefined;
  /** Absent where only the way to verify knows it: `timestamp`, `secret`. */
  token(token: Token): string | Buffer | undefined;
}

export function createRequestReader(
  request: WebhookRequest,
  more: {
    /** The address as the sender has it. */
    readonly url?: string | undefined;
    /** Stands for the body where JSON paths lead: an element, a body without its charset. */
    readonly json?: Buffer;
  } = {},
): RequestReader {
  const json = createJsonReader(more.json ?? request.body);
  let query: URLSearchParams | undefined;
  let form: { readonly fields: URLSearchParams | undefined } | undefined;
  const formFields = (): URLSearchParams | undefined => {
    form ??= { fields: formFieldsOf(request.body) };
    return form.fields;
  };
  return {
    request,
    read(source) {
      switch (source.from) {
        case 'header':
          return present(request.headers[source.name]);
        case 'query':
          query ??= new URLSearchParams(queryOf(request.target));
          return present(query.get(source.name));
        case 'form':
          return present(formFields()?.get(source.name));
        case 'json':
          return json(source.path)?.text;
        default:
          return undefined;
      }
    },
    token(token) {
      switch (token) {
        case 'body':
          return request.body;
        case 'body.base64':
          return request.body.toString('base64');
        case 'body.sha256':
          return createHash('sha256').update(request.body).digest('hex');
        case 'body.crc32':
          return String(crc32(request.body));
        case 'method':
          return request.method;
        case 'url':
          return publicUrl(more.url, request.target);
        case 'form.sorted':
          // Nothing may be verified as if there were no form.
          return sortedForm(formFields()) ?? request.body;
        default:
          return undefined;
      }
    },
  };
}

/** The configured address with the request's own query, where it has none itself. */
function publicUrl(url: string | undefined, target: string): string | undefined {
  if (url === undefined || url.includes('?')) return url;
  const query = queryOf(target);
  return query === '' ? url : `${url}?${query}`;
}

export function queryOf(target: string): string {
  const at = target.indexOf('?');
  return at === -1 ? '' : target.slice(at + 1);
}

/** Names and values end to end, in the order of the names; a name's values in theirs. */
function sortedForm(form: URLSearchParams | undefined): string | undefined {
  if (form === undefined) return undefined;
  return sortedFields(form)
    .flatMap(([name, values]) => values.map((value) => name + value))
    .join('');
}

function present(value: string | null | undefined): string | undefined {
  return value === null || value === '' ? undefined : value;
}
