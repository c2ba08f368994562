// The order of one key, kept by two real processes on one journal, with a target that fails and a
// process that is killed.

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { type HubProcess, startHubProcess } from '../support/hub-process.ts';
import { skipWithoutRedis, startRedis } from '../support/redis-server.ts';
import { postWebhook } from '../support/shop-sender.ts';
import { type StandInTarget, startStandInTarget } from '../support/stand-in-target.ts';
import { acquireTestDatabase } from '../support/test-journal-server.ts';
import { createTestProject } from '../support/test-project.ts';
import { waitUntil } from '../support/wait-until.ts';

const RECOVERY_MS = 75_000;
const KEYS = 6;
const EVENTS_PER_KEY = 12;
const UPDATES = 1_000;
const SETTLE_MS = 5_000;

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Stage {
  readonly target: StandInTarget;
  readonly hubs: [HubProcess, HubProcess];
  start(): Promise<HubProcess>;
}

async function openStage(backend: string, order: string): Promise<Stage> {
  const target = await startStandInTarget();
  closers.push(() => target.close());
  const flow = `
from: { connector: shop, topics: [orders/create] }
to: erp.createOrder
order: ${order}
retry: { attempts: 50, first: 100ms, max: 1s, horizon: 1h }
`;
  const files = { 'flows/order-to-erp.yaml': flow };
  const project = await createTestProject({ erpUrl: target.url, files });
  closers.push(() => project.remove());
  const database = await acquireTestDatabase();
  closers.push(() => database.close());
  const variables: Record<string, string> = { DATABASE_URL: database.url };
  if (backend === 'redis') {
    const redis = await startRedis();
    assert.ok(redis);
    closers.push(() => redis.stop());
    variables['REDIS_URL'] = redis.url;
  }
  const start = async (): Promise<HubProcess> => {
    const hub = await startHubProcess({ folder: project.folder, variables });
    closers.push(() => hub.end('SIGTERM'));
    return hub;
  };
  return { target, hubs: [await start(), await start()], start };
}

async function post(hubs: readonly HubProcess[], body: object, id: string): Promise<void> {
  await waitUntil(`${id} is acknowledged`, async () => {
    for (const hub of hubs) {
      const webhook = { body: JSON.stringify(body), id };
      const response = await postWebhook(hub.url, webhook).catch(() => undefined);
      if (response?.status === 200) return true;
    }
    return undefined;
  });
}

function bodies(target: StandInTarget): readonly { id: string; n: number }[] {
  return target.received.map((one) => JSON.parse(one.body) as { id: string; n: number });
}

for (const backend of ['postgres', 'redis']) {
  describe(`with lanes on ${backend}`, backend === 'redis' ? skipWithoutRedis() : {}, () => {
    test('events of one key go in their order: over two processes, failures and a kill -9', async () => {
      const { target, hubs, start } = await openStage(backend, '{ by: id }');
      target.behave((response, call) => {
        if (call % 4 !== 1) return 'answer';
        response.writeHead(503).end();
        return 'answered';
      });
      const keys = Array.from({ length: KEYS }, (_, index) => `key-${index}`);
      let killed: Promise<void> | undefined;
      const sendKey = async (key: string): Promise<void> => {
        for (let n = 1; n <= EVENTS_PER_KEY; n += 1) {
          await post(n % 2 === 0 ? hubs : hubs.toReversed(), { id: key, n }, `${key}-${n}`);
          if (n !== EVENTS_PER_KEY / 2 || killed !== undefined) continue;
          killed = hubs[0].end('SIGKILL').then(async () => {
            hubs[0] = await start();
          });
        }
      };
      await Promise.all(keys.map(sendKey));
      await killed;
      const all = KEYS * EVENTS_PER_KEY;
      const delivered = () => (target.orders.length === all ? true : undefined);
      await waitUntil('all are there', delivered, RECOVERY_MS);
      for (const key of keys) {
        const seen = bodies(target).flatMap((body) => (body.id === key ? [body.n] : []));
        assert.deepEqual(
          seen,
          seen.toSorted((a, b) => a - b),
          key,
        );
      }
    });

    test('a thousand updates of one key come to two calls, and the last value wins', async () => {
      const order = `{ by: id, version: n, keep: latest, settle: ${SETTLE_MS}ms }`;
      const { target, hubs } = await openStage(backend, order);
      const startedMs = Date.now();
      let next = 1;
      const send = async (): Promise<void> => {
        while (next <= UPDATES) {
          const n = next;
          next += 1;
          await post(n % 2 === 0 ? hubs : hubs.toReversed(), { id: 'sku-1', n }, `update-${n}`);
        }
      };
      await Promise.all(Array.from({ length: 16 }, send));
      const sendingMs = Date.now() - startedMs;
      const isLast = () => (bodies(target).at(-1)?.n === UPDATES ? true : undefined);
      await waitUntil('the last value is there', isLast, RECOVERY_MS);
      // Where the machine takes longer than one settle time for them, there is one call for each.
      const callsMax = 1 + Math.max(1, Math.ceil(sendingMs / SETTLE_MS));
      assert.ok(target.received.length <= callsMax, `${target.received.length} calls`);
    });
  });
}
