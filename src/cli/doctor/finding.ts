/** One row of `crossdock doctor`. */
export interface Finding {
  readonly what: string;
  readonly verdict: 'pass' | 'warn' | 'fail';
  /** What was found. */
  readonly found: string;
  /** What to do about it, for a warning or a failure. */
  readonly todo?: string;
  /** The thing could not be reached at all, so that nothing can be said about it. */
  readonly unreachable?: boolean;
}

export function pass(what: string, found: string): Finding {
  return { what, verdict: 'pass', found };
}

export function warn(what: string, found: string, todo: string): Finding {
  return { what, verdict: 'warn', found, todo };
}

export function fail(what: string, found: string, todo: string): Finding {
  return { what, verdict: 'fail', found, todo };
}

/** A clock that is this far off is looked at; the journal's own clock decides when things are due. */
const CLOCK_WARN_MS = 2_000;
const CLOCK_FAIL_MS = 5_000;

export function judgeClock(what: string, aheadMs: number): Finding {
  const found = `${Math.abs(Math.round(aheadMs))} ms ${aheadMs < 0 ? 'behind' : 'ahead'}`;
  const todo = 'Set the clocks of both machines by NTP.';
  if (Math.abs(aheadMs) > CLOCK_FAIL_MS) return fail(what, found, todo);
  return Math.abs(aheadMs) > CLOCK_WARN_MS ? warn(what, found, todo) : pass(what, found);
}
