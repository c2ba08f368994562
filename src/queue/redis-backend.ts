// Lanes on Redis: one connection for all queues that fails fast, one for all workers that waits.

import type { Redis } from 'ioredis';
import { LOW_PLACE } from './fair-places.ts';
import { type LaneBackend, type LaneJobData, laneOptions } from './lane-backend.ts';
import { bullmq, ioredis } from './required-packages.ts';
import { workerOptions } from './worker-options.ts';

const FIRST_CONNECTION_MS = 2_000;
/** The score of a job that waits is its priority above a counter of 32 bits. */
const PRIORITY_UNIT = 2 ** 32;
/** A Redis that is away or refuses us says so many times a second. */
const ERROR_EVERY_MS = 30_000;

/** Resolves once connected, or soon where Redis is away: the lanes work when it is back. */
export async function createRedisBackend(options: {
  readonly url: string;
  /** Told of what is wrong with the connection: the first error, then one in 30 s. */
  onError(error: Error): void;
}): Promise<LaneBackend> {
  const onError = atMostEvery(ERROR_EVERY_MS, options.onError);
  const retryStrategy = (tries: number): number => Math.min(100 * tries, 1_000);
  // Commands of one turn of the event loop travel in one write.
  const shared = { connectTimeout: 2_000, retryStrategy, enableAutoPipelining: true };
  const producer = new ioredis.Redis(options.url, {
    ...shared,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: 5_000,
    reconnectOnError: whenReadOnly('reconnect', onError),
  });
  const consumer = new ioredis.Redis(options.url, {
    ...shared,
    maxRetriesPerRequest: null,
    reconnectOnError: whenReadOnly('reconnect-and-resend', onError),
  });
  producer.on('error', onError);
  consumer.on('error', onError);
  await firstConnection(producer);
  return {
    name: 'redis',
    createQueue: (lane) =>
      new bullmq.Queue<LaneJobData, string, string>(lane, {
        connection: producer,
        prefix: laneOptions.prefix,
        defaultJobOptions: laneOptions.job,
      }),
    createWorker: (lane, limits, process) =>
      new bullmq.Worker<LaneJobData, string, string>(lane, process, {
        ...workerOptions(limits),
        connection: consumer,
        prefix: laneOptions.prefix,
      }),
    isReachable: () => producer.status === 'ready',
    findHeld: (lane, jobIds) => findHeld(producer, lane, jobIds),
    // Some may not ask who is there.
    countWorkers: (queue) => queue.getWorkersCount().catch(() => undefined),
    async headPriority(lane, from) {
      const key = `${laneOptions.prefix}:${lane}:prioritized`;
      const below = `(${LOW_PLACE * PRIORITY_UNIT}`;
      const [behind, all] = await Promise.all([
        producer.zrangebyscore(key, from * PRIORITY_UNIT, below, 'WITHSCORES', 'LIMIT', 0, 1),
        producer.zrange(key, '0', '0', 'WITHSCORES'),
      ]);
      const [, score] = (behind.length > 0 ? behind : all).flat();
      return Math.floor(Number(score ?? 0) / PRIORITY_UNIT);
    },
    async ping() {
      await producer.ping();
    },
    async close() {
      producer.disconnect();
      consumer.disconnect();
    },
  };
}

/**
 * From each job's own record: BullMQ's question for a state searches the whole waiting list. A
 * record without an end is of a job that waits, is delayed or active.
 */
async function findHeld(
  redis: Redis,
  lane: string,
  jobIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const held = await Promise.all(
    jobIds.map(async (jobId) => {
      const key = `${laneOptions.prefix}:${lane}:${jobId}`;
      const [addedAt, finishedAt] = await redis.hmget(key, 'timestamp', 'finishedOn');
      return typeof addedAt === 'string' && typeof finishedAt !== 'string';
    }),
  );
  return new Set(jobIds.filter((_, index) => held[index]));
}

/**
 * After a failover the old primary keeps our connections and refuses what writes; its name leads
 * to the new one by now. What was refused changed nothing, so it may be sent again; where commands
 * do not wait for a connection, the caller gets the refusal instead.
 */
function whenReadOnly(
  then: 'reconnect' | 'reconnect-and-resend',
  onError: (error: Error) => void,
): (error: Error) => false | 1 | 2 {
  return (error) => {
    // Within a script's own message on Redis 6.
    if (!error.message.includes('READONLY')) return false;
    onError(error);
    return then === 'reconnect' ? 1 : 2;
  };
}

function atMostEvery(ms: number, report: (error: Error) => void): (error: Error) => void {
  let reportedAt = Number.NEGATIVE_INFINITY;
  return (error) => {
    const now = performance.now();
    if (now - reportedAt < ms) return;
    reportedAt = now;
    report(error);
  };
}

function firstConnection(redis: Redis): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, FIRST_CONNECTION_MS);
    const settle = (): void => {
      clearTimeout(timer);
      resolve();
    };
    redis.once('ready', settle);
    redis.once('error', settle);
  });
}
