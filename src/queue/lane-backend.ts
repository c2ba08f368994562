// What the lanes need of the store behind BullMQ. Two exist, chosen by the composition root.

import type { Queue, Worker } from 'bullmq';
import type { LaneLimits } from './lanes.ts';

/** What one lane job carries: ids and names, never a body. Shown to operators as it is. */
export interface LaneJobData {
  /** The shape of this; a worker that does not know it leaves the job to one that does. */
  readonly v: 1;
  readonly delivery: string;
  readonly event: string;
  readonly round: number;
  readonly flow: string;
  readonly topic: string;
  readonly key: string;
}

export type LaneQueue = Queue<LaneJobData, string, string>;
export type LaneWorker = Worker<LaneJobData, string, string>;
export type LaneProcessor = (
  job: import('bullmq').Job<LaneJobData, string, string>,
  token: string | undefined,
  signal: AbortSignal | undefined,
) => Promise<string>;

export interface LaneBackend {
  readonly name: 'redis' | 'postgres';
  createQueue(lane: string): LaneQueue;
  /** It takes no job before its `run` is called. */
  createWorker(lane: string, limits: LaneLimits, process: LaneProcessor): LaneWorker;
  /** `false` while there is no connection, so that callers fail at once and nothing piles up. */
  isReachable(): boolean;
  /**
   * Those of a lane's jobs that are waiting, delayed or active. One round trip, and as quick over
   * a long backlog as over none.
   */
  findHeld(lane: string, jobIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** The lane's workers that have a connection, of all processes; undefined where the store does not tell. */
  countWorkers(queue: LaneQueue): Promise<number | undefined>;
  /**
   * The lowest priority at or behind `from` of a job that waits, where there is none the lowest of
   * all; 0 where none waits that has one.
   */
  headPriority(lane: string, from: number): Promise<number>;
  ping(): Promise<void>;
  /** After every queue and worker has been closed. */
  close(): Promise<void>;
}

/** Named limits of the lanes; each has its reason beside it. */
export const laneOptions = {
  /** Every key of ours begins with it; the braces keep a Redis Cluster's keys on one node. */
  prefix: '{crossdock}',
  job: {
    // The retry schedule is the journal's: a crash, a stall or a flush never spends an attempt.
    attempts: 1,
    // What failed is said in words; a stack would only show where the program lies.
    stackTraceLimit: 0,
    removeOnComplete: { age: 3_600, count: 1_000 },
    removeOnFail: { age: 14 * 86_400, count: 10_000 },
  },
  worker: {
    // A killed process' jobs are taken over after at most the two together. Short is safe: a worker
    // that merely stalled still holds the lease in the journal, and nobody else gets the delivery.
    lockDuration: 10_000,
    stalledInterval: 5_000,
    // Past this a job fails; the journal still has the delivery and the sweep makes a new job.
    maxStalledCount: 5,
    runRetryDelay: 2_000,
    drainDelay: 5,
  },
} as const;
