// What of an HTTP call is journaled: everything a person needs to see what went wrong, and nothing
// that lets anybody in.

import type { Headers } from '../model/event.ts';
import type { Outcome } from '../model/outcome.ts';
import type { Exchange, Sent } from './connector.ts';
import type { HttpAnswer, HttpRequest } from './http-call.ts';
import type { HttpOperation } from './http-request.ts';
import type { Redactor } from './redact.ts';

export interface Called {
  readonly operation: HttpOperation;
  /** Without the credentials. */
  readonly request: HttpRequest;
  /** Absent where nothing was sent. */
  readonly answer?: HttpAnswer;
  readonly outcome: Outcome;
  readonly redactor: Redactor;
}

/** Answers never show these, whatever their value. */
const hiddenResponseHeaders: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authenticate',
  'set-cookie',
  'www-authenticate',
]);
const HIDDEN = '[redacted]';

export function sentOf(called: Called): Sent {
  const { answer, outcome, redactor } = called;
  const exchange: Exchange = {
    request: requestRecord(called),
    ...(answer?.kind === 'answered' ? { response: responseRecord(answer, redactor) } : {}),
  };
  const shown =
    outcome.kind === 'delivered'
      ? outcome
      : { ...outcome, reason: redactor.redact(outcome.reason) };
  const sent = { outcome: shown, exchange };
  if (answer?.kind !== 'answered' || answer.ending === 'lost') return sent;
  const { body, ending } = answer;
  return { ...sent, responseBody: body, ...(ending === 'cut' ? { cutAt: body.length } : {}) };
}

function requestRecord({ operation, request, answer, redactor }: Called): Exchange['request'] {
  const summary = redactor.redact(`${request.method} ${shownUrl(request.url, operation)}`);
  if (answer === undefined) return { summary, bytes: 0 };
  return {
    summary,
    headers: shownHeaders(request.headers, operation.hiddenHeaders, redactor),
    ...(request.body === undefined ? {} : { body: redactor.excerpt(request.body) }),
    bytes: Buffer.byteLength(request.body ?? ''),
  };
}

function responseRecord(
  answer: Extract<HttpAnswer, { kind: 'answered' }>,
  redactor: Redactor,
): NonNullable<Exchange['response']> {
  return {
    status: answer.status,
    headers: shownHeaders(answer.headers, hiddenResponseHeaders, redactor),
    body: redactor.excerpt(answer.body.toString()),
    bytes: answer.body.length,
  };
}

function shownUrl(url: string, { hiddenQuery }: HttpOperation): string {
  if (hiddenQuery.size === 0) return url;
  const [address, query = ''] = url.split('?');
  const pairs = query.split('&').map((pair) => {
    const [name = ''] = pair.split('=');
    return hiddenQuery.has(decodeURIComponent(name)) ? `${name}=${HIDDEN}` : pair;
  });
  return `${address}?${pairs.join('&')}`;
}

function shownHeaders(headers: Headers, hidden: ReadonlySet<string>, redactor: Redactor): Headers {
  const shown: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    shown[lower] = hidden.has(lower) ? HIDDEN : redactor.redact(value);
  }
  return shown;
}
