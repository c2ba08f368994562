// The port of the problems: dead deliveries that have one cause, grouped by fingerprint. Deaths are
// counted by the record itself (`journal.ts`); here is what people and the housekeeping do with them.

import type { OutcomeCode } from '../model/outcome.ts';
import type { ProblemSighting, ProblemState } from '../model/problem-fingerprint.ts';

export interface ProblemView {
  /** 32 hex digits. */
  readonly fingerprint: string;
  readonly class: string;
  readonly code: string;
  readonly connector: string;
  /** Normalised: ids, numbers and quoted values are `…`. */
  readonly message: string;
  readonly state: ProblemState;
  /** Deaths, all told; one that was retried and died again counts twice. */
  readonly count: number;
  /** Deliveries that are dead of it now. */
  readonly dead: number;
  /** The delivery that died of it last. */
  readonly sampleDelivery: string;
  readonly firstAt: Date;
  readonly lastAt: Date;
  /** Since it was last opened. */
  readonly openedAt: Date;
  /** When its state was last changed, and by whom: `hub`, `cli`, `api`. */
  readonly changedAt: Date;
  readonly changedBy: string;
}

export interface ProblemQuery {
  readonly state?: ProblemState;
  readonly connector?: string;
  /** At most 500. @default 50 */
  readonly limit?: number;
}

/** A delivery that is dead and belongs to no problem yet. */
export interface UncountedDeath {
  readonly deliveryId: string;
  readonly connector: string;
  readonly code: OutcomeCode;
  readonly reason: string;
  /** Of its event. */
  readonly source: string;
}

/** Where a dead delivery stands among all of them. */
export interface DeathPlace {
  readonly problem: string;
  readonly deliveryId: string;
}

/** Rejects `journal-unavailable` as the journal does. */
export interface Problems {
  /** Those that need somebody first (open, acknowledged, ignored, resolved), newest death first. */
  list(query: ProblemQuery): Promise<readonly ProblemView[]>;
  /**
   * By a whole fingerprint or its first 12 digits or more. Rejects `not-found`, and `usage` where
   * the digits fit several.
   */
  get(fingerprint: string): Promise<ProblemView>;
  /**
   * Sets its state, whatever it was. A person may resolve one that still has dead deliveries: they
   * stay dead, and the next death opens it anew. Rejects as `get`.
   */
  change(request: {
    readonly fingerprint: string;
    readonly state: ProblemState;
    readonly by: string;
  }): Promise<ProblemView>;

  /**
   * The older dead deliveries of the event and flow that `deliveryId` has just delivered become
   * `superseded`, and problems without members resolved. How many deliveries that were.
   */
  settleOlder(deliveryId: string): Promise<number>;
  /**
   * The same for one page of all dead deliveries, where a process vanished in between. Resolves with
   * the last of the page, for the next call; `undefined` after the last page.
   */
  settleMissed(page: {
    readonly limit: number;
    readonly after?: DeathPlace | undefined;
  }): Promise<DeathPlace | undefined>;
  /**
   * Dead deliveries of a key of which a newer version was sent become `superseded`; at most
   * `limit`. How many that were.
   */
  settleOutdated(limit: number): Promise<number>;
  /** Deaths that no problem has counted: of an older version, or by another way than a record. */
  findUncounted(limit: number): Promise<readonly UncountedDeath[]>;
  /** Counts such deaths; those that are no longer dead are left out. */
  count(
    deaths: readonly { readonly deliveryId: string; readonly problem: ProblemSighting }[],
  ): Promise<void>;
  /** Open and acknowledged problems none of whose deliveries is dead or under way: `resolved`. */
  resolveEmpty(): Promise<number>;
  /**
   * Open problems nobody was told of since they were opened, `graceMs` ago or longer and within the
   * last day. None whose deliveries were to tell of something themselves.
   */
  listUnannounced(graceMs: number): Promise<readonly ProblemView[]>;
  /** Somebody was told of this opening. */
  markAnnounced(problem: Pick<ProblemView, 'fingerprint' | 'openedAt'>): Promise<void>;
  /** Deletes problems that were resolved and did not change for `olderThanMs`; how many. */
  deleteOld(olderThanMs: number): Promise<number>;
}
