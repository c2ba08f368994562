// What was fetched, kept for a while. Owns how often it is fetched: one fetch at a time for one
// name, none soon after one that failed, and so many a minute for one group that requests which
// name ever new addresses cannot make the hub a nuisance to anyone.

import { within } from '../model/within.ts';
import { KeyUnavailable } from './key-unavailable.ts';

/** How long a request waits; the fetch goes on, and the next request finds what it brought. */
const WAIT_MS = 1_000;
/** How long a fetch that failed is not tried again. */
const FAILURE_MS = 10_000;
/** How soon what is kept may be fetched again because something was not in it. */
const AGAIN_MS = 30_000;
const FETCHES_MAX = 30;
const FETCHES_WINDOW_MS = 60_000;
const KEPT_MAX = 256;
const FAILURES_MAX = 1_024;

export interface Wanted<Value> {
  readonly name: string;
  /** Those that share an allowance of fetches; as many as the files name. */
  readonly group: string;
  readonly keptMs: number;
  /** Whether what is kept is not enough, unless it was fetched just now. */
  readonly again?: boolean;
  /** Nothing is fetched for this request. @default false */
  readonly keptOnly?: boolean;
  /** `endsAtMs`: past it the value is never used. Rejects `KeyUnavailable`. */
  fetch(): Promise<{ readonly value: Value; readonly endsAtMs: number }>;
}

interface Kept<Value> {
  readonly value: Value;
  readonly fetchedAtMs: number;
  /** Past it the value is fetched anew, and used while that goes on … */
  readonly freshUntilMs: number;
  /** … but not past this. */
  readonly usableUntilMs: number;
}

export interface KeptValues<Value> {
  /** Rejects `KeyUnavailable`, after a second at the latest. */
  get(wanted: Wanted<Value>): Promise<Value>;
}

export function createKeptValues<Value>(now: () => number): KeptValues<Value> {
  const kept = new Map<string, Kept<Value>>();
  const failures = new Map<string, { readonly error: KeyUnavailable; readonly untilMs: number }>();
  const flights = new Map<string, Promise<Value>>();
  const allow = createAllowance(now);

  const load = async ({ name, keptMs, fetch }: Wanted<Value>): Promise<Value> => {
    try {
      const { value, endsAtMs } = await fetch();
      const fetchedAtMs = now();
      const usableUntilMs = Math.min(fetchedAtMs + 2 * keptMs, endsAtMs);
      const freshUntilMs = Math.min(fetchedAtMs + keptMs, usableUntilMs);
      put(kept, name, { value, fetchedAtMs, freshUntilMs, usableUntilMs });
      trim(kept, KEPT_MAX);
      failures.delete(name);
      return value;
    } catch (error) {
      if (error instanceof KeyUnavailable) {
        put(failures, name, { error, untilMs: now() + FAILURE_MS });
        trim(failures, FAILURES_MAX);
      }
      throw error;
    } finally {
      flights.delete(name);
    }
  };

  const refresh = async (wanted: Wanted<Value>): Promise<Value> => {
    const { name, group, keptOnly = false } = wanted;
    const flying = flights.get(name);
    if (flying !== undefined) return flying;
    const failure = failures.get(name);
    if (failure !== undefined && now() < failure.untilMs) throw failure.error;
    // What was good once is not kept from being fetched anew by names that never were.
    if (keptOnly || !allow(kept.has(name) ? `kept ${name}` : group))
      throw new KeyUnavailable('too-many-fetches');
    const flight = load(wanted);
    flights.set(name, flight);
    // Nobody may be waiting for it any more.
    flight.catch(() => undefined);
    return flight;
  };

  return {
    async get(wanted) {
      const { name, again = false } = wanted;
      const found = kept.get(name);
      const isUsable = found !== undefined && now() < found.usableUntilMs;
      if (!isUsable || (again && now() >= found.fetchedAtMs + AGAIN_MS)) {
        return within(refresh(wanted), WAIT_MS, () => new KeyUnavailable('timed-out'));
      }
      put(kept, name, found);
      if (now() >= found.freshUntilMs) refresh(wanted).catch(() => undefined);
      return found.value;
    },
  };
}

/** What was used last stands last. */
function put<Value>(map: Map<string, Value>, name: string, value: Value): void {
  map.delete(name);
  map.set(name, value);
}

function trim(map: Map<string, unknown>, sizeMax: number): void {
  for (const name of map.keys()) {
    if (map.size <= sizeMax) return;
    map.delete(name);
  }
}

function createAllowance(now: () => number): (group: string) => boolean {
  const windows = new Map<string, { readonly sinceMs: number; count: number }>();
  return (group) => {
    const known = windows.get(group);
    const isOver = known === undefined || now() - known.sinceMs >= FETCHES_WINDOW_MS;
    const window = isOver ? { sinceMs: now(), count: 0 } : known;
    windows.set(group, window);
    window.count += 1;
    return window.count <= FETCHES_MAX;
  };
}
