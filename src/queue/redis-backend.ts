// Lanes on Redis: one connection for all queues that fails fast, one for all workers that waits.

import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { type LaneBackend, type LaneJobData, laneOptions } from './lane-backend.ts';
import { workerOptions } from './worker-options.ts';

const FIRST_CONNECTION_MS = 2_000;

/** Resolves once connected, or soon where Redis is away: the lanes work when it is back. */
export async function createRedisBackend(options: {
  readonly url: string;
  onError(error: Error): void;
}): Promise<LaneBackend> {
  const retryStrategy = (tries: number): number => Math.min(100 * tries, 1_000);
  // Commands of one turn of the event loop travel in one write.
  const shared = { connectTimeout: 2_000, retryStrategy, enableAutoPipelining: true };
  const producer = new Redis(options.url, {
    ...shared,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: 5_000,
  });
  const consumer = new Redis(options.url, { ...shared, maxRetriesPerRequest: null });
  producer.on('error', options.onError);
  consumer.on('error', options.onError);
  await firstConnection(producer);
  return {
    name: 'redis',
    createQueue: (lane) =>
      new Queue<LaneJobData, string, string>(lane, {
        connection: producer,
        prefix: laneOptions.prefix,
        defaultJobOptions: laneOptions.job,
      }),
    createWorker: (lane, limits, process) =>
      new Worker<LaneJobData, string, string>(lane, process, {
        ...workerOptions(limits),
        connection: consumer,
        prefix: laneOptions.prefix,
      }),
    isReachable: () => producer.status === 'ready',
    async ping() {
      await producer.ping();
    },
    async close() {
      producer.disconnect();
      consumer.disconnect();
    },
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
