// What an answer's headers say about pace: when to come again, and whether to call at all until
// then. Retry-After (RFC 9110 §10.2.3); the RateLimit fields in the three forms that the drafts of
// draft-ietf-httpapi-ratelimit-headers have had; and X-RateLimit-*, which no document defines.

import type { Headers } from '../model/event.ts';
import { parseRetryAfter, RETRY_AFTER_MAX_MS } from '../model/retry.ts';

export interface Pace {
  /** When this message may come again, in milliseconds from now; at most `RETRY_AFTER_MAX_MS`. */
  readonly afterMs?: number;
  /** How long no call is wanted at all, in milliseconds from now; at most `RETRY_AFTER_MAX_MS`. */
  readonly restMs?: number;
}

/** A limit as one answer tells it; `resetMs` is when there are calls again. */
interface Quota {
  readonly remaining?: number;
  readonly resetMs?: number;
}

/** Greater values of a reset are seconds since 1970, and beyond the second milliseconds. */
const EPOCH_SECONDS_MIN = 1_000_000_000;
const EPOCH_MS_MIN = 1_000_000_000_000;

/** `headers` have lower-case names. */
export function paceOf(status: number, headers: Headers, nowMs: number): Pace {
  const retryAfterMs = capped(parseRetryAfter(headers['retry-after'], nowMs));
  const isLimited = status === 429;
  const used = quotasOf(headers, nowMs).filter(
    ({ remaining = isLimited ? 0 : undefined }) => remaining === 0,
  );
  const resets = used.flatMap(({ resetMs }) => capped(resetMs) ?? []);
  const resetMs = resets.length === 0 ? undefined : Math.max(...resets);
  const asksForRest = isLimited || status === 503;
  const restMs = (asksForRest ? retryAfterMs : undefined) ?? resetMs;
  const afterMs = retryAfterMs ?? (isLimited ? restMs : undefined);
  return {
    ...(afterMs === undefined ? {} : { afterMs }),
    ...(restMs === undefined ? {} : { restMs }),
  };
}

function capped(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.min(Math.max(0, ms), RETRY_AFTER_MAX_MS);
}

function quotasOf(headers: Headers, nowMs: number): readonly Quota[] {
  const fields = (prefix: string) =>
    quota(headers[`${prefix}-remaining`], headers[`${prefix}-reset`], nowMs);
  return [
    fields('ratelimit'),
    fields('x-ratelimit'),
    fields('x-rate-limit'),
    ...structuredQuotas(headers['ratelimit'], nowMs),
  ];
}

/** `"burst";r=0;t=5, "daily";r=99;t=3600`, or as of draft 7 `limit=10, remaining=0, reset=5`. */
function structuredQuotas(value: string | undefined, nowMs: number): readonly Quota[] {
  if (value === undefined || value.length > STRUCTURED_LENGTH_MAX) return [];
  if (!value.includes(';')) {
    return [quota(parameter(value, 'remaining'), parameter(value, 'reset'), nowMs)];
  }
  return value
    .split(',')
    .map((policy) => quota(parameter(policy, 'r'), parameter(policy, 't'), nowMs));
}

const STRUCTURED_LENGTH_MAX = 2_000;

function parameter(text: string, name: string): string | undefined {
  return new RegExp(`(?:^|[;,])\\s*${name}=(\\d{1,15})\\s*(?=[;,]|$)`).exec(text)?.[1];
}

function quota(remaining: string | undefined, reset: string | undefined, nowMs: number): Quota {
  const left = parseCount(remaining);
  const seconds = parseCount(reset);
  return {
    ...(left === undefined ? {} : { remaining: left }),
    ...(seconds === undefined ? {} : { resetMs: resetMsOf(seconds, nowMs) }),
  };
}

function parseCount(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? '';
  return /^\d{1,15}(\.\d{1,9})?$/.test(trimmed) ? Number(trimmed) : undefined;
}

function resetMsOf(value: number, nowMs: number): number {
  if (value >= EPOCH_MS_MIN) return value - nowMs;
  return value >= EPOCH_SECONDS_MIN ? value * 1_000 - nowMs : value * 1_000;
}
