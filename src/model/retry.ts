/** When a delivery is tried again, and when no more. */
export interface RetryPolicy {
  /** Attempts in all, the first included. @default 12 */
  readonly attempts: number;
  /** The wait before the second attempt, in milliseconds. @default 5 s */
  readonly firstMs: number;
  /** The longest wait between two attempts, in milliseconds. @default 1 h */
  readonly maxMs: number;
  /** No attempt is planned for later than this after the delivery was made, in milliseconds. @default 72 h */
  readonly horizonMs: number;
}

export const defaultRetryPolicy: RetryPolicy = {
  attempts: 12,
  firstMs: 5_000,
  maxMs: 3_600_000,
  horizonMs: 72 * 3_600_000,
};

/** A Retry-After beyond this is cut to it: a target cannot park a delivery for a year. */
export const RETRY_AFTER_MAX_MS = 3_600_000;

/**
 * The wait after the attempt numbered `attempt` (1-based), in milliseconds: exponential backoff
 * with full jitter, uniform in (0, min(max, first * 2^(attempt-1))], as in the AWS Architecture
 * Blog's "Exponential Backoff And Jitter". What the target asked for is a floor: we come after it,
 * spread over one more `first`.
 */
export function backoffMs(
  policy: RetryPolicy,
  attempt: number,
  options: { readonly askedMs?: number; readonly random?: () => number } = {},
): number {
  const random = options.random ?? Math.random;
  const ceilingMs = Math.min(policy.maxMs, policy.firstMs * 2 ** Math.min(attempt - 1, 40));
  if (options.askedMs === undefined) return Math.max(1, Math.round(random() * ceilingMs));
  const flooredMs = Math.min(Math.max(0, options.askedMs), RETRY_AFTER_MAX_MS);
  return flooredMs + Math.round(random() * Math.min(ceilingMs, policy.firstMs));
}

/**
 * The wait that a Retry-After header asks for, in milliseconds from `nowMs`; seconds or an
 * HTTP-date (RFC 9110 §10.2.3). `undefined` where the header says neither.
 */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (/^\d{1,12}$/.test(text)) return Number(text) * 1_000;
  if (!/^[A-Za-z]{3},? /.test(text)) return undefined;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}
