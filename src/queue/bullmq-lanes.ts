// The lanes on BullMQ: a queue a connector, and a worker where this process delivers.

import type { Job } from 'bullmq';
import type { Log } from '../model/log.ts';
import { withinDeadline } from './deadline.ts';
import { createErrorStormBreaker, type Pausable } from './error-storm.ts';
import { createLaneAdder, jobIdOf, type LaneAdder } from './lane-adder.ts';
import type {
  LaneBackend,
  LaneJobData,
  LaneProcessor,
  LaneQueue,
  LaneWorker,
} from './lane-backend.ts';
import { createLaneLimit, type LaneLimit } from './lane-limit.ts';
import type { LaneCounts, LaneJob, LaneLimits, Lanes, LaneWork } from './lanes.ts';
import { bullmq } from './required-packages.ts';
import { createStartable } from './startable-worker.ts';
import {
  createProcessHolds,
  createWorkerHolds,
  type Holdable,
  type WorkerHolds,
} from './worker-holds.ts';

const COMMAND_DEADLINE_MS = 5_000;
/** A job that met a bug of ours, or a version that it does not know, comes again after this. */
const AFTER_BUG_MS = 30_000;

export interface BullmqLanes extends Lanes {
  /** For Bull Board. */
  readonly queues: readonly LaneQueue[];
}

interface Lane {
  readonly queue: LaneQueue;
  readonly adder: LaneAdder;
}

export function createBullmqLanes(options: {
  readonly backend: LaneBackend;
  /** The connectors that can be called: each gets a lane. */
  readonly names: readonly string[];
  /** Those that are shared fairly among tenants. @default none */
  readonly fair?: ReadonlySet<string>;
  readonly log: Log;
}): BullmqLanes {
  const { backend, log } = options;
  const lanes = new Map<string, Lane>();
  const workers: RunningWorker[] = [];
  const holds = createProcessHolds();
  const limited = new Map<string, LaneLimit>();
  let closed: Promise<void> | undefined;

  const isFair = (name: string): boolean => options.fair?.has(name) === true;
  const lane = (name: string): Lane => {
    const known = lanes.get(name);
    if (known !== undefined) return known;
    const queue = backend.createQueue(name);
    queue.on('error', (error) => log.debug({ err: error, lane: name }, 'lane queue error'));
    const made = { queue, adder: createLaneAdder(backend, queue, isFair(name)) };
    lanes.set(name, made);
    return made;
  };
  for (const name of options.names) lane(name);

  const command = <T>(name: string, run: (queue: LaneQueue) => Promise<T>): Promise<T> =>
    withinDeadline(run(lane(name).queue), COMMAND_DEADLINE_MS, `lane ${name}`);

  const keepLimit = async (name: string): Promise<void> => {
    const limit = limited.get(name);
    if (limit !== undefined) await command(name, () => limit.keep());
  };

  return {
    queues: [...lanes.values()].map((one) => one.queue),
    async add(jobs) {
      await Promise.all(jobs.map((job) => lane(job.lane).adder.add(job)));
    },
    findMissing: (jobs) => findMissing(backend, jobs),
    work(name, limits, work) {
      const limit = createLaneLimit(backend, lane(name).queue, limits.concurrency);
      limited.set(name, limit);
      const join = (): Promise<void> =>
        command(name, () => limit.join()).catch((error: unknown) => {
          log.debug({ err: error, lane: name }, 'limit not set yet; the sweep will do it');
        });
      const { isHeld } = holds;
      const worker = startWorker({ backend, log, name, limits, work, isHeld, join });
      workers.push(worker);
      holds.add(worker);
    },
    hold: holds.hold,
    release: holds.release,
    pause: (name) => command(name, (queue) => queue.pause()),
    resume: (name) => command(name, (queue) => queue.resume()),
    keepLimit,
    isPaused: (name) => command(name, (queue) => queue.isPaused()),
    count: (name) => command(name, countJobs),
    ping: () => withinDeadline(backend.ping(), COMMAND_DEADLINE_MS, 'lanes'),
    close(deadlineMs) {
      closed ??= close(deadlineMs);
      return closed;
    },
  };

  async function close(deadlineMs: number): Promise<void> {
    const ended = Promise.all(workers.map((worker) => worker.close()));
    await withinDeadline(ended, deadlineMs, 'lanes closing').catch((error: unknown) => {
      log.warn({ err: error }, 'lanes did not finish in time; their jobs will be taken over');
    });
    const queues = [...lanes.values()].map(({ queue }) => queue.close());
    await withinDeadline(Promise.all(queues), 1_000, 'lanes closing').catch(ignoreLate);
    await withinDeadline(backend.close(), 1_000, 'lanes closing').catch(ignoreLate);
  }

  // Without a connection a queue cannot say goodbye; the process ends all the same.
  function ignoreLate(error: unknown): void {
    log.debug({ err: error }, 'lanes closed without their backend');
  }
}

async function findMissing<J extends Pick<LaneJob, 'lane' | 'deliveryId' | 'round'>>(
  backend: LaneBackend,
  jobs: readonly J[],
): Promise<readonly J[]> {
  const held = new Map<string, ReadonlySet<string>>();
  const findHeld = async (name: string): Promise<void> => {
    const ids = jobs.filter((job) => job.lane === name).map(jobIdOf);
    const found = backend.findHeld(name, ids);
    held.set(name, await withinDeadline(found, COMMAND_DEADLINE_MS, `lane ${name}`));
  };
  await Promise.all([...new Set(jobs.map((job) => job.lane))].map(findHeld));
  return jobs.filter((job) => held.get(job.lane)?.has(jobIdOf(job)) !== true);
}

const counted = ['waiting', 'prioritized', 'active', 'delayed', 'failed'] as const;

async function countJobs(queue: LaneQueue): Promise<LaneCounts> {
  const counts = await queue.getJobCounts(...counted);
  const of = (state: (typeof counted)[number]): number => counts[state] ?? 0;
  const waiting = of('waiting') + of('prioritized');
  return { waiting, active: of('active'), delayed: of('delayed'), failed: of('failed') };
}

interface RunningWorker extends Holdable {
  close(): Promise<void>;
}

function startWorker(parts: {
  readonly backend: LaneBackend;
  readonly log: Log;
  readonly name: string;
  readonly limits: LaneLimits;
  readonly work: LaneWork;
  isHeld(): boolean;
  /** Before the first job; never rejects. */
  join(): Promise<void>;
}): RunningWorker {
  const { backend, log, name, limits } = parts;
  const process = processorOf(parts);
  let closing = false;
  const worker: LaneWorker = backend.createWorker(name, limits, (job, token, signal) => {
    const done = process(job, token, signal);
    // It was on its way here when the others were told to end.
    if (closing && job.id !== undefined) worker.cancelJob(job.id, CLOSING);
    return done;
  });
  const startable = createStartable(worker);
  const holds = createWorkerHolds(startable);
  const breaker = createErrorStormBreaker(heldBy(holds, 'error-storm'), name, log);
  const told = (error: unknown): void => log.warn({ err: error, lane: name }, 'hold failed');
  worker.on('error', breaker.onError);
  worker.on('lockRenewalFailed', (ids) => {
    for (const id of ids) worker.cancelJob(id, 'lock lost');
  });
  const start = async (): Promise<void> => {
    // A store that is away is no reason not to try.
    await worker.waitUntilReady().catch((error: Error) => {
      if (!closing) breaker.onError(error);
    });
    await parts.join();
    if (!closing) await startable.start();
  };
  start().catch(told);
  return {
    hold: (by) => void holds.hold(by).catch(told),
    release: (by) => void holds.release(by).catch(told),
    close() {
      closing = true;
      breaker.stop();
      const closed = worker.close();
      worker.cancelAllJobs(CLOSING);
      return closed;
    },
  };
}

const CLOSING = 'closing';

function heldBy(holds: WorkerHolds, by: string): Pausable {
  return { pause: () => holds.hold(by), resume: () => holds.release(by) };
}

/**
 * A worker that waited for a job when it was held may still get that one, and to delay a job takes a
 * clock that is right: the job ends, and the sweep brings its delivery back.
 */
const LEFT_TO_SWEEP = 'held in this process: left to the sweep';

// BullMQ hands over the signal only to a function of three parameters.
function processorOf(parts: {
  readonly name: string;
  readonly work: LaneWork;
  readonly log: Log;
  isHeld(): boolean;
}): LaneProcessor {
  const { name: lane, work, log, isHeld } = parts;
  return async (job, token, signal) => {
    if (isHeld()) return LEFT_TO_SWEEP;
    if (job.data.v !== 1) return again(job, token, AFTER_BUG_MS);
    const step = await work(laneJobOf(lane, job.data), signal ?? neverAborted).catch(
      (error: unknown) => {
        log.error({ err: error, lane, delivery: job.data.delivery }, 'delivery met a bug');
        return { kind: 'again' as const, inMs: AFTER_BUG_MS };
      },
    );
    switch (step.kind) {
      case 'done':
        return step.note;
      case 'failed':
        throw new bullmq.UnrecoverableError(step.reason);
      case 'again':
        return isHeld() ? LEFT_TO_SWEEP : again(job, token, step.inMs);
    }
  };
}

const neverAborted = new AbortController().signal;

async function again(
  job: Job<LaneJobData, string, string>,
  token: string | undefined,
  inMs: number,
): Promise<never> {
  await job.moveToDelayed(Date.now() + Math.ceil(inMs), token);
  throw new bullmq.DelayedError();
}

function laneJobOf(lane: string, data: LaneJobData): LaneJob {
  return {
    lane,
    deliveryId: data.delivery,
    eventId: data.event,
    round: data.round,
    flow: data.flow,
    topic: data.topic,
    key: data.key,
    dueInMs: 0,
  };
}
