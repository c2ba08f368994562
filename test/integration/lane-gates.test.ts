// What holds work, on whole hubs: pauses, breakers and rests, over two hubs and both stores.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { afterEach, describe, test } from 'node:test';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { Hub } from '../../src/hub.ts';
import { type HttpTarget, ok, startHttpTarget } from '../support/http-target.ts';
import { type HubPlace, startHubHere, storeOrders } from '../support/in-process-hub.ts';
import { skipWithoutRedis, startRedis } from '../support/redis-server.ts';
import { acquireTestDatabase } from '../support/test-journal-server.ts';
import { createTestProject } from '../support/test-project.ts';
import { waitUntil } from '../support/wait-until.ts';

const DRAINED_MS = 90_000;
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Stage {
  readonly place: HubPlace;
  readonly target: HttpTarget;
  hub(): Promise<Hub>;
  /** The numbers of the orders that the target was called with, in turn. */
  called(): readonly number[];
}

async function setStage(
  backend: string,
  limits: string,
  files: Readonly<Record<string, string>> = {},
): Promise<Stage> {
  const target = await startHttpTarget();
  closers.push(() => target.close());
  const database = await acquireTestDatabase();
  closers.push(() => database.close());
  const redis = backend === 'redis' ? await startRedis() : undefined;
  if (redis !== undefined) closers.push(() => redis.stop());
  const project = await createTestProject({
    erpUrl: target.url,
    files: {
      'connectors/erp.yaml': erp(target.url, limits),
      'flows/order-to-erp.yaml': flow,
      'flows/copy-to-erp.yaml': flow,
      ...files,
    },
  });
  closers.push(() => project.remove());
  const place: HubPlace = {
    folder: project.folder,
    databaseUrl: database.url,
    ...(redis === undefined ? {} : { redisUrl: redis.url }),
  };
  return {
    place,
    target,
    async hub() {
      const hub = await startHubHere(place);
      closers.push(() => hub.close());
      return hub;
    },
    called: () => target.received.map(({ body }) => Number(JSON.parse(body).id)),
  };
}

const erp = (url: string, limits: string): string => `
kind: http
baseUrl: ${url}
limits: ${limits}
timeout: 2s
operations:
  createOrder: { post: /orders, idempotency: { header: Idempotency-Key } }
  ping: { get: /ping }
`;
const flow = `
from: { connector: shop, topics: [orders/create] }
to: erp.createOrder
retry: { attempts: 8, first: 200ms, max: 1s, horizon: 1h }
`;
const lane = { scope: 'connector', name: 'erp' } as const;
const oneFlow = { scope: 'flow', name: 'order-to-erp' } as const;

async function ask<R extends object>(url: string, text: string): Promise<R> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<R>(text);
    assert.ok(rows[0]);
    return rows[0];
  } finally {
    await client.end();
  }
}

const until = (what: string, isSo: () => boolean): Promise<true> =>
  waitUntil(what, () => (isSo() ? true : undefined), DRAINED_MS);

const numbers = (count: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => index + 1);

for (const backend of ['postgres', 'redis']) {
  describe(`gates with lanes on ${backend}`, backend === 'redis' ? skipWithoutRedis() : {}, () => {
    test('a pause survives a restart, and then everything goes out in order, one at a time', async () => {
      const stage = await setStage(backend, '{ concurrency: 1 }');
      const before = await stage.hub();
      await before.operations.controls.pause(lane, { by: 'a test', reason: 'maintenance' });
      await storeOrders(before, stage.place, { count: 60 });
      await before.close();
      const hub = await stage.hub();
      await storeOrders(hub, stage.place, { count: 60, first: 61 });
      assert.equal(await hub.operations.lanes.isPaused('erp'), true);
      assert.deepEqual(stage.called(), []);
      assert.equal(await hub.operations.controls.resume(lane, 'a test'), true);
      await until('all have arrived', () => stage.target.received.length >= 120);
      assert.deepEqual(stage.called(), numbers(120));
    });

    test('a long pause of two hubs ends without a stampede', async () => {
      const count = backend === 'redis' ? 2_000 : 400;
      const stage = await setStage(backend, '{ concurrency: 6 }');
      const [left, right] = [await stage.hub(), await stage.hub()];
      await left.operations.controls.pause(lane, { by: 'a test' });
      await storeOrders(right, stage.place, { count });
      let [busy, busyMax] = [0, 0];
      stage.target.answer((received, response) => {
        busy += 1;
        busyMax = Math.max(busyMax, busy);
        setTimeout(() => {
          busy -= 1;
          ok(received, response);
        }, 3);
      });
      await right.operations.controls.resume(lane, 'a test');
      await until('all have arrived', () => stage.target.received.length >= count);
      assert.equal(new Set(stage.called()).size, count);
      assert.equal(stage.target.received.length, count);
      assert.ok(busyMax <= 6, `${busyMax} at once`);
    });

    test('a paused flow is set aside while another one of its lane goes on', async () => {
      const stage = await setStage(backend, '{ concurrency: 4 }');
      const hub = await stage.hub();
      const { journal, controls } = hub.operations;
      assert.equal(await controls.pause(oneFlow, { by: 'a test', reason: 'wrong mapping' }), true);
      const flows = ['order-to-erp', 'copy-to-erp'];
      await storeOrders(hub, stage.place, { count: 20, flows });
      const held = async () => journal.listDeliveries({ state: 'held' });
      await waitUntil(
        'the flow is held',
        async () => ((await held()).length === 20 ? true : undefined),
        DRAINED_MS,
      );
      await until('the other has arrived', () => stage.target.received.length >= 20);
      assert.ok((await held()).every((one) => one.heldBy === 'flow:order-to-erp'));
      const keys = stage.target.received.map(({ headers }) => String(headers['idempotency-key']));
      assert.ok(keys.every((key) => key.endsWith(':copy-to-erp')));
      assert.equal(await controls.resume(oneFlow, 'a test'), true);
      await until('the rest has arrived', () => stage.target.received.length >= 40);
      assert.equal(new Set(stage.called()).size, 20);
      assert.deepEqual(await held(), []);
    });

    test('the breaker holds the lane of a target that is away, probes it, and lets go', async () => {
      const stage = await setStage(backend, '{ concurrency: 8 }');
      const [left, right] = [await stage.hub(), await stage.hub()];
      const { journal, lanes } = left.operations;
      stage.target.answer((_received, response) => response.socket?.destroy());
      await storeOrders(left, stage.place, { count: 20 });
      await storeOrders(right, stage.place, { count: 20, first: 21 });
      const open = await waitUntil(
        'it opens',
        async () => (await journal.listShutLanes()).find((one) => one.breaker !== undefined),
        DRAINED_MS,
      );
      assert.equal(open.breaker?.code, 'connection-failed');
      await waitUntil(
        'the lane is held, and was probed',
        async () => {
          const [gate] = await journal.listShutLanes();
          const isHeld = await lanes.isPaused('erp');
          return isHeld && (gate?.breaker?.probes ?? 0) >= 2 ? true : undefined;
        },
        DRAINED_MS,
      );
      // Eight were under way in each hub when it opened; since then only probes have called.
      assert.ok(stage.target.received.length <= 24, `${stage.target.received.length} calls`);
      stage.target.answer(ok);
      const settled = async () =>
        (await journal.listDeliveries({ state: 'delivered', limit: 100 })).length === 40;
      await waitUntil('all delivered', async () => ((await settled()) ? true : undefined), 60_000);
      assert.deepEqual(await journal.listShutLanes(), []);
      const { databaseUrl } = stage.place;
      const told = await ask(
        databaseUrl,
        `SELECT count(*) FILTER (WHERE became = 'opened')::int AS opened,
                count(*) FILTER (WHERE became = 'closed')::int AS closed
         FROM changes WHERE connector = 'erp'`,
      );
      assert.deepEqual(told, { opened: 1, closed: 1 });
      const spent = await ask<{ uncounted: number }>(
        databaseUrl,
        'SELECT sum(attempts - spent)::int AS uncounted FROM deliveries',
      );
      assert.ok(spent.uncounted >= 1, 'failed probes did not count');
    });

    test('an open breaker survives a restart, and a check closes it', async () => {
      const stage = await setStage(backend, '{ concurrency: 2 }', {});
      const first = await stage.hub();
      await first.operations.journal.openBreaker({
        connector: 'erp',
        code: 'timed-out',
        reason: 'no answer in 2 s',
      });
      await first.close();
      const file = `${stage.place.folder}/connectors/erp.yaml`;
      await writeFile(file, `${erp(stage.target.url, '{ concurrency: 2 }')}check: ping\n`);
      const hub = await stage.hub();
      await storeOrders(hub, stage.place, { count: 5 });
      await until('all have arrived', () => stage.target.received.length >= 6);
      assert.equal(stage.target.received[0]?.url, '/ping');
      assert.deepEqual(await hub.operations.journal.listShutLanes(), []);
    });

    test('what comes to no call does not keep a probe from the one that does', async () => {
      const stage = await setStage(backend, '{ concurrency: 1 }', {
        'flows/order-to-erp.yaml': `${flow}when: id > 150\n`,
      });
      const hub = await stage.hub();
      await hub.operations.journal.openBreaker({
        connector: 'erp',
        code: 'timed-out',
        reason: 'no',
      });
      await storeOrders(hub, stage.place, { count: 152 });
      await until('both have arrived', () => stage.target.received.length >= 2);
      assert.deepEqual(stage.called(), [151, 152]);
      const { probes } = await ask<{ probes: number }>(
        stage.place.databaseUrl,
        'SELECT probes FROM lane_gates',
      );
      assert.ok(probes <= 3, `took ${probes} probes`);
    });

    test('a check that is let in where deliveries are not leaves the breaker open', async () => {
      const stage = await setStage(backend, '{ concurrency: 1 }');
      const file = `${stage.place.folder}/connectors/erp.yaml`;
      await writeFile(file, `${erp(stage.target.url, '{ concurrency: 1 }')}check: ping\n`);
      let isLetIn = false;
      stage.target.answer((received, response) => {
        if (isLetIn || received.method === 'GET') return ok(received, response);
        response.writeHead(401).end();
      });
      const checks = () => stage.target.received.filter(({ method }) => method === 'GET').length;
      const hub = await stage.hub();
      await storeOrders(hub, stage.place, { count: 3 });
      await until('it is checked', () => checks() >= 3);
      isLetIn = true;
      const orders = () => stage.target.received.filter(({ method }) => method === 'POST').length;
      const refused = orders();
      await until('all have arrived', () => orders() >= refused + 3);
      const told = await ask<{ opened: number; closed: number }>(
        stage.place.databaseUrl,
        `SELECT count(*) FILTER (WHERE became = 'opened')::int AS opened,
                count(*) FILTER (WHERE became = 'closed')::int AS closed FROM changes`,
      );
      assert.deepEqual(told, { opened: 1, closed: 1 });
    });

    test('a target that says 429 is left alone, and the refused one spends no attempt', async () => {
      const stage = await setStage(backend, '{ concurrency: 1 }');
      const hub = await stage.hub();
      const calledAt: number[] = [];
      stage.target.answer((received, response) => {
        calledAt.push(Date.now());
        if (calledAt.length > 1) return ok(received, response);
        response.writeHead(429).end();
      });
      await storeOrders(hub, stage.place, { count: 6 });
      await until('all have arrived', () => stage.target.received.length >= 7);
      const restMs = (calledAt[1] ?? 0) - (calledAt[0] ?? 0);
      assert.ok(restMs >= 900, `called again after ${restMs} ms`);
      const { journal } = hub.operations;
      const delivered = await waitUntil(
        'all are recorded',
        async () => {
          const found = await journal.listDeliveries({ state: 'delivered' });
          return found.length === 6 ? found : undefined;
        },
        DRAINED_MS,
      );
      const tries = delivered.map((one) => one.attempts);
      assert.deepEqual(
        tries.toSorted((a, b) => a - b),
        [1, 1, 1, 1, 1, 2],
      );
      const { spent } = await ask<{ spent: number }>(
        stage.place.databaseUrl,
        'SELECT sum(spent)::int AS spent FROM deliveries',
      );
      assert.equal(spent, 6);
    });
  });
}

test('a paused lane stays paused when Redis is emptied', skipWithoutRedis(), async () => {
  const stage = await setStage('redis', '{ concurrency: 4 }');
  const before = await stage.hub();
  await before.operations.controls.pause(lane, { by: 'a test' });
  await before.close();
  const hub = await stage.hub();
  const { controls, lanes } = hub.operations;
  await storeOrders(hub, stage.place, { count: 10 });
  const redis = new Redis(stage.place.redisUrl ?? '');
  closers.push(() => redis.quit());
  await redis.flushall();
  await storeOrders(hub, stage.place, { count: 10, first: 11 });
  await waitUntil(
    'the lane is paused again',
    async () => ((await lanes.isPaused('erp')) ? true : undefined),
    30_000,
  );
  assert.deepEqual(stage.called(), []);
  await controls.resume(lane, 'a test');
  await until('all have arrived', () => stage.target.received.length >= 20);
  assert.deepEqual(
    stage.called().toSorted((a, b) => a - b),
    numbers(20),
  );
});
