// A process that takes no jobs, beside another that does, on the real stores.

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { newId } from '../../src/model/ids.ts';
import { type BullmqLanes, createBullmqLanes } from '../../src/queue/bullmq-lanes.ts';
import type { LaneBackend } from '../../src/queue/lane-backend.ts';
import type { LaneJob, LaneWork } from '../../src/queue/lanes.ts';
import { createPostgresLaneBackend } from '../../src/queue/postgres-backend.ts';
import { createRedisBackend } from '../../src/queue/redis-backend.ts';
import { createWorkerHolds } from '../../src/queue/worker-holds.ts';
import { skipWithoutRedis, startRedis } from '../support/redis-server.ts';
import { acquireTestDatabase, quietLog } from '../support/test-journal-server.ts';
import { waitUntil } from '../support/wait-until.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const onError = (): void => undefined;

const stores: Record<string, () => Promise<() => Promise<LaneBackend>>> = {
  async postgres() {
    const { url, close } = await acquireTestDatabase();
    closers.push(close);
    return () => createPostgresLaneBackend({ url, workers: 4, onError });
  },
  async redis() {
    const redis = await startRedis();
    assert.ok(redis);
    closers.push(() => redis.stop());
    return () => createRedisBackend({ url: redis.url, onError });
  },
};

function laneJob(lane: string): LaneJob {
  const ids = { deliveryId: newId(), eventId: newId(), round: 0, dueInMs: 0 };
  return { lane, ...ids, flow: 'order-to-erp', topic: 'orders/create', key: 'k1' };
}

for (const [name, openStore] of Object.entries(stores)) {
  test(
    `a process that holds its lanes on ${name} takes nothing, also by workers that come later`,
    name === 'redis' ? skipWithoutRedis() : {},
    async () => {
      const connect = await openStore();
      const open = async (): Promise<BullmqLanes> => {
        const names = ['held', 'later'];
        const lanes = createBullmqLanes({ backend: await connect(), names, log: quietLog });
        closers.push(() => lanes.close(3_000));
        await waitUntil('lanes answer', () =>
          lanes.ping().then(
            () => true,
            () => undefined,
          ),
        );
        return lanes;
      };
      const seenBy =
        (seen: string[]): LaneWork =>
        async (job) => {
          seen.push(job.lane);
          return { kind: 'done', note: 'delivered' };
        };
      const lanes = await open();
      const seen: string[] = [];
      lanes.hold('clock');
      lanes.hold('another');
      lanes.work('held', { concurrency: 1 }, seenBy(seen));
      await lanes.add([laneJob('held')]);
      lanes.release('another');
      lanes.work('later', { concurrency: 1 }, seenBy(seen));
      await lanes.add([laneJob('later')]);

      const other = await open();
      const seenByOther: string[] = [];
      other.work('held', { concurrency: 1 }, seenBy(seenByOther));
      await waitUntil('the other took it', () => (seenByOther.length === 1 ? true : undefined));
      assert.deepEqual(seen, []);
      lanes.release('clock');
      await waitUntil('it goes on', () => (seen.length === 1 ? true : undefined));
      assert.deepEqual(seen, ['later']);
    },
  );
}

describe('two who hold one worker', () => {
  test('do not let go of it for each other', async () => {
    const done: string[] = [];
    const holds = createWorkerHolds({
      pause: async () => void done.push('pause'),
      resume: async () => void done.push('resume'),
    });
    await holds.hold('clock');
    await holds.hold('error-storm');
    await holds.release('error-storm');
    await holds.release('error-storm');
    assert.deepEqual(done, ['pause']);
    await holds.release('clock');
    assert.deepEqual(done, ['pause', 'resume']);
  });
});
