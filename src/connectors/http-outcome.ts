// The status policy: what an answer, or none, means for the delivery. The one place of the http
// kind that decides it.

import { STATUS_CODES } from 'node:http';
import type { Outcome, OutcomeCode } from '../model/outcome.ts';
import type { CallGuard } from './call-guard.ts';
import type { HttpAnswer } from './http-call.ts';
import { type Pace, paceOf } from './http-pace.ts';
import { networkFailureText, systemErrorCode } from './network-failure.ts';

export interface OutcomeContext {
  /** The remote system, as people call it. */
  readonly name: string;
  readonly timeoutMs: number;
  readonly nowMs: number;
  /** Statuses that mean delivered; any 2xx where absent. */
  readonly success?: ReadonlySet<number>;
  /** A 401 only means that the access token ran out: the next attempt gets a new one. */
  readonly tokenRenewed: boolean;
  /** The address is the same for every message, so that a 410 is about the operation. */
  readonly addressFixed: boolean;
}

type Answered = Extract<HttpAnswer, { kind: 'answered' }>;
type Retry = Extract<Outcome, { kind: 'retry' }>;

export function outcomeOf(answer: HttpAnswer, guard: CallGuard, context: OutcomeContext): Outcome {
  return answer.kind === 'failed'
    ? failedOutcome(answer.error, guard, context)
    : answeredOutcome(answer, guard, context);
}

function failedOutcome(error: unknown, guard: CallGuard, context: OutcomeContext): Retry {
  const { name, timeoutMs } = context;
  const ambiguous = guard.written ? { ambiguous: true } : {};
  if (guard.stop === 'deadline') {
    const reason = `${name} did not answer within ${timeoutMs} ms`;
    return { kind: 'retry', code: 'timed-out', reason, ...ambiguous };
  }
  if (systemErrorCode(error)?.startsWith('HPE_')) {
    const reason = `${name} answered with something that is not HTTP`;
    return { kind: 'retry', code: 'response-unusable', reason, ...ambiguous };
  }
  const what = guard.written ? 'did not answer' : 'could not be reached';
  const reason = `${name} ${what}: ${networkFailureText(error)}`;
  return { kind: 'retry', code: 'connection-failed', reason, ...ambiguous };
}

function answeredOutcome(answer: Answered, guard: CallGuard, context: OutcomeContext): Outcome {
  const { status } = answer;
  const pace = paceOf(status, answer.headers, context.nowMs);
  if (isSuccess(status, context)) {
    if (answer.ending === 'lost') return lostOutcome(status, guard, context);
    return { kind: 'delivered', status, ...restOf(pace) };
  }
  const reason = explained(status, `${context.name} answered ${statusText(status)}`);
  const code = retryCode(status, context);
  return code === undefined
    ? { kind: 'rejected', code: rejectionCode(status, context), reason, status, ...pace }
    : { kind: 'retry', code, reason, status, ...pace };
}

function restOf({ restMs }: Pace): Pick<Pace, 'restMs'> {
  return restMs === undefined ? {} : { restMs };
}

function isSuccess(status: number, { success }: OutcomeContext): boolean {
  return success === undefined ? status >= 200 && status < 300 : success.has(status);
}

function retryCode(status: number, { tokenRenewed }: OutcomeContext): OutcomeCode | undefined {
  if (status === 401) return tokenRenewed ? 'token-expired' : 'unauthorized';
  if (status === 429) return 'rate-limited';
  return status === 408 || status === 425 || status >= 500 ? 'remote-error' : undefined;
}

/** A success whose body never ended: the work is probably done, but nobody can say what came of it. */
function lostOutcome(status: number, guard: CallGuard, context: OutcomeContext): Retry {
  const { name, timeoutMs } = context;
  const begun = `${name} answered ${statusText(status)}`;
  const late = guard.stop === 'deadline';
  return {
    kind: 'retry',
    code: late ? 'timed-out' : 'connection-failed',
    reason: late
      ? `${begun}, but the answer did not end within ${timeoutMs} ms`
      : `${begun}, but the connection ended before the answer did`,
    status,
    ambiguous: true,
  };
}

function rejectionCode(status: number, { addressFixed }: OutcomeContext): OutcomeCode {
  if (status >= 300 && status < 400) return 'redirected';
  if (status === 410 && addressFixed) return 'operation-gone';
  return status === 403 ? 'forbidden' : 'rejected';
}

function explained(status: number, reason: string): string {
  if (status >= 200 && status < 300) return `${reason}, which is not in the operation's success`;
  return status >= 300 && status < 400 ? `${reason}; redirects are not followed` : reason;
}

/** Not the server's own words: those could carry anything. */
export function statusText(status: number): string {
  const text = STATUS_CODES[status];
  return text === undefined ? String(status) : `${status} ${text}`;
}
