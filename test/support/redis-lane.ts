// One BullMQ queue on a Redis of its own, filled and worked as the lanes do it.

import assert from 'node:assert/strict';
import { Queue, Worker } from 'bullmq';
import { startRedis } from './redis-server.ts';

export interface RedisLane {
  readonly queue: Queue;
  /** Adds a job for a delivery that there was not before. */
  add(options?: { delay?: number; timestamp?: number }): Promise<LaneJobIds>;
  /** Works on waiting jobs until so many of them are through. */
  run(count: number, work: () => Promise<string>): Promise<void>;
  close(): Promise<void>;
}

export interface LaneJobIds {
  readonly jobId: string;
  readonly delivery: string;
  readonly event: string;
}

const prefix = 'crossdock';

export async function startRedisLane(name: string): Promise<RedisLane> {
  const redis = await startRedis();
  assert.ok(redis);
  const connection = { host: '127.0.0.1', port: redis.port };
  const queue = new Queue(name, { connection, prefix });
  let added = 0;
  return {
    queue,
    async add(options = {}) {
      added += 1;
      const ids = {
        jobId: `delivery-${added}.1`,
        delivery: `delivery-${added}`,
        event: `event-${added}`,
      };
      const names = { flow: 'order-to-erp', topic: 'orders/create', key: '<img onerror=alert(1)>' };
      const data = { v: 1, delivery: ids.delivery, event: ids.event, round: 1, ...names };
      await queue.add(names.flow, data, { jobId: ids.jobId, ...options });
      return ids;
    },
    async run(count, work) {
      const worker = new Worker(name, work, {
        connection: { ...connection, maxRetriesPerRequest: null },
        prefix,
      });
      let through = 0;
      await new Promise<void>((resolve) => {
        const one = () => {
          through += 1;
          if (through === count) resolve();
        };
        worker.on('completed', one).on('failed', one);
      });
      await worker.close();
    },
    async close() {
      await queue.close();
      await redis.stop();
    },
  };
}
