// Bull Board's buttons on a real hub: each means what it says, and leaves its trace in the journal.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { adminToken, type HubProcess, startHubProcess } from '../support/hub-process.ts';
import { type RedisServer, skipWithoutRedis, startRedis } from '../support/redis-server.ts';
import { getEvent, postWebhook } from '../support/shop-sender.ts';
import { type StandInTarget, startStandInTarget } from '../support/stand-in-target.ts';
import { createTestProject } from '../support/test-project.ts';
import { waitUntil } from '../support/wait-until.ts';

const slowRetry = `
from: { connector: shop, topics: [orders/create] }
map: order-to-erp
to: erp.createOrder
retry: { attempts: 5, first: 1h, max: 1h, horizon: 72h }
`;

for (const backend of ['postgres', 'redis']) {
  describe(`Bull Board over ${backend}`, backend === 'redis' ? skipWithoutRedis() : {}, () => {
    let hub: HubProcess;
    let target: StandInTarget;
    let redis: RedisServer | undefined;
    let project: Awaited<ReturnType<typeof createTestProject>>;

    before(async () => {
      target = await startStandInTarget();
      const files = { 'flows/order-to-erp.yaml': slowRetry };
      project = await createTestProject({ erpUrl: target.url, files });
      redis = backend === 'redis' ? await startRedis() : undefined;
      const variables: Record<string, string> = redis === undefined ? {} : { REDIS_URL: redis.url };
      hub = await startHubProcess({ folder: project.folder, variables });
    });
    after(async () => {
      await hub.end('SIGTERM');
      await redis?.stop();
      await target.close();
      await project.remove();
    });

    async function press(path: string): Promise<number> {
      const response = await fetch(`${hub.url}/queues/api/queues/erp${path}`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${adminToken}`, 'sec-fetch-site': 'same-origin' },
      });
      return response.status;
    }

    function answer(status: number | undefined): void {
      target.behave(
        status === undefined
          ? undefined
          : (response) => {
              response.writeHead(status).end('{}');
              return 'answered';
            },
      );
    }

    async function send(): Promise<string> {
      const response = await postWebhook(hub.url, { body: '{"id":5,"total_price":"1.00"}' });
      return ((await response.json()) as { id: string }).id;
    }

    async function deliveryIn(eventId: string, state: string) {
      return waitUntil(`the delivery is ${state}`, async () =>
        (await getEvent(hub.url, eventId)).deliveries.find((one) => one.state === state),
      );
    }

    /** The traces of a delivery: who made it what. */
    async function traces(deliveryId: string): Promise<readonly (readonly [string, string])[]> {
      const response = await fetch(`${hub.url}/deliveries/${deliveryId}`, {
        headers: { authorization: `Bearer ${adminToken}`, accept: 'application/json' },
      });
      const { changes } = (await response.json()) as { changes: { to: string; by: string }[] };
      return changes.map(({ to, by }) => [to, by]);
    }

    test('retry tries a dead delivery again', async () => {
      answer(422);
      const eventId = await send();
      const dead = await deliveryIn(eventId, 'dead');
      answer(undefined);
      assert.equal(await press(`/${dead.id}.0/retry`), 204);
      const delivered = await deliveryIn(eventId, 'delivered');
      assert.equal(delivered.attempts, 2);
      assert.deepEqual(await traces(dead.id), [['pending', 'bull-board']]);
    });

    test('promote tries a waiting delivery now', async () => {
      answer(503);
      const eventId = await send();
      const waiting = await deliveryIn(eventId, 'retrying');
      answer(undefined);
      assert.equal(await press(`/${waiting.id}.0/promote`), 204);
      await deliveryIn(eventId, 'delivered');
      assert.deepEqual(await traces(waiting.id), [['pending', 'bull-board']]);
    });

    test('remove cancels the delivery', async () => {
      answer(503);
      const eventId = await send();
      const waiting = await deliveryIn(eventId, 'retrying');
      answer(undefined);
      assert.equal(await press(`/${waiting.id}.0/clean`), 204);
      await deliveryIn(eventId, 'cancelled');
      assert.deepEqual(await traces(waiting.id), [['cancelled', 'bull-board']]);
    });

    test('pause holds the lane until resume', async () => {
      assert.equal(await press('/pause'), 200);
      const calls = target.received.length;
      const eventId = await send();
      const held = await deliveryIn(eventId, 'held');
      assert.match(held.reason ?? '', /paused by bull-board/);
      assert.equal(target.received.length, calls);
      assert.equal(await press('/resume'), 200);
      await deliveryIn(eventId, 'delivered');
    });
  });
}
