// The one place where an error becomes an HTTP answer: problem+json (RFC 9457), without stacks and
// without what the hub knows about its own insides.

import { randomUUID } from 'node:crypto';
import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { ErrorRequestHandler } from 'express';
import { RefusedError } from '../intake/refusals.ts';
import { CrossdockError, type ErrorCode } from '../model/errors.ts';
import type { Log } from '../model/log.ts';

/** What a client is told to wait after a 503, in seconds. */
const RETRY_AFTER_SECONDS = 30;
/** One line a code in this time: a database that is away must not fill the disk with log lines. */
const LOG_EVERY_MS = 10_000;

interface Answer {
  readonly status: number;
  /** Said in place of the error's message, which may name hosts and files. */
  readonly detail?: string;
  /** What the client is told to wait, in seconds; after a 503 it is always told. */
  readonly retryAfterSeconds?: number;
}

const notAvailable = 'The hub cannot take this now; please try again later.';
const internal = 'The hub failed; its log has the details.';

const answers: Readonly<Record<ErrorCode, Answer>> = {
  usage: { status: 400 },
  'request-malformed': { status: 400 },
  'signature-invalid': { status: 401, detail: 'The request is not signed as it must be.' },
  'not-signed-in': { status: 401 },
  'cross-site-request': { status: 403 },
  'connector-unknown': { status: 404, detail: 'No connector of this name receives webhooks.' },
  'not-found': { status: 404 },
  'state-conflict': { status: 409 },
  'body-too-large': { status: 413 },
  'encoding-unsupported': { status: 415 },
  'too-many-tries': { status: 429 },
  'too-many-refused': {
    status: 429,
    detail: 'Too many requests of this address are not signed as they must be.',
    retryAfterSeconds: 60,
  },
  'journal-unavailable': { status: 503, detail: notAvailable },
  'journal-not-durable': { status: 503, detail: notAvailable },
  'journal-too-new': { status: 503, detail: notAvailable },
  'lanes-unavailable': { status: 503, detail: notAvailable },
  'embedded-server-failed': { status: 503, detail: notAvailable },
  'key-unavailable': { status: 503, detail: notAvailable },
  overloaded: { status: 503, detail: notAvailable },
  closing: { status: 503, detail: notAvailable },
  'configuration-invalid': { status: 500, detail: internal },
  'definitions-invalid': { status: 500, detail: internal },
  'port-taken': { status: 500, detail: internal },
  'hub-unreachable': { status: 500, detail: internal },
};

export interface Problem {
  readonly status: number;
  readonly code: ErrorCode | 'hub-error';
  readonly detail: string;
  /** Further members of the body. */
  readonly more?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The whole answer as text, and the headers that go with it. */
export function renderProblem(problem: Problem): {
  readonly headers: Readonly<Record<string, string | number>>;
  readonly text: string;
} {
  const { status, code, detail, more, headers } = problem;
  const title = STATUS_CODES[status] ?? 'Error';
  const text = JSON.stringify({ type: 'about:blank', title, status, detail, code, ...more });
  return {
    text,
    headers: {
      'content-type': 'application/problem+json; charset=utf-8',
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
      ...(status === 503 ? { 'retry-after': String(RETRY_AFTER_SECONDS) } : {}),
      ...headers,
    },
  };
}

export function sendProblem(response: ServerResponse, problem: Problem): void {
  const { headers, text } = renderProblem(problem);
  response.writeHead(problem.status, headers).end(text);
}

/**
 * Answers with what `error` means, and logs what is the hub's own fault. Returns the status.
 * `send` may be another way to the client than `sendProblem`.
 */
export type AnswerError = (
  error: unknown,
  response: ServerResponse,
  send?: typeof sendProblem,
) => number;

export function createAnswerError(log: Log): AnswerError {
  const loggedAtMs = new Map<string, number>();
  const logSometimes = (error: CrossdockError): void => {
    const nowMs = Date.now();
    if (nowMs - (loggedAtMs.get(error.code) ?? 0) < LOG_EVERY_MS) return;
    loggedAtMs.set(error.code, nowMs);
    log.warn({ err: error, code: error.code }, 'requests are being refused');
  };

  return (error, response, send = sendProblem) => {
    const problem = problemOf(error);
    if (error instanceof CrossdockError) {
      // A vendor may want a 503 for what is no fault of the hub.
      if (answers[error.code].status >= 500) logSometimes(error);
    } else if (problem.status >= 500) {
      log.error({ err: error, id: problem.more?.['id'] }, 'request failed');
    }
    if (response.headersSent) response.destroy();
    else send(response, problem);
    return problem.status;
  };
}

/** For Express: everything that a route throws or rejects with ends here. */
export function errorHandler(answerError: AnswerError): ErrorRequestHandler {
  // biome-ignore lint/complexity/useMaxParams: Express knows an error handler by its four parameters
  return (error, _request, response, _next) => {
    answerError(error, response);
  };
}

function problemOf(error: unknown): Problem {
  if (error instanceof CrossdockError) {
    const { status, detail, retryAfterSeconds: wait } = answers[error.code];
    const headers = wait === undefined ? {} : { headers: { 'retry-after': String(wait) } };
    const told = error instanceof RefusedError ? error.status : status;
    return { status: told, code: error.code, detail: detail ?? error.message, ...headers };
  }
  const status = clientErrorStatus(error);
  if (status === 413) return { status, code: 'body-too-large', detail: 'The body is too large.' };
  if (status !== undefined) {
    const detail = isNoJson(error) ? 'The body is not valid JSON.' : 'The request cannot be read.';
    return { status, code: 'request-malformed', detail };
  }
  return { status: 500, code: 'hub-error', detail: internal, more: { id: randomUUID() } };
}

/** As the parser of bodies marks it; its own message would quote the body. */
function isNoJson(error: unknown): boolean {
  return error instanceof SyntaxError && 'type' in error && error.type === 'entity.parse.failed';
}

/** Express and its parsers mark what the client did wrong with a `status` of 4xx. */
function clientErrorStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('status' in error)) return undefined;
  const { status } = error;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}
