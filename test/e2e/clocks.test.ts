// A process whose clock is an hour ahead, beside others whose clocks are right.

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { fakeClock, skipWithoutFakeClock } from '../support/fake-clock.ts';
import { ok, startHttpTarget } from '../support/http-target.ts';
import { type HubProcess, startHubProcess } from '../support/hub-process.ts';
import { skipWithoutRedis, startRedis } from '../support/redis-server.ts';
import { getEvent, postWebhook } from '../support/shop-sender.ts';
import { acquireTestDatabase } from '../support/test-journal-server.ts';
import { createTestProject } from '../support/test-project.ts';
import { waitUntil } from '../support/wait-until.ts';

const RECOVERY_MS = 75_000;

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

for (const backend of ['postgres', 'redis']) {
  const skip = { ...skipWithoutFakeClock(), ...(backend === 'redis' ? skipWithoutRedis() : {}) };
  describe(`with lanes on ${backend}`, skip, () => {
    test('a process an hour ahead takes nothing and keeps nobody from taking over what a killed one had', async () => {
      const target = await startHttpTarget(() => undefined);
      closers.push(() => target.close());
      const database = await acquireTestDatabase();
      closers.push(() => database.close());
      const project = await createTestProject({ erpUrl: target.url });
      closers.push(() => project.remove());
      const variables: Record<string, string> = { DATABASE_URL: database.url };
      if (backend === 'redis') {
        const redis = await startRedis();
        assert.ok(redis);
        closers.push(() => redis.stop());
        variables['REDIS_URL'] = redis.url;
      }
      const start = async (
        role: string,
        more: Record<string, string> = {},
      ): Promise<HubProcess> => {
        const folder = project.folder;
        const hub = await startHubProcess({ folder, role, variables: { ...variables, ...more } });
        closers.push(() => hub.end('SIGTERM'));
        return hub;
      };

      const ahead = await start('all', fakeClock(3_600));
      const readiness = (await (await fetch(`${ahead.url}/readyz`)).json()) as Record<
        string,
        string
      >;
      assert.equal(readiness['status'], 'degraded');
      assert.match(String(readiness['reason']), /clock is 3\d{3}\.\d s ahead/);

      // Its intake goes on; what it stores is taken by one whose clock is right.
      const taken = target.next();
      const answer = await postWebhook(ahead.url, { body: '{"id":1,"total_price":"1.00"}' });
      assert.equal(answer.status, 200);
      const { id } = (await answer.json()) as { id: string };
      const right = await start('delivery');
      await taken;
      await right.end('SIGKILL');
      target.answer(ok);
      const heir = await start('delivery');
      const event = await waitUntil(
        'the heir took it over',
        async () => {
          const found = await getEvent(heir.url, id);
          return found.state === 'finished' ? found : undefined;
        },
        RECOVERY_MS,
      );
      assert.equal(event.deliveries[0]?.state, 'delivered');
      const metrics = await (
        await fetch(`${ahead.url}/metrics`, {
          headers: { authorization: 'Bearer admin-token-of-the-tests' },
        })
      ).text();
      assert.match(metrics, /^crossdock_clock_ahead_seconds 3[56]\d\d/m);
      assert.doesNotMatch(metrics, /^crossdock_deliveries_total\{/m);
      assert.doesNotMatch(metrics, /^crossdock_swept_total\{/m);
    });
  });
}
