// Adds jobs to one lane, many in one round trip: what comes while an add is under way goes with the
// next. Bounded in jobs and time; what is refused here is found by the sweep.

import { CrossdockError } from '../model/errors.ts';
import { withinDeadline } from './deadline.ts';
import type { LaneBackend, LaneQueue } from './lane-backend.ts';
import type { LaneJob } from './lanes.ts';

const ADD_DEADLINE_MS = 1_500;
/** One bulk add; larger ones stall Redis for everybody. */
const JOBS_PER_ADD_MAX = 500;
const JOBS_WAITING_MAX = 5_000;

interface Waiting {
  readonly job: LaneJob;
  resolve(): void;
  reject(error: unknown): void;
}

export interface LaneAdder {
  add(job: LaneJob): Promise<void>;
}

export function createLaneAdder(backend: LaneBackend, queue: LaneQueue): LaneAdder {
  let waiting: Waiting[] = [];
  let busy = false;

  const flush = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, JOBS_PER_ADD_MAX);
      waiting = waiting.slice(JOBS_PER_ADD_MAX);
      try {
        await addBulk(backend, queue, batch);
        for (const one of batch) one.resolve();
      } catch (error) {
        for (const one of batch) one.reject(error);
      }
    }
    busy = false;
  };

  return {
    add: (job) =>
      new Promise((resolve, reject) => {
        if (waiting.length >= JOBS_WAITING_MAX) {
          const message = `lane ${queue.name}: ${JOBS_WAITING_MAX} jobs are waiting to be added`;
          reject(new CrossdockError('lanes-unavailable', message));
          return;
        }
        waiting.push({ job, resolve, reject });
        if (busy) return;
        busy = true;
        setImmediate(() => void flush());
      }),
  };
}

async function addBulk(
  backend: LaneBackend,
  queue: LaneQueue,
  batch: readonly Waiting[],
): Promise<void> {
  // An add that is begun without a connection would wait for one, and so would thousands after it.
  if (!backend.isReachable()) {
    throw new CrossdockError('lanes-unavailable', `lane ${queue.name}: no connection`);
  }
  const jobs = batch.map(({ job }) => ({
    name: job.flow,
    data: {
      v: 1 as const,
      delivery: job.deliveryId,
      event: job.eventId,
      round: job.round,
      flow: job.flow,
      topic: job.topic,
      key: job.key,
    },
    opts: { jobId: jobIdOf(job), ...(job.dueInMs < 1 ? {} : { delay: Math.ceil(job.dueInMs) }) },
  }));
  await withinDeadline(queue.addBulk(jobs), ADD_DEADLINE_MS, `lane ${queue.name}`);
}

/** One job a delivery and round: adding it again changes nothing. */
export function jobIdOf(job: Pick<LaneJob, 'deliveryId' | 'round'>): string {
  return `${job.deliveryId}.${job.round}`;
}
