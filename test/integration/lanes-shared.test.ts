// What a lane keeps over all processes that work it: its concurrency, its rate, fairness.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { newId } from '../../src/model/ids.ts';
import { type BullmqLanes, createBullmqLanes } from '../../src/queue/bullmq-lanes.ts';
import { LOW_PLACE } from '../../src/queue/fair-places.ts';
import type { LaneBackend } from '../../src/queue/lane-backend.ts';
import type { LaneJob, LaneWork, Step } from '../../src/queue/lanes.ts';
import { createPostgresLaneBackend } from '../../src/queue/postgres-backend.ts';
import { createRedisBackend } from '../../src/queue/redis-backend.ts';
import { skipWithoutRedis, startRedis } from '../support/redis-server.ts';
import { acquireTestDatabase, quietLog } from '../support/test-journal-server.ts';
import { waitUntil } from '../support/wait-until.ts';

interface Store {
  connect(): Promise<LaneBackend>;
  close(): Promise<void>;
}

const onError = (): void => undefined;
const DRAINED_MS = 60_000;

const stores = {
  async postgres(): Promise<Store> {
    const database = await acquireTestDatabase();
    return {
      connect: () => createPostgresLaneBackend({ url: database.url, workers: 2, onError }),
      close: () => database.close(),
    };
  },
  async redis(): Promise<Store> {
    const redis = await startRedis();
    assert.ok(redis);
    return {
      connect: () => createRedisBackend({ url: redis.url, onError }),
      close: () => redis.stop(),
    };
  },
};

function laneJobs(lane: string, count: number, fields: Partial<LaneJob> = {}): LaneJob[] {
  return Array.from({ length: count }, () => ({
    lane,
    deliveryId: newId(),
    eventId: newId(),
    round: 0,
    flow: 'order-to-erp',
    topic: 'orders/create',
    key: 'k1',
    dueInMs: 0,
    ...fields,
  }));
}

const done: Step = { kind: 'done', note: 'delivered' };
const until = (what: string, isSo: () => boolean): Promise<true> =>
  waitUntil(what, () => (isSo() ? true : undefined), DRAINED_MS);

for (const [name, openStore] of Object.entries(stores)) {
  describe(`shared lanes on ${name}`, name === 'redis' ? skipWithoutRedis() : {}, () => {
    let store: Store;
    const opened: BullmqLanes[] = [];

    before(async () => {
      store = await openStore();
    });
    after(async () => {
      await Promise.all(opened.map((lanes) => lanes.close(3_000)));
      await store.close();
    });

    async function openLanes(lane: string, fair: readonly string[] = []): Promise<BullmqLanes> {
      const backend = await store.connect();
      const options = { backend, names: [lane], fair: new Set(fair), log: quietLog };
      const lanes = createBullmqLanes(options);
      opened.push(lanes);
      const ping = () =>
        lanes.ping().then(
          () => true as const,
          () => undefined,
        );
      await waitUntil('lanes answer', ping);
      return lanes;
    }

    /** As the sweep does: until both workers are known to the store. */
    async function limited(lanes: BullmqLanes, concurrency: number): Promise<void> {
      const [queue] = lanes.queues;
      assert.ok(queue);
      await waitUntil('the store knows the limit', async () => {
        await lanes.keepLimit(queue.name);
        return (await queue.getGlobalConcurrency()) === concurrency ? true : undefined;
      });
    }

    test('two workers together keep to the concurrency of the lane', async () => {
      const [left, right] = [await openLanes('both'), await openLanes('both')];
      let [busy, busyMax, through] = [0, 0, 0];
      const workedBy = new Set<string>();
      const workAs =
        (who: string): LaneWork =>
        async () => {
          workedBy.add(who);
          busy += 1;
          busyMax = Math.max(busyMax, busy);
          await new Promise((resolve) => setTimeout(resolve, 5));
          busy -= 1;
          through += 1;
          return done;
        };
      left.work('both', { concurrency: 3 }, workAs('left'));
      right.work('both', { concurrency: 3 }, workAs('right'));
      await limited(left, 3);
      await left.add(laneJobs('both', 200));
      await until('all', () => through === 200);
      assert.equal(busyMax, 3);
    });

    test('a second worker that comes to a backlog keeps to the concurrency from its first job on', async () => {
      const [left, right] = [await openLanes('joined'), await openLanes('joined')];
      let [busy, busyMax, through] = [0, 0, 0];
      const work: LaneWork = async () => {
        busy += 1;
        busyMax = Math.max(busyMax, busy);
        await new Promise((resolve) => setTimeout(resolve, 5));
        busy -= 1;
        through += 1;
        return done;
      };
      left.work('joined', { concurrency: 3 }, work);
      await left.add(laneJobs('joined', 401));
      await until('the first one works', () => through > 0);
      right.work('joined', { concurrency: 3 }, work);
      await until('all', () => through >= 401);
      assert.equal(busyMax, 3);
    });

    test('the limit is taken back after two looks in a row that find one worker, not after one', async () => {
      const [left, right] = [await openLanes('alone'), await openLanes('alone')];
      const [queue] = left.queues;
      assert.ok(queue);
      left.work('alone', { concurrency: 3 }, async () => done);
      right.work('alone', { concurrency: 3 }, async () => done);
      await limited(left, 3);
      await right.close(3_000);
      await waitUntil('the store forgot the other one', async () =>
        (await queue.getWorkersCount()) === 1 ? true : undefined,
      );
      await left.keepLimit('alone');
      assert.equal(await queue.getGlobalConcurrency(), 3);
      await left.keepLimit('alone');
      assert.equal(await queue.getGlobalConcurrency(), null);
    });

    test('a lane that forgot its limit, or heard another, is told again', async () => {
      const [left, right] = [await openLanes('told'), await openLanes('told')];
      left.work('told', { concurrency: 5 }, async () => done);
      right.work('told', { concurrency: 5 }, async () => done);
      await limited(left, 5);
      await left.queues[0]?.removeGlobalConcurrency();
      await limited(left, 5);
      await left.queues[0]?.setGlobalConcurrency(2);
      await limited(left, 5);
    });

    test('two workers together keep to the rate of the lane', async () => {
      const [left, right] = [await openLanes('rated'), await openLanes('rated')];
      const startedAt: number[] = [];
      const limits = { concurrency: 8, rate: { count: 4, perMs: 400 } };
      const work: LaneWork = async () => {
        startedAt.push(Date.now());
        return done;
      };
      left.work('rated', limits, work);
      right.work('rated', limits, work);
      await left.add(laneJobs('rated', 16));
      await until('all', () => startedAt.length === 16);
      const tookMs = (startedAt.at(-1) ?? 0) - (startedAt[0] ?? 0);
      assert.ok(tookMs >= 1_000, `16 jobs at 4 in 400 ms took ${tookMs} ms`);
    });

    test('what has a low place goes when nothing else waits, and is counted and held', async () => {
      const lanes = await openLanes('low');
      const low = laneJobs('low', 5, { low: true });
      const plain = laneJobs('low', 5);
      await lanes.add(low);
      await lanes.add(plain);
      assert.equal((await lanes.count('low')).waiting, 10);
      assert.deepEqual(await lanes.findMissing([...low, ...plain]), []);
      const seen: string[] = [];
      lanes.work('low', { concurrency: 1 }, async ({ deliveryId }) => {
        seen.push(deliveryId);
        return done;
      });
      await until('all', () => seen.length === 10);
      assert.deepEqual(
        seen,
        [...plain, ...low].map(({ deliveryId }) => deliveryId),
      );
    });

    test('the head of a lane is looked for from a place on, and else from the first', async () => {
      const backend = await store.connect();
      const queue = backend.createQueue('head');
      try {
        await waitUntil('the store answers', () => (backend.isReachable() ? true : undefined));
        assert.equal(await backend.headPriority('head', 1), 0);
        const jobData = {
          v: 1,
          round: 0,
          flow: 'order-to-erp',
          topic: 'orders/create',
          key: 'k1',
        } as const;
        const jobs = [LOW_PLACE, 402, 401, 5].map((priority) => ({
          name: 'order-to-erp',
          data: { ...jobData, delivery: newId(), event: newId() },
          opts: { priority },
        }));
        await queue.addBulk(jobs);
        for (const [from, head] of [
          [1, 5],
          [6, 401],
          [402, 402],
          [403, 5],
        ] as const) {
          assert.equal(await backend.headPriority('head', from), head, `from ${from}`);
        }
      } finally {
        await queue.close();
        await backend.close();
      }
    });

    for (const concurrency of [1, 4]) {
      test(`a tenant that floods 100:1 does not keep another waiting, ${concurrency} at once`, async (context) => {
        const lane = `fair-${concurrency}`;
        const lanes = await openLanes(lane, [lane]);
        // How many jobs of the flood begin between the add of the other's message and its turn.
        const begun: string[] = [];
        const tenants = new Map<string, string>();
        lanes.work(lane, { concurrency }, async ({ deliveryId }) => {
          begun.push(tenants.get(deliveryId) ?? '?');
          await new Promise((resolve) => setTimeout(resolve, 20));
          return done;
        });
        const send = async (tenant: string, count: number): Promise<void> => {
          const jobs = laneJobs(lane, count, { tenant });
          for (const { deliveryId } of jobs) tenants.set(deliveryId, tenant);
          await lanes.add(jobs);
        };
        const waitMs = async (who: string): Promise<number> => {
          const sentMs = performance.now();
          await send(who, 1);
          await until(`${who} had its turn`, () => begun.includes(who));
          return performance.now() - sentMs;
        };
        const idle: number[] = [];
        for (const turn of [1, 2, 3, 4, 5]) idle.push(await waitMs(`idle-${turn}`));
        await send('flood', 500);
        await until('the flood goes', () => begun.filter((one) => one === 'flood').length >= 5);
        const loaded: number[] = [];
        const between: number[] = [];
        for (const turn of [1, 2, 3, 4, 5]) {
          // The flood goes on at a hundred to one.
          await send('flood', 100);
          const from = begun.length;
          loaded.push(await waitMs(`small-${turn}`));
          between.push(begun.indexOf(`small-${turn}`) - from);
        }
        const words = (all: readonly number[]) => all.map((ms) => Math.round(ms)).join(' ');
        context.diagnostic(`began after ms: idle ${words(idle)}, in the flood ${words(loaded)}`);
        // Those that had begun, or were taken while the message was being added.
        assert.ok(
          between.every((jobs) => jobs <= 2 * concurrency + 2),
          `behind ${words(between)}`,
        );
        const floodLeft = (await lanes.count(lane)).waiting;
        assert.ok(floodLeft > 500, `the flood was still there: ${floodLeft}`);
      });
    }
  });
}
