// Lanes on Redis: one connection for all queues that fails fast, one for all workers that waits.

import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { type LaneBackend, type LaneJobData, laneOptions } from './lane-backend.ts';
import { workerOptions } from './worker-options.ts';

export function createRedisBackend(options: {
  readonly url: string;
  onError(error: Error): void;
}): LaneBackend {
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
