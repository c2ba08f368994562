// Adds jobs to one lane, many in one round trip: what comes while an add is under way goes with the
// next. Bounded in jobs and time; what is refused here is found by the sweep.

import { CrossdockError } from '../model/errors.ts';
import { withinDeadline } from './deadline.ts';
import { createFairPlaces, type FairPlaces, LOW_PLACE } from './fair-places.ts';
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

/** `fair`: each job takes its place by the share of its tenant. */
export function createLaneAdder(backend: LaneBackend, queue: LaneQueue, fair: boolean): LaneAdder {
  const places = createFairPlaces();
  let waiting: Waiting[] = [];
  let busy = false;

  const flush = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, JOBS_PER_ADD_MAX);
      waiting = waiting.slice(JOBS_PER_ADD_MAX);
      try {
        await addBulk({ backend, queue, places, fair }, batch);
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

interface Target {
  readonly backend: LaneBackend;
  readonly queue: LaneQueue;
  readonly places: FairPlaces;
  readonly fair: boolean;
}

async function addBulk(target: Target, batch: readonly Waiting[]): Promise<void> {
  const { backend, queue } = target;
  // An add that is begun without a connection would wait for one, and so would thousands after it.
  if (!backend.isReachable()) {
    throw new CrossdockError('lanes-unavailable', `lane ${queue.name}: no connection`);
  }
  const placeOf = await placesFor(target, batch);
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
    opts: {
      jobId: jobIdOf(job),
      ...(job.dueInMs < 1 ? {} : { delay: Math.ceil(job.dueInMs) }),
      ...placeOf(job),
    },
  }));
  await withinDeadline(queue.addBulk(jobs), ADD_DEADLINE_MS, `lane ${queue.name}`);
}

/** Jobs without a priority go first and in their order, so that most lanes need none. */
async function placesFor(
  { backend, queue, places, fair }: Target,
  batch: readonly Waiting[],
): Promise<(job: LaneJob) => { readonly priority?: number }> {
  const isShared = ({ tenant, low }: LaneJob): boolean =>
    low !== true && (fair || tenant !== undefined);
  if (!batch.some(({ job }) => isShared(job))) return (job) => lowOr(job, {});
  const head = await withinDeadline(
    backend.headPriority(queue.name, places.from),
    ADD_DEADLINE_MS,
    `lane ${queue.name}`,
  );
  let lowest = head;
  return (job) => {
    if (!isShared(job)) return lowOr(job, {});
    const priority = places.next(job.tenant ?? '', lowest);
    // What this batch has added waits too.
    lowest = lowest === 0 ? priority : Math.min(lowest, priority);
    return { priority };
  };
}

function lowOr<T extends object>({ low }: LaneJob, other: T): T | { readonly priority: number } {
  return low === true ? { priority: LOW_PLACE } : other;
}

/** One job a delivery and round: adding it again changes nothing. */
export function jobIdOf(job: Pick<LaneJob, 'deliveryId' | 'round'>): string {
  return `${job.deliveryId}.${job.round}`;
}
