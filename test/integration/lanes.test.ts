import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { isCrossdockError } from '../../src/model/errors.ts';
import { newId } from '../../src/model/ids.ts';
import { type BullmqLanes, createBullmqLanes } from '../../src/queue/bullmq-lanes.ts';
import type { LaneBackend } from '../../src/queue/lane-backend.ts';
import type { LaneJob, Step } from '../../src/queue/lanes.ts';
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

const stores = {
  async postgres(): Promise<Store> {
    const database = await acquireTestDatabase();
    return {
      connect: () => createPostgresLaneBackend({ url: database.url, workers: 4, onError }),
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

function laneJob(fields: Partial<LaneJob> = {}): LaneJob {
  return {
    lane: 'erp',
    deliveryId: newId(),
    eventId: newId(),
    round: 0,
    flow: 'order-to-erp',
    topic: 'orders/create',
    key: 'k1',
    dueInMs: 0,
    ...fields,
  };
}

for (const [name, openStore] of Object.entries(stores)) {
  const options = name === 'redis' ? skipWithoutRedis() : {};
  describe(`the lanes on ${name}`, options, () => {
    let store: Store;
    const opened: BullmqLanes[] = [];

    before(async () => {
      store = await openStore();
    });
    after(async () => {
      await Promise.all(opened.map((lanes) => lanes.close(3_000)));
      await store.close();
    });

    async function openLanes(names: readonly string[]): Promise<BullmqLanes> {
      const lanes = createBullmqLanes({ backend: await store.connect(), names, log: quietLog });
      opened.push(lanes);
      // Ready for commands that do not wait for a connection.
      await waitUntil('lanes answer', () =>
        lanes.ping().then(
          () => true,
          () => undefined,
        ),
      );
      return lanes;
    }

    test('hands over each job once, with all that it carries', async () => {
      const lanes = await openLanes(['once']);
      const jobs = Array.from({ length: 40 }, () => laneJob({ lane: 'once' }));
      // A lane may forget what is done: the second add has to come before the work.
      await lanes.add(jobs);
      await lanes.add(jobs);
      const seen: LaneJob[] = [];
      lanes.work('once', { concurrency: 8 }, async (job): Promise<Step> => {
        seen.push(job);
        return { kind: 'done', note: 'delivered' };
      });
      await waitUntil('all jobs', () => (seen.length >= 40 ? true : undefined));
      const byId = (a: LaneJob, b: LaneJob): number => (a.deliveryId < b.deliveryId ? -1 : 1);
      assert.deepEqual(seen.toSorted(byId), jobs.toSorted(byId));
    });

    test('brings a job again after the time it was given, and not before', async () => {
      const lanes = await openLanes(['again']);
      const startedAt: number[] = [];
      lanes.work('again', { concurrency: 1 }, async (): Promise<Step> => {
        startedAt.push(Date.now());
        return startedAt.length < 3
          ? { kind: 'again', inMs: 200 }
          : { kind: 'done', note: 'delivered' };
      });
      const addedAt = Date.now();
      await lanes.add([laneJob({ lane: 'again', dueInMs: 200 })]);
      await waitUntil('three turns', () => (startedAt.length === 3 ? true : undefined));
      const [first = 0, second = 0, third = 0] = startedAt;
      assert.ok(first - addedAt >= 195, `first after ${first - addedAt} ms`);
      assert.ok(second - first >= 195 && third - second >= 195);
    });

    test('shows a failed job, and holds it no more', async () => {
      const lanes = await openLanes(['failing']);
      lanes.work('failing', { concurrency: 1 }, async () => ({
        kind: 'failed',
        reason: 'the ERP said no',
      }));
      const job = laneJob({ lane: 'failing' });
      await lanes.add([job]);
      await waitUntil('it failed', async () =>
        (await lanes.count('failing')).failed === 1 ? true : undefined,
      );
      assert.deepEqual(await lanes.findMissing([job]), [job]);
    });

    test('holds a failed job again once it is retried by hand', async () => {
      const failing = await openLanes(['retried']);
      failing.work('retried', { concurrency: 1 }, async () => ({ kind: 'failed', reason: 'no' }));
      const job = laneJob({ lane: 'retried' });
      await failing.add([job]);
      await waitUntil('it failed', async () =>
        (await failing.count('retried')).failed === 1 ? true : undefined,
      );
      await failing.close(3_000);
      const lanes = await openLanes(['retried']);
      await lanes.queues[0]?.retryJobs({ state: 'failed' });
      await waitUntil('it waits', async () =>
        (await lanes.count('retried')).waiting === 1 ? true : undefined,
      );
      assert.deepEqual(await lanes.findMissing([job]), []);
    });

    test('holds a job that is under way, and no more once it is done', async () => {
      const lanes = await openLanes(['under-way']);
      const gate = new EventEmitter();
      const isOpen = once(gate, 'open');
      lanes.work('under-way', { concurrency: 1 }, async (): Promise<Step> => {
        await isOpen;
        return { kind: 'done', note: 'delivered' };
      });
      const job = laneJob({ lane: 'under-way' });
      await lanes.add([job]);
      const active = async (): Promise<number> => (await lanes.count('under-way')).active;
      await waitUntil('it is active', async () => ((await active()) === 1 ? true : undefined));
      assert.deepEqual(await lanes.findMissing([job]), []);
      gate.emit('open');
      await waitUntil('it is done', async () => ((await active()) === 0 ? true : undefined));
      assert.deepEqual(await lanes.findMissing([job]), [job]);
    });

    test('looks for each job in its own lane only', async () => {
      const lanes = await openLanes(['left', 'right']);
      const left = laneJob({ lane: 'left' });
      const right = laneJob({ lane: 'right' });
      await lanes.add([left, right]);
      const strayed = { ...left, lane: 'right' };
      assert.deepEqual(await lanes.findMissing([left, strayed, right]), [strayed]);
      assert.deepEqual(await lanes.findMissing([]), []);
    });

    test('knows which jobs no lane holds', async () => {
      const lanes = await openLanes(['idle']);
      const waiting = laneJob({ lane: 'idle' });
      const delayed = laneJob({ lane: 'idle', dueInMs: 60_000 });
      const absent = laneJob({ lane: 'idle' });
      const nextRound = { ...waiting, round: 1 };
      await lanes.add([waiting, delayed]);
      const missing = await lanes.findMissing([waiting, absent, delayed, nextRound]);
      assert.deepEqual(missing, [absent, nextRound]);
    });

    test('holds a paused lane until it is resumed', async () => {
      const lanes = await openLanes(['paused']);
      let done = 0;
      lanes.work('paused', { concurrency: 1 }, async (): Promise<Step> => {
        done += 1;
        return { kind: 'done', note: 'delivered' };
      });
      await lanes.pause('paused');
      assert.equal(await lanes.isPaused('paused'), true);
      const job = laneJob({ lane: 'paused' });
      await lanes.add([job]);
      assert.deepEqual(await lanes.findMissing([job]), []);
      assert.equal(done, 0);
      await lanes.resume('paused');
      await waitUntil('it is done', () => (done === 1 ? true : undefined));
    });

    test('keeps to a lane’s rate', async () => {
      const lanes = await openLanes(['rated']);
      const startedAt: number[] = [];
      lanes.work('rated', { concurrency: 8, rate: { count: 2, perMs: 300 } }, async () => {
        startedAt.push(Date.now());
        return { kind: 'done', note: 'delivered' };
      });
      await lanes.add(Array.from({ length: 6 }, () => laneJob({ lane: 'rated' })));
      await waitUntil('all six', () => (startedAt.length === 6 ? true : undefined));
      const tookMs = (startedAt.at(-1) ?? 0) - (startedAt[0] ?? 0);
      assert.ok(tookMs >= 400, `six jobs at 2 in 300 ms took ${tookMs} ms`);
    });

    test('brings a job that met a bug again later instead of failing it', async () => {
      const lanes = await openLanes(['buggy']);
      lanes.work('buggy', { concurrency: 1 }, () => Promise.reject(new Error('a bug')));
      const job = laneJob({ lane: 'buggy' });
      await lanes.add([job]);
      await waitUntil('it is delayed', async () =>
        (await lanes.count('buggy')).delayed === 1 ? true : undefined,
      );
      assert.deepEqual(await lanes.findMissing([job]), []);
    });

    test('aborts the work under way when it closes, and another takes the job over', async () => {
      const leaving = await openLanes(['handover']);
      let aborted = false;
      leaving.work('handover', { concurrency: 1 }, async (_job, signal): Promise<Step> => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        aborted = true;
        return { kind: 'again', inMs: 100 };
      });
      await leaving.add([laneJob({ lane: 'handover' })]);
      await waitUntil('it is active', async () =>
        (await leaving.count('handover')).active === 1 ? true : undefined,
      );
      const startedAt = Date.now();
      await leaving.close(5_000);
      assert.ok(aborted);
      assert.ok(Date.now() - startedAt < 4_000);
      const staying = await openLanes(['handover']);
      let taken = 0;
      staying.work('handover', { concurrency: 1 }, async (): Promise<Step> => {
        taken += 1;
        return { kind: 'done', note: 'delivered' };
      });
      await waitUntil('it is taken over', () => (taken === 1 ? true : undefined));
    });
  });
}

describe('lanes whose Redis is away', () => {
  test('refuse at once, and work by themselves when it is back', skipWithoutRedis(), async () => {
    const redis = await startRedis();
    assert.ok(redis);
    const backend = await createRedisBackend({ url: redis.url, onError });
    const lanes = createBullmqLanes({ backend, names: ['erp'], log: quietLog });
    try {
      const done: string[] = [];
      lanes.work('erp', { concurrency: 2 }, async (job): Promise<Step> => {
        done.push(job.deliveryId);
        return { kind: 'done', note: 'delivered' };
      });
      const first = laneJob();
      await waitUntil('the first add', () =>
        lanes.add([first]).then(
          () => true,
          () => undefined,
        ),
      );
      await waitUntil('the first is done', () => (done.length === 1 ? true : undefined));
      await redis.kill();
      await waitUntil('the loss is noticed', () => (backend.isReachable() ? undefined : true));
      const startedAt = Date.now();
      await assert.rejects(lanes.add([laneJob()]), (error: unknown) =>
        isCrossdockError(error, 'lanes-unavailable'),
      );
      await assert.rejects(lanes.findMissing([first]), (error: unknown) =>
        isCrossdockError(error, 'lanes-unavailable'),
      );
      assert.ok(Date.now() - startedAt < 2_000);
      await redis.restart();
      const second = laneJob();
      await waitUntil('the second add', () =>
        lanes.add([second]).then(
          () => true,
          () => undefined,
        ),
      );
      await waitUntil('the second is done', () =>
        done.includes(second.deliveryId) ? true : undefined,
      );
    } finally {
      await lanes.close(3_000);
      await redis.stop();
    }
  });
});
