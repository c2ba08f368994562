/** A turn of a poller, taken by this process until its lease ends. */
export interface PollerTurn {
  /** Grows with every turn; an end that carries an older one is refused. */
  readonly fence: string;
  /** As far as the last turn came; absent at the first one. */
  readonly cursor?: string;
  /** Turns in a row that failed. */
  readonly failures: number;
  /** The database's clock. */
  readonly now: Date;
}

export interface PollerView {
  readonly source: string;
  readonly cursor?: string;
  readonly nextAt: Date;
  readonly polledAt?: Date;
  readonly failures: number;
  readonly error?: string;
}

/** How far pollers and schedules have come; one process at a time. Rejects `journal-unavailable`. */
export interface Pollers {
  /** Takes the turn where one is due and nobody has it. */
  take(source: string, leaseMs: number): Promise<PollerTurn | undefined>;
  /** `false` where the lease was lost: then another process is at it. */
  extend(turn: {
    readonly source: string;
    readonly fence: string;
    readonly leaseMs: number;
  }): Promise<boolean>;
  /** Ends the turn; `false`, and nothing is written, where a newer one was taken. */
  end(turn: {
    readonly source: string;
    readonly fence: string;
    /** Absent: it stays as it was. */
    readonly cursor?: string;
    readonly nextInMs: number;
    /** Why it failed. */
    readonly error?: string;
  }): Promise<boolean>;
  list(): Promise<readonly PollerView[]>;
}
