// The port of the replays: many old deliveries made again, by a query. A plan writes down what it is
// for, delivery by delivery; a run goes through that list, chunk by chunk, and each chunk is
// committed together with how far the run has come. So a run makes each delivery once, whoever works
// on it and however often that process dies.
//
// planned ──▶ running ──▶ done
//    │           └─ cancelling ─▶ cancelled      until none of its deliveries waits any more
//    └─────────────────────────▶ cancelled

import type { DeliveryState } from '../model/delivery.ts';
import type { Headers } from '../model/event.ts';
import type { DueDelivery, Replayed } from './journal.ts';

/** Of which deliveries; `unrouted`: events that no flow took. */
export const replayableStates = [
  'dead',
  'delivered',
  'cancelled',
  'filtered',
  'superseded',
  'unrouted',
] as const;

export type ReplayableState = (typeof replayableStates)[number];

/** Of which deliveries a replay is where nobody says otherwise. */
export const REPLAY_STATE_DEFAULT: ReplayableState = 'dead';

/** Fields of a query that name what a file has, or had. */
export const namedInQuery = ['flow', 'connector', 'source'] as const;

export type NamedInQuery = (typeof namedInQuery)[number];

/** All of what it says must hold. */
export interface ReplayQuery {
  readonly state: ReplayableState;
  readonly flow?: string;
  readonly connector?: string;
  readonly topic?: string;
  /** The connector that the event came from. */
  readonly source?: string;
  /** ISO times: when the event came in, from and before. */
  readonly since?: string;
  readonly until?: string;
  /** The code of what went wrong. */
  readonly code?: string;
  /** In the reason, in any case; or in the body, as UTF-8 text, byte for byte. */
  readonly text?: string;
  /** A problem's fingerprint. */
  readonly problem?: string;
  readonly shop?: string;
  /** The event's dedupe key. */
  readonly key?: string;
}

/** `original`: by the flow and mapping of the day; `current`: by those of today. */
export const replayRevisions = ['original', 'current'] as const;

export type ReplayRevision = (typeof replayRevisions)[number];

export type ReplayState = 'planned' | 'running' | 'done' | 'cancelling' | 'cancelled';

/** Where deliveries of a plan go; for events that no flow took, what they are. */
export interface ReplayTarget {
  readonly flow?: string;
  readonly connector?: string;
  readonly operation?: string;
  readonly source?: string;
  readonly topic?: string;
  readonly count: number;
}

export interface ReplayView {
  readonly id: string;
  readonly state: ReplayState;
  readonly query: ReplayQuery;
  readonly revision: ReplayRevision;
  readonly perSecond: number;
  readonly targets: readonly ReplayTarget[];
  readonly expectedMs: number;
  readonly warnings: readonly string[];
  /** Members of its list; how many of them it has come past; how many deliveries it made. */
  readonly total: number;
  readonly taken: number;
  readonly made: number;
  readonly createdAt: Date;
  readonly createdBy: string;
  readonly reason?: string;
  readonly startedAt?: Date;
  readonly endedAt?: Date;
  /** What it waits for, such as a lane that is too far behind. */
  readonly waitingFor?: string;
}

/** A delivery of the list, or an event of which no flow took note. */
export interface ReplayMember {
  /** In the list, from 0; a member that retention has deleted leaves its place empty. */
  readonly place: number;
  readonly deliveryId?: string;
  readonly eventId: string;
  readonly flow?: string;
  readonly connector?: string;
  readonly operation?: string;
  readonly revision?: string;
  readonly source: string;
  readonly topic: string;
  readonly shop?: string;
  readonly key: string;
  /** Only where it was asked for. */
  readonly body?: Buffer;
  /** Together with the body: they say what it is. */
  readonly headers?: Headers;
}

/** At most this many members; a larger replay is several. */
export const REPLAY_MEMBERS_MAX = 1_000_000;
/** Deliveries that one chunk makes; more at once would hold up the lanes' store. */
export const REPLAY_CHUNK_MAX = 500;

/** Rejects `journal-unavailable` as the journal does. */
export interface Replays {
  /**
   * Writes down which deliveries fit now: of an event and flow the newest, and none where a delivery
   * of both is under way. Where none fit, nothing is kept. Rejects `usage` where they are more than
   * a million, or where looking for them takes longer than 30 s.
   */
  plan(request: {
    readonly query: ReplayQuery;
    readonly revision: ReplayRevision;
    readonly perSecond: number;
    readonly by: string;
    readonly reason?: string;
  }): Promise<{
    readonly id: string;
    readonly total: number;
    /** Left out, because a newer one of the same event and flow stands for them. */
    readonly leftOut: number;
    readonly targets: readonly ReplayTarget[];
    /** Other plans and runs of the same query, dates aside, that are not over. */
    readonly alike: readonly string[];
  }>;
  /** Whether the journal has a delivery, or for `source` an event, of that name. */
  hasName(what: NamedInQuery, name: string): Promise<boolean>;
  describe(
    id: string,
    plan: { readonly expectedMs: number; readonly warnings: readonly string[] },
  ): Promise<void>;
  /** Rejects `not-found`. */
  get(id: string): Promise<ReplayView>;
  /** Newest first; at most 500. @default 50 */
  list(query: {
    readonly before?: string;
    readonly limit?: number;
  }): Promise<readonly ReplayView[]>;
  /** How many deliveries that it made are in which state. */
  countStates(id: string): Promise<Readonly<Partial<Record<DeliveryState, number>>>>;
  /** From `planned`, not later than a day after; rejects `not-found` or `state-conflict`. */
  start(id: string, by: string): Promise<void>;
  /** No more are made from here on; a plan is `cancelled` at once. Rejects as `start`. */
  cancel(id: string, by: string): Promise<void>;

  /** Runs with something to do now, most overdue first. */
  findDue(limit: number): Promise<readonly ReplayView[]>;
  /** Members from `from` on, in order; bodies of up to 16 MiB together, the others without theirs. */
  findMembers(page: {
    readonly replay: Pick<ReplayView, 'id' | 'query'>;
    readonly from: number;
    readonly limit: number;
    readonly bodies?: boolean;
  }): Promise<readonly ReplayMember[]>;
  /**
   * Makes the deliveries of the `count` members after `from`, and moves the run on, in one
   * statement. Those whose original has left its state since are not made. `undefined` where the
   * run is not at `from` any more, or runs no more: nothing was written.
   */
  makeChunk(chunk: {
    readonly id: string;
    readonly from: number;
    readonly count: number;
    readonly of: readonly Replayed[];
    readonly by: string;
  }): Promise<readonly DueDelivery[] | undefined>;
  /** Comes again after `inMs`. */
  postpone(id: string, inMs: number, waitingFor: string): Promise<void>;
  /** Cancels waiting deliveries of a run, at most `limit`; resolves with the last one's id. */
  cancelWaiting(page: {
    readonly id: string;
    readonly limit: number;
    readonly after?: string | undefined;
  }): Promise<string | undefined>;
  /** From `cancelling` to `cancelled`, where none of its deliveries is open any more. */
  endCancelled(id: string): Promise<boolean>;
  /** Deletes plans that were not run, and runs that ended, both older than `olderThanMs`. */
  deleteOld(olderThanMs: number): Promise<number>;
}
