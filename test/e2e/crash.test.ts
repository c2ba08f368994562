// What the hub promises when things break under it, tried on the real program.

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { Redis } from 'ioredis';
import { type HubProcess, startHubProcess } from '../support/hub-process.ts';
import { type RedisServer, skipWithoutRedis, startRedis } from '../support/redis-server.ts';
import { getEvent, postWebhook, sendOrders } from '../support/shop-sender.ts';
import { type StandInTarget, startStandInTarget } from '../support/stand-in-target.ts';
import { startPrivateServer } from '../support/test-journal-server.ts';
import { createTestProject } from '../support/test-project.ts';
import { waitUntil } from '../support/wait-until.ts';

const RECOVERY_MS = 75_000;

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startTarget(): Promise<StandInTarget> {
  const target = await startStandInTarget();
  closers.push(() => target.close());
  return target;
}

async function createProject(target: StandInTarget): Promise<string> {
  const project = await createTestProject({ erpUrl: target.url });
  closers.push(() => project.remove());
  return project.folder;
}

async function startHub(folder: string, variables: Record<string, string>): Promise<HubProcess> {
  const hub = await startHubProcess({ folder, variables });
  closers.push(() => hub.end('SIGTERM'));
  return hub;
}

async function redisOf(): Promise<RedisServer> {
  const redis = await startRedis();
  assert.ok(redis);
  closers.push(() => redis.stop());
  return redis;
}

function references(target: StandInTarget): readonly string[] {
  return target.orders.map((order) => String(JSON.parse(order).reference));
}

/** Waits until every sent order is in the ERP, then says that each is there once. */
async function assertEachOnce(target: StandInTarget, sent: readonly string[]): Promise<void> {
  const all = new Set(sent);
  await waitUntil(
    'every acknowledged order is in the ERP',
    () => {
      for (const reference of references(target)) all.delete(reference);
      return all.size === 0 ? true : undefined;
    },
    RECOVERY_MS,
  );
  assert.equal(target.orders.length, sent.length);
  assert.equal(new Set(references(target)).size, sent.length);
}

for (const backend of ['postgres', 'redis']) {
  describe(`with lanes on ${backend}`, backend === 'redis' ? skipWithoutRedis() : {}, () => {
    test('a kill -9 of the hub in the middle of 500 orders loses none and creates none twice in the ERP when it honours the idempotency key', async () => {
      const target = await startTarget();
      const folder = await createProject(target);
      const variables: Record<string, string> =
        backend === 'redis' ? { REDIS_URL: (await redisOf()).url } : {};
      let hub = await startHub(folder, variables);
      let killed: Promise<void> | undefined;
      const sent = await sendOrders({
        hubUrl: () => hub.url,
        count: 500,
        onAcknowledged(count) {
          if (count < 200 || killed !== undefined) return;
          killed = hub.end('SIGKILL').then(async () => {
            hub = await startHub(folder, variables);
          });
        },
      });
      await killed;
      await assertEachOnce(target, sent);
      assert.equal(sent.length, 500);
    });
  });
}

describe('with Redis', skipWithoutRedis(), () => {
  test('emptying Redis in mid-flight loses none', async () => {
    const target = await startTarget();
    const redis = await redisOf();
    const hub = await startHub(await createProject(target), { REDIS_URL: redis.url });
    const client = new Redis(redis.url);
    closers.push(async () => client.disconnect());
    let emptied = 0;
    const sent = await sendOrders({
      hubUrl: () => hub.url,
      count: 400,
      onAcknowledged(count) {
        if (count % 100 !== 50) return;
        emptied += 1;
        void client.flushall();
      },
    });
    await assertEachOnce(target, sent);
    assert.equal(emptied, 4);
  });

  test('Redis away at start and later: intake acknowledges, and the work goes on by itself', async () => {
    const target = await startTarget();
    const redis = await redisOf();
    await redis.kill();
    const hub = await startHub(await createProject(target), { REDIS_URL: redis.url });
    const early = await sendOrders({ hubUrl: () => hub.url, count: 20 });
    assert.equal(target.orders.length, 0);
    await redis.restart();
    await assertEachOnce(target, early);
    await redis.kill();
    const late = await sendOrders({ hubUrl: () => hub.url, count: 20, first: 100 });
    await redis.restart();
    await assertEachOnce(target, [...early, ...late]);
  });
});

test('PostgreSQL killed and back: 503 with Retry-After meanwhile, nothing acknowledged is lost', async () => {
  const server = await startPrivateServer();
  closers.push(() => server.stop());
  const target = await startTarget();
  const hub = await startHub(await createProject(target), { DATABASE_URL: server.url });
  const before = await sendOrders({ hubUrl: () => hub.url, count: 50 });
  await server.kill();
  const refused = await postWebhook(hub.url, { body: '{"id":1}', id: 'during' });
  assert.equal(refused.status, 503);
  assert.ok(Number(refused.headers.get('retry-after')) > 0);
  await server.start();
  const after = await sendOrders({ hubUrl: () => hub.url, count: 50, first: 100 });
  await assertEachOnce(target, [...before, ...after]);
});

test('the stand-in ERP answers 200 and then resets the connection: sent again with the same key and body', async () => {
  const target = await startTarget();
  const hub = await startHub(await createProject(target), {});
  target.behave((response, call) => {
    if (call > 1) return 'answer';
    response.writeHead(200, { 'content-length': '100' });
    response.write('{"number":');
    setImmediate(() => response.destroy());
    return 'answered';
  });
  const response = await postWebhook(hub.url, { body: '{"id":7,"total_price":"1.00"}' });
  const { id } = (await response.json()) as { id: string };
  await waitUntil('it is delivered', async () =>
    (await getEvent(hub.url, id)).deliveries[0]?.state === 'delivered' ? true : undefined,
  );
  assert.equal(target.orders.length, 1);
  assert.equal(new Set(target.received.map((one) => one.body)).size, 1);
  assert.deepEqual([...target.callsByKey.keys()], [`${id}:order-to-erp`]);
});

test('SIGTERM hands work back and ends within 10 s, with nothing lost or spent', async () => {
  const target = await startTarget();
  const folder = await createProject(target);
  const hub = await startHub(folder, {});
  target.behave((response) => {
    setTimeout(() => response.writeHead(201).end('{}'), 300);
    return 'answered';
  });
  const sent = await sendOrders({ hubUrl: () => hub.url, count: 100 });
  const startedAt = Date.now();
  assert.equal(await hub.end('SIGTERM'), 0);
  assert.ok(Date.now() - startedAt < 10_000);
  target.behave(undefined);
  const next = await startHub(folder, {});
  await assertEachOnce(target, sent);
  const sentTwice = [...target.callsByKey.values()].filter((calls) => calls > 1);
  assert.deepEqual(sentTwice, [], 'a handed back delivery had been sent already');
  assert.equal(await next.end('SIGTERM'), 0);
});

test('SIGTERM while a target takes longer than the hub may stay: sent again, and no attempt spent', async () => {
  const target = await startTarget();
  const project = await createTestProject({
    erpUrl: target.url,
    files: {
      'flows/order-to-erp.yaml': `
from: { connector: shop, topics: [orders/create] }
map: order-to-erp
to: erp.createOrder
retry: { attempts: 1, first: 100ms, max: 100ms, horizon: 1h }
`,
    },
    timeout: '20s',
  });
  closers.push(() => project.remove());
  const hub = await startHub(project.folder, {});
  target.behave((response) => {
    setTimeout(() => response.writeHead(201).end('{}'), 15_000);
    return 'answered';
  });
  const sent = await sendOrders({ hubUrl: () => hub.url, count: 1 });
  await waitUntil('the call is under way', () => (target.received.length > 0 ? true : undefined));
  const startedAt = Date.now();
  await hub.end('SIGTERM');
  assert.ok(Date.now() - startedAt < 10_500);
  target.behave(undefined);
  await startHub(project.folder, {});
  await waitUntil(
    'it is sent again',
    () => (target.received.length > 1 ? true : undefined),
    45_000,
  );
  await assertEachOnce(target, sent);
});
