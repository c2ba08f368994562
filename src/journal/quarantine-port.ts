// The port of the quarantine: requests that failed verification, kept apart from events and bounded
// in count, bytes and age. Nothing in it is ever mapped; released ones become events by the way that
// every webhook takes.

import type { Headers } from '../model/event.ts';

/** One refused request. What its `hidden` names is `sha256:` and 64 hex digits, everywhere. */
export interface NewQuarantined {
  readonly id: string;
  /** The connector it was sent to. */
  readonly source: string;
  /** A `RefusalCode` of intake. */
  readonly code: string;
  /** For people: what was found, what was wanted, and what would have fitted. */
  readonly reason: string;
  readonly receivedAt: Date;
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Headers;
  /** Names of headers that came more than once. */
  readonly repeated: readonly string[];
  /** `header authorization`, `query token`, `form token`, `json a.b`. */
  readonly hidden: readonly string[];
  readonly body: Buffer;
  /** Length of the body as it was sent. */
  readonly bytes: number;
  /** Hex, of the body as it was sent. */
  readonly sha256: string;
  readonly address?: string;
}

export interface Quarantined extends NewQuarantined {
  readonly releasedAt?: Date;
  /** The events that it became. */
  readonly eventIds: readonly string[];
}

/** Without the parts that may be large. */
export type QuarantinedSummary = Omit<Quarantined, 'body' | 'headers' | 'repeated' | 'hidden'>;

/** All of what it says must hold. */
export interface QuarantineQuery {
  readonly source?: string;
  readonly code?: string;
  /** ISO time: received from then on. */
  readonly since?: string;
}

/** How much of one connector is kept. */
export interface QuarantineBounds {
  readonly countMax: number;
  /** Bytes of bodies, headers and targets. */
  readonly bytesMax: number;
  readonly ageMsMax: number;
}

/** Rejects `journal-unavailable` as the journal does. */
export interface Quarantine {
  /** Stores all of them in one statement; one that is there already is left as it is. */
  add(requests: readonly NewQuarantined[]): Promise<void>;
  /**
   * Deletes the oldest beyond the bounds of each connector named, and then the oldest beyond
   * `allBytesMax` of all connectors together. How many went.
   */
  trim(bounds: ReadonlyMap<string, QuarantineBounds>, allBytesMax: number): Promise<number>;
  /** The connectors that something is kept of. */
  sources(): Promise<readonly string[]>;
  /** Newest first. */
  list(
    query: QuarantineQuery & {
      /** Older than this id. */
      readonly before?: string;
      /** At most 500. @default 50 */
      readonly limit?: number;
    },
  ): Promise<readonly QuarantinedSummary[]>;
  get(id: string): Promise<Quarantined | undefined>;
  /** Ids of those that were not released yet, oldest first; at most 500. */
  listHeld(
    query: QuarantineQuery & { readonly after?: string | undefined; readonly limit: number },
  ): Promise<readonly string[]>;
  /** Marks it; `false` where it was marked before, or is gone. */
  markReleased(id: string, eventIds: readonly string[]): Promise<boolean>;
  /** Deletes one. How many went. */
  dropOne(id: string): Promise<number>;
  /** Deletes all that the query says, released ones too. How many went. */
  drop(query: QuarantineQuery): Promise<number>;
}
