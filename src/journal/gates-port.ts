// The port of the gates: what holds a lane, a flow or an operation. A person's pause, an open breaker
// and a rest that a target asked for are all in the journal, so that every process sees the same and
// a restart changes nothing. The lanes only follow.

import type { DueDelivery } from './journal.ts';

/** What can be paused: a connector's whole lane, one flow, one operation. */
export const pauseScopes = ['connector', 'flow', 'operation'] as const;
export type PauseScope = (typeof pauseScopes)[number];

export interface PauseTarget {
  readonly scope: PauseScope;
  /** The connector's or flow's id; `<connector>.<operation>`. */
  readonly name: string;
}

export interface Pause extends PauseTarget {
  readonly at: Date;
  /** Who: `cli`, `api`, `bull-board`, `hub` … */
  readonly by: string;
  readonly reason?: string;
}

/** An open breaker: the target cannot be reached, or does not let us in. */
export interface OpenBreaker {
  readonly at: Date;
  /** The code of the failures that opened it, such as `connection-failed`. */
  readonly code: string;
  readonly reason: string;
  /** How often the target was probed since. */
  readonly probes: number;
  /** Milliseconds until it may be probed again; 0 where it may be now. */
  readonly probeInMs: number;
}

export interface Rest {
  /** Milliseconds that are left. */
  readonly forMs: number;
  readonly reason: string;
}

/** Why a lane begins no work now: at least one of the three. */
export interface ShutLane {
  readonly connector: string;
  readonly pause?: Omit<Pause, 'scope' | 'name'>;
  readonly breaker?: OpenBreaker;
  readonly rest?: Rest;
}

export interface Gates {
  /** The lanes that begin no work now. One small query, as quick over a long backlog as over none. */
  listShutLanes(): Promise<readonly ShutLane[]>;
  /** Every pause, oldest first. */
  listPauses(): Promise<readonly Pause[]>;
  /** `false` where it was paused already: whoever paused it first stays its author. */
  pause(request: PauseTarget & { readonly by: string; readonly reason?: string }): Promise<boolean>;
  /**
   * Takes a pause away; of a connector also what the hub itself holds its lane for, since a person
   * who resumes wants it tried now. `false` where nothing held it. Deliveries that a paused flow or
   * operation holds are released by `releaseHeld`.
   */
  resume(request: PauseTarget & { readonly by: string }): Promise<boolean>;
  /**
   * Makes at most `limit` deliveries wait again that are held by a pause which is over, oldest
   * first, each in a new round and due when it was due before. Only those that have been held for
   * `heldMs`, so that one whose pause is being written is left alone. @default 0
   */
  releaseHeld(query: {
    readonly limit: number;
    readonly heldMs?: number;
  }): Promise<readonly DueDelivery[]>;

  /** Puts a lane to rest for at least this long from now; a longer rest stays. */
  rest(request: {
    readonly connector: string;
    readonly ms: number;
    readonly reason: string;
  }): Promise<void>;
  /**
   * Opens the breaker of a lane; resolves with when, or with nothing where it is open already. One
   * that was open a moment ago goes on with the pace of its probes.
   */
  openBreaker(request: {
    readonly connector: string;
    readonly code: string;
    readonly reason: string;
  }): Promise<Date | undefined>;
  /** Closes it; resolves with what it was where this call closed it. */
  closeBreaker(connector: string): Promise<OpenBreaker | undefined>;
  /**
   * Takes the right to probe the target: for one process at a time, and then not before
   * `PROBE_MS_MIN` doubled with each probe up to `PROBE_MS_MAX`. Never while a person holds the lane
   * or it rests.
   */
  takeProbe(connector: string): Promise<boolean>;
  /** The delivery of a lane that is due first, also one that is not due yet; none that is held. */
  findFirstDue(connector: string): Promise<DueDelivery | undefined>;
}

/** Between two probes of one open breaker. */
export const PROBE_MS_MIN = 1_000;
export const PROBE_MS_MAX = 15_000;
