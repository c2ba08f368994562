// The port of the lanes: one schedule a connector. A lane carries ids only and may forget all of
// them: the journal knows what is due, and the sweep fills the lanes again.

/** One lane job: it stands for one delivery. Everything here may be shown to operators. */
export interface LaneJob {
  /** The connector's id. */
  readonly lane: string;
  readonly deliveryId: string;
  readonly eventId: string;
  /** From the journal; a job of an older round does nothing. */
  readonly round: number;
  readonly flow: string;
  readonly topic: string;
  readonly key: string;
  readonly dueInMs: number;
  /** Whose share it takes, where the lane is shared fairly. */
  readonly tenant?: string;
  /** Goes when nothing else of the lane waits. @default false */
  readonly low?: boolean;
  /**
   * Not from a lane: the delivery is tried out of turn, to see whether its target is back.
   * @default false
   */
  readonly probe?: boolean;
}

/** What becomes of a lane job after its work. */
export type Step =
  | { readonly kind: 'done'; readonly note: string }
  | { readonly kind: 'again'; readonly inMs: number }
  | { readonly kind: 'failed'; readonly reason: string };

export interface LaneLimits {
  /** Jobs under way at once, over all processes. */
  readonly concurrency: number;
  /** Jobs begun in a span of time, over all processes. */
  readonly rate?: { readonly count: number; readonly perMs: number };
}

/**
 * `signal` aborts when the hub leaves or the job's lock was lost. Must settle soon after. A
 * rejection means a bug of the hub's own: the job comes again later.
 */
export type LaneWork = (job: LaneJob, signal: AbortSignal) => Promise<Step>;

export interface LaneCounts {
  /** Due and not begun. */
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly failed: number;
}

/** Every method rejects with CrossdockError `lanes-unavailable` past its deadline. */
export interface Lanes {
  /** Adds jobs, many at once; one that is there already stays as it is. */
  add(jobs: readonly LaneJob[]): Promise<void>;
  /** The given jobs that no lane holds: neither waiting, delayed nor active. */
  findMissing<J extends Pick<LaneJob, 'lane' | 'deliveryId' | 'round'>>(
    jobs: readonly J[],
  ): Promise<readonly J[]>;
  /** Starts taking jobs of one lane. Called once a lane. */
  work(lane: string, limits: LaneLimits, work: LaneWork): void;
  /**
   * Takes no jobs in this process, of no lane, until `release`; work under way goes on. Whoever else
   * holds a worker, or pauses a lane, is not touched. `by` names the holder.
   */
  hold(by: string): void;
  release(by: string): void;
  pause(lane: string): Promise<void>;
  resume(lane: string): Promise<void>;
  isPaused(lane: string): Promise<boolean>;
  /**
   * Tells the store once more how many jobs of a lane may be under way, where it has forgotten that
   * or heard another number; the sweep does so every few seconds. Does nothing for a lane that this
   * process does not work.
   */
  keepLimit(lane: string): Promise<void>;
  count(lane: string): Promise<LaneCounts>;
  /** A round trip to the backend. */
  ping(): Promise<void>;
  /** Stops taking jobs, aborts the signals, waits for the work under way until `deadlineMs`. */
  close(deadlineMs: number): Promise<void>;
}

/** The lane jobs that a new event's deliveries start with. */
export function laneJobsOf(event: {
  readonly id: string;
  readonly topic: string;
  readonly dedupeKey: string;
  readonly deliveries: readonly {
    readonly id: string;
    readonly flow: string;
    readonly connector: string;
    readonly tenant?: string;
  }[];
}): readonly LaneJob[] {
  return event.deliveries.map((delivery) => ({
    lane: delivery.connector,
    deliveryId: delivery.id,
    eventId: event.id,
    round: 0,
    flow: delivery.flow,
    topic: event.topic,
    key: event.dedupeKey,
    dueInMs: 0,
    ...(delivery.tenant === undefined ? {} : { tenant: delivery.tenant }),
  }));
}
