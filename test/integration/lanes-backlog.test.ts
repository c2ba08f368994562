// What the sweep asks of a lane that is far behind: it must not depend on how far.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { newId } from '../../src/model/ids.ts';
import { type BullmqLanes, createBullmqLanes } from '../../src/queue/bullmq-lanes.ts';
import type { LaneBackend } from '../../src/queue/lane-backend.ts';
import type { LaneJob } from '../../src/queue/lanes.ts';
import { createPostgresLaneBackend } from '../../src/queue/postgres-backend.ts';
import { createRedisBackend } from '../../src/queue/redis-backend.ts';
import { skipWithoutRedis, startRedis } from '../support/redis-server.ts';
import { acquireTestDatabase, quietLog } from '../support/test-journal-server.ts';

/** As many as the sweep asks about at once. */
const PAGE = 500;
const ADDED_AT_ONCE = 1_000;
/** An answer over a backlog has this long, many times what it takes. */
const ANSWER_MS_MAX = 500;

const onError = (): void => undefined;

interface Store {
  readonly backend: LaneBackend;
  close(): Promise<void>;
}

const stores = {
  redis: {
    options: skipWithoutRedis(),
    backlog: 20_000,
    async open(): Promise<Store> {
      const redis = await startRedis();
      assert.ok(redis);
      const backend = await createRedisBackend({ url: redis.url, onError });
      return { backend, close: () => redis.stop() };
    },
  },
  postgres: {
    options: {},
    backlog: 3_000,
    async open(): Promise<Store> {
      const database = await acquireTestDatabase();
      const backend = await createPostgresLaneBackend({ url: database.url, workers: 0, onError });
      return { backend, close: () => database.close() };
    },
  },
};

function waitingJob(): LaneJob {
  return {
    lane: 'erp',
    deliveryId: newId(),
    eventId: newId(),
    round: 0,
    flow: 'order-to-erp',
    topic: 'orders/create',
    key: 'k1',
    dueInMs: 0,
  };
}

async function fill(lanes: BullmqLanes, count: number): Promise<readonly LaneJob[]> {
  const jobs = Array.from({ length: count }, waitingJob);
  for (let from = 0; from < count; from += ADDED_AT_ONCE) {
    await lanes.add(jobs.slice(from, from + ADDED_AT_ONCE));
  }
  return jobs;
}

for (const [name, { options, backlog, open }] of Object.entries(stores)) {
  describe(`a lane on ${name} with ${backlog} jobs waiting`, options, () => {
    test('tells at once which of its oldest jobs it holds', async (t) => {
      const { backend, close } = await open();
      const lanes = createBullmqLanes({ backend, names: ['erp'], log: quietLog });
      try {
        const oldest = (await fill(lanes, backlog)).slice(0, PAGE - 1);
        const absent = waitingJob();
        const startedAt = performance.now();
        const missing = await lanes.findMissing([...oldest, absent]);
        const tookMs = Math.round(performance.now() - startedAt);
        t.diagnostic(`${PAGE} jobs in ${tookMs} ms`);
        assert.deepEqual(missing, [absent]);
        assert.ok(tookMs < ANSWER_MS_MAX, `it took ${tookMs} ms`);
      } finally {
        await lanes.close(3_000);
        await close();
      }
    });
  });
}
