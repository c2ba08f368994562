// The port of the journal: the record of events, deliveries and attempts, which is the truth.
// The lanes are only a schedule; whatever they lose is rebuilt from here. Every time that is
// stored or compared is the database's clock.

import type { DeliveryState } from '../model/delivery.ts';
import type { Event, Headers } from '../model/event.ts';
import type { FlowRevision } from '../model/flow-revision.ts';
import type { Json } from '../model/json.ts';
import type { OrderPlace } from '../model/order.ts';
import type { OutcomeCode } from '../model/outcome.ts';
import type { ProblemSighting } from '../model/problem-fingerprint.ts';
import type { Gates } from './gates-port.ts';
import type { Chains } from './order-port.ts';

/** An event that is not stored yet, with the deliveries that it starts. */
export interface NewEvent {
  readonly id: string;
  readonly source: string;
  readonly topic: string;
  readonly dedupeKey: string;
  readonly shop?: string;
  readonly body: Buffer;
  readonly headers: Headers;
  readonly sha256: string;
  readonly occurredAt?: Date;
  /** Why its body cannot be read, in words; absent where it can, or where nobody has looked. */
  readonly unreadable?: string;
  readonly deliveries: readonly NewDelivery[];
}

export interface NewDelivery {
  readonly id: string;
  readonly flow: string;
  readonly connector: string;
  readonly operation: string;
  /** The hash of a revision that was saved before. */
  readonly revision: string;
  /** Where its flow keeps an order and the event has the key. */
  readonly order?: OrderPlace;
  /** Whose share of the lane it takes, where the lane is shared fairly. */
  readonly tenant?: string;
}

/** `id` is the first event's where the message came before; its deliveries are then not made again. */
export type Appended =
  | { readonly kind: 'stored'; readonly id: string }
  | { readonly kind: 'duplicate'; readonly id: string; readonly sameBody: boolean };

/** A delivery that this process may now attempt, with its event. */
export interface Claim {
  readonly deliveryId: string;
  /** Grows with every claim; a result that carries an older one is refused. */
  readonly fence: string;
  readonly flow: string;
  readonly revision: string;
  /** Attempts so far, all told. */
  readonly attempts: number;
  /** Attempts so far that count against the flow's limit. */
  readonly spent: number;
  /** Since the delivery was made or last reopened. */
  readonly ageMs: number;
  /**
   * 1 where a claim ended without a word since the last attempt that ended with one: whoever had it
   * vanished, perhaps for quite another reason. More where it was seen to end its process.
   */
  readonly strikes: number;
  /** The call may have been made and may have worked: nobody knows. */
  readonly ambiguous: boolean;
  /** Hand-backs in a row for errors of the hub's own. */
  readonly hubErrors: number;
  /** What it last came to, where it was tried or handed back since it was made or reopened. */
  readonly lastCode?: OutcomeCode;
  /** `<flow>:<key>`, where its flow keeps an order. */
  readonly chain?: string;
  /** The delivery that it repeats. */
  readonly replayOf?: string;
  /** With the body of the delivery's own, where a person edited it for a replay. */
  readonly event: Event;
}

export type Claimed =
  | { readonly kind: 'claimed'; readonly claim: Claim }
  /** Not due yet, or another process is at it: look again after `inMs`. */
  | { readonly kind: 'later'; readonly inMs: number }
  /**
   * Finished, cancelled, deleted, held, or another lane job stands for it now: nothing to do. With
   * `chain` the claim itself made it so, because of the order; then `advance` its chain.
   */
  | {
      readonly kind: 'gone';
      readonly state: DeliveryState | 'unknown';
      readonly chain?: string;
      readonly reason?: string;
    };

/** What became of a claim. Written once; refused when the fence is no longer the newest. */
export interface AttemptRecord {
  readonly deliveryId: string;
  readonly fence: string;
  /** The state the delivery goes to. */
  readonly state: Exclude<DeliveryState, 'active'>;
  /** For `pending`, `retrying`: due again after this long. */
  readonly dueInMs?: number;
  readonly code?: OutcomeCode;
  readonly reason?: string;
  /** For `retries-exhausted`: what the last attempt came to. Not stored; for listeners. */
  readonly cause?: OutcomeCode;
  /** How long the target wants no call at all. Not stored; for listeners. */
  readonly restMs?: number;
  /**
   * Whether the call may have been made and worked, by this attempt or an earlier one. @default by
   * the attempt's `ambiguous`; without an attempt it stays as it was
   */
  readonly inDoubt?: boolean;
  /** For `held`: what it waits for, such as `flow:order-to-erp`. */
  readonly heldBy?: string;
  /** For `dead`: its problem, counted together with the record. */
  readonly problem?: ProblemSighting;
  /** It was handed back for an error of the hub's own. @default false */
  readonly hubError?: boolean;
  /** It ended the process that it was tried in, alone: one strike more. @default false */
  readonly strike?: boolean;
  /** JSON text. */
  readonly result?: string;
  /** Absent where nothing was tried: a filter, a hand-back, an error of the hub's own. */
  readonly attempt?: {
    readonly durationMs: number;
    readonly outcome: 'delivered' | 'retry' | 'rejected';
    readonly ambiguous: boolean;
    /** Whether it counts against the flow's limit of attempts. @default true */
    readonly spends?: boolean;
    readonly status?: number;
    /** JSON text of the exchange's request and response, already cut and redacted. */
    readonly request?: string;
    readonly response?: string;
  };
  /** The event that the result becomes, stored together with the result. */
  readonly emits?: NewEvent;
}

export interface Recorded {
  readonly accepted: boolean;
  /** The id of the event that the result became. */
  readonly emitted?: string;
  /** This death opened its problem, for the first time or anew. One death of a batch says so. */
  readonly openedProblem?: boolean;
}

/** A delivery for which a lane needs a job. */
export interface DueDelivery {
  readonly deliveryId: string;
  readonly eventId: string;
  readonly connector: string;
  readonly flow: string;
  readonly topic: string;
  readonly key: string;
  /** Which lane job stands for the delivery: grows each time a new one is made. */
  readonly round: number;
  readonly dueInMs: number;
  readonly tenant?: string;
  /** Part of a replay by query: it goes when nothing else waits. */
  readonly low?: boolean;
}

export interface DeliveryView {
  readonly id: string;
  readonly eventId: string;
  readonly flow: string;
  readonly connector: string;
  readonly operation: string;
  readonly revision: string;
  readonly state: DeliveryState;
  readonly code?: string;
  readonly reason?: string;
  /** For `held`: what it waits for, such as `flow:order-to-erp`. */
  readonly heldBy?: string;
  readonly attempts: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** When the next attempt is due, for `pending` and `retrying`. */
  readonly dueAt?: Date;
  /** JSON text: numbers as they came. */
  readonly result?: string;
  readonly replayOf?: string;
  readonly idempotencyKey: string;
  readonly source: string;
  readonly topic: string;
  readonly key: string;
}

/** What a replay repeats: a delivery, or an event through a flow that it did not go through. */
export interface Replayed {
  /** The delivery's. */
  readonly id?: string;
  readonly eventId: string;
  readonly flow: string;
  readonly connector: string;
  readonly operation: string;
  readonly revision: string;
  /** Where it was routed anew: its place then. @default the place of the delivery that it repeats */
  readonly routed?: { readonly order?: OrderPlace; readonly tenant?: string };
}

export interface AttemptView {
  readonly number: number;
  readonly startedAt: Date;
  readonly durationMs: number;
  readonly outcome: string;
  readonly ambiguous: boolean;
  readonly code?: string;
  readonly reason?: string;
  readonly status?: number;
  readonly request?: Json;
  readonly response?: Json;
}

/** A change that no attempt explains: made by a person, a filter, a hand-back. */
export interface ChangeView {
  readonly at: Date;
  /** The new state, or `paused` and `resumed` for a lane. */
  readonly to: string;
  /** Who: `hub`, `cli`, `bull-board` … */
  readonly by: string;
  readonly reason?: string;
  /** `flow:<id>` or `operation:<connector>.<operation>`, where that was changed and not the lane. */
  readonly of?: string;
}

export interface EventQuery {
  readonly source?: string;
  readonly topic?: string;
  readonly key?: string;
  readonly shop?: string;
  /** Ids older than this one, for the next page. */
  readonly before?: string;
  /** At most 500. @default 50 */
  readonly limit?: number;
}

export interface DeliveryQuery {
  readonly flow?: string;
  readonly connector?: string;
  readonly state?: DeliveryState;
  readonly eventId?: string;
  /** The fingerprint of the problem it died of. */
  readonly problem?: string;
  readonly before?: string;
  /** At most 500. @default 50 */
  readonly limit?: number;
}

export interface EventSummary {
  readonly id: string;
  readonly source: string;
  readonly topic: string;
  readonly key: string;
  readonly shop?: string;
  readonly bytes: number;
  readonly receivedAt: Date;
  /** Why its body cannot be read, in words. */
  readonly unreadable?: string;
  /** How many deliveries are in which state. */
  readonly deliveries: Readonly<Partial<Record<DeliveryState, number>>>;
}

/** What came under the id of an event with another body. */
export interface ConflictView {
  /** Of the whole body. */
  readonly sha256: string;
  /** Bytes of the whole body. */
  readonly bytes: number;
  /** Its beginning where it is longer than 1 MiB. */
  readonly body: Buffer;
  readonly headers: Headers;
  readonly receivedAt: Date;
}

export interface LaneSummary {
  readonly connector: string;
  readonly open: number;
  readonly dead: number;
  /** The longest time that a delivery has been due, in milliseconds; 0 where none is. */
  readonly oldestDueMs: number;
  readonly pausedBy?: string;
  readonly pausedAt?: Date;
}

/**
 * Rejects with CrossdockError `journal-unavailable` when the database cannot be reached or does not
 * answer within its deadline. What then became of a write is unknown: it may have happened.
 */
export interface Journal extends Chains, Gates {
  /** Resolves after the commit; requests that arrive together are written together. */
  append(event: NewEvent): Promise<Appended>;
  /**
   * The events of one request: all of them or none, in one statement. Resolves with an answer for
   * each, in their order; of two with one key the first counts, and the other is its duplicate.
   */
  appendTogether(events: readonly NewEvent[]): Promise<readonly Appended[]>;
  /**
   * Takes a delivery for `leaseMs`; nobody else gets it before the lease has run out. Where only the
   * newest of its chain counts, the claim may be of that one instead.
   */
  claim(request: {
    readonly deliveryId: string;
    readonly round: number;
    readonly leaseMs: number;
  }): Promise<Claimed>;
  /** `false` when a newer claim exists: the result is refused and nothing was written. */
  record(record: AttemptRecord): Promise<Recorded>;

  saveRevisions(revisions: readonly FlowRevision[]): Promise<void>;
  /** Kept in memory once loaded: a revision never changes. */
  loadRevision(hash: string): Promise<FlowRevision | undefined>;

  /**
   * Deliveries overdue by `graceMs`, oldest first, from after `after`; none of the lanes `without`.
   */
  findOverdue(query: {
    readonly graceMs: number;
    readonly limit: number;
    readonly without?: readonly string[];
    readonly after?: { readonly dueAt: string; readonly deliveryId: string };
  }): Promise<{
    readonly due: readonly DueDelivery[];
    readonly last?: { readonly dueAt: string; readonly deliveryId: string };
  }>;
  /** Starts a new round for each, so that lane jobs of older rounds count no more. */
  renewRounds(deliveryIds: readonly string[]): Promise<readonly DueDelivery[]>;
  /** Runs `work` in at most one process at a time; resolves `false` where another has it. */
  whileLeader(task: string, work: () => Promise<void>): Promise<boolean>;

  getEvent(id: string): Promise<Event | undefined>;
  listEvents(query: EventQuery): Promise<readonly EventSummary[]>;
  /** At most a handful, oldest first, each body once. */
  listConflicts(eventId: string): Promise<readonly ConflictView[]>;
  getDelivery(id: string): Promise<DeliveryView | undefined>;
  listDeliveries(query: DeliveryQuery): Promise<readonly DeliveryView[]>;
  listAttempts(deliveryId: string): Promise<readonly AttemptView[]>;
  listChanges(deliveryId: string): Promise<readonly ChangeView[]>;
  /**
   * What was done since then to the lane, the flow and the operation of a delivery, oldest first; in
   * front of that what began to hold them before, and still did then.
   */
  listLaneChanges(
    query: Pick<DeliveryView, 'connector' | 'flow' | 'operation'> & { readonly since: Date },
  ): Promise<readonly ChangeView[]>;
  summarizeLanes(): Promise<readonly LaneSummary[]>;

  /**
   * Makes a delivery due now, in a new round: from `dead` or `cancelled` with a fresh count of
   * attempts (`reopen`), or from `pending`, `retrying`, `held` (`promote`).
   * Rejects `not-found` or, from another state, `state-conflict`.
   */
  reopen(change: DeliveryChange): Promise<DueDelivery>;
  promote(change: DeliveryChange): Promise<DueDelivery>;
  /**
   * From `dead` or any open state but `active` to `cancelled`. Rejects `not-found` or
   * `state-conflict`. With `chain` a later one may go now: `advance` it.
   */
  cancel(change: DeliveryChange): Promise<{ readonly chain?: string }>;
  /**
   * New deliveries of old events, with the same keys. `body` goes out in place of the event's. In a
   * chain the replay of a dead one that is in the way takes its place; any other comes last.
   */
  replay(request: {
    readonly of: readonly Replayed[];
    readonly by: string;
    readonly body?: Buffer;
  }): Promise<readonly DueDelivery[]>;
  /**
   * Notes which lanes have deliveries that have been due for longer than `olderThanMs`, and which no
   * longer do. Resolves with those that have; `since` stays the same as long as a lane lags.
   */
  markLagging(olderThanMs: number): Promise<
    readonly {
      readonly connector: string;
      readonly since: Date;
      readonly oldestDueAt: Date;
      readonly due: number;
    }[]
  >;

  /** Deletes finished events older than `olderThanMs`, at most `limit`; how many went. */
  deleteOldEvents(request: {
    readonly olderThanMs: number;
    readonly limit: number;
  }): Promise<number>;

  /** A round trip within `deadlineMs`; also how far this process' clock is ahead of the database's. */
  ping(deadlineMs: number): Promise<{ readonly clockAheadMs: number }>;
  close(): Promise<void>;
}

export interface DeliveryChange {
  readonly deliveryId: string;
  readonly by: string;
}
