// The way in and out, on the real program: what a vendor, a target and an operator see.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type HubProcess, startHubProcess } from '../support/hub-process.ts';
import { getEvent, postWebhook } from '../support/shop-sender.ts';
import { type StandInTarget, startStandInTarget } from '../support/stand-in-target.ts';
import { createTestProject } from '../support/test-project.ts';
import { waitUntil } from '../support/wait-until.ts';

describe('one hub, from webhook to target', () => {
  let hub: HubProcess;
  let target: StandInTarget;
  let project: Awaited<ReturnType<typeof createTestProject>>;

  before(async () => {
    target = await startStandInTarget();
    project = await createTestProject({ erpUrl: target.url });
    hub = await startHubProcess({ folder: project.folder });
  });
  after(async () => {
    await hub.end('SIGTERM');
    await target.close();
    await project.remove();
  });

  async function acceptedId(response: Response): Promise<string> {
    assert.equal(response.status, 200);
    return ((await response.json()) as { id: string }).id;
  }

  async function delivered(id: string) {
    return waitUntil('its delivery ends', async () => {
      const [delivery] = (await getEvent(hub.url, id)).deliveries;
      return delivery === undefined || /pending|active|retrying/.test(delivery.state)
        ? undefined
        : delivery;
    });
  }

  test('ten copies of one webhook at once are one event', async () => {
    const webhook = { body: '{"id":11,"total_price":"5.00"}', id: 'ten-copies' };
    const responses = await Promise.all(
      Array.from({ length: 10 }, () => postWebhook(hub.url, webhook)),
    );
    const ids = await Promise.all(responses.map(acceptedId));
    assert.equal(new Set(ids).size, 1);
    await delivered(ids[0] ?? '');
    const again = await acceptedId(await postWebhook(hub.url, webhook));
    assert.equal(again, ids[0]);
    assert.equal(target.received.filter((one) => one.body.includes('SHOP-11"')).length, 1);
  });

  test('820982911946154508 arrives as 820982911946154508', async () => {
    const body = '{"id":820982911946154508,"total_price":10.10}';
    const id = await acceptedId(await postWebhook(hub.url, { body }));
    assert.equal((await delivered(id)).state, 'delivered');
    const sent = target.received.find((one) => one.body.includes('SHOP-820982911946154508'));
    assert.equal(
      sent?.body,
      '{"id":820982911946154508,"reference":"SHOP-820982911946154508","total":10.10}',
    );
  });

  test('a redirect is not followed', async () => {
    let followed = 0;
    const elsewhere = await startStandInTarget();
    elsewhere.behave(() => {
      followed += 1;
      return 'answer';
    });
    target.behave((response) => {
      response.writeHead(307, { location: `${elsewhere.url}/orders` }).end();
      return 'answered';
    });
    try {
      const id = await acceptedId(await postWebhook(hub.url, { body: '{"id":12}' }));
      const delivery = await delivered(id);
      assert.equal(delivery.state, 'dead');
      assert.equal(delivery.code, 'redirected');
      assert.equal(followed, 0);
    } finally {
      target.behave(undefined);
      await elsewhere.close();
    }
  });

  test('a slow-drip answer is cut at the deadline and tried again', async () => {
    let dripping = 0;
    target.behave((response) => {
      dripping += 1;
      if (dripping > 1) return 'answer';
      response.writeHead(200, { 'content-type': 'application/json' });
      const drip = setInterval(() => response.write(' '), 200);
      response.on('close', () => clearInterval(drip));
      return 'answered';
    });
    try {
      const startedAt = Date.now();
      const id = await acceptedId(await postWebhook(hub.url, { body: '{"id":13}' }));
      const delivery = await delivered(id);
      assert.equal(delivery.state, 'delivered');
      assert.equal(delivery.attempts, 2);
      assert.ok(Date.now() - startedAt >= 1_900, 'cut before its deadline of 2 s');
    } finally {
      target.behave(undefined);
    }
  });

  test('a signed body that is no JSON is kept, shown as such, and dead with the reason', async () => {
    const id = await acceptedId(await postWebhook(hub.url, { body: '<order id="1"/>' }));
    const delivery = await delivered(id);
    assert.equal(delivery.state, 'dead');
    assert.equal(delivery.code, 'body-unreadable');
    const event = (await getEvent(hub.url, id)) as unknown as { json: boolean; body: string };
    assert.equal(event.json, false);
    assert.equal(event.body, '<order id="1"/>');
  });

  test('a signed webhook without a topic is kept as unnamed, and nothing takes it', async () => {
    const headers = { 'x-shopify-topic': '' };
    const id = await acceptedId(await postWebhook(hub.url, { body: '{"id":99}', headers }));
    const event = (await getEvent(hub.url, id)) as unknown as { topic: string; state: string };
    assert.deepEqual([event.topic, event.state], ['unnamed', 'unrouted']);
  });

  test('refuses what it cannot take, each with its status', async () => {
    const body = '{"id":1}';
    const statuses = await Promise.all([
      postWebhook(hub.url, { body, secret: 'another secret' }),
      postWebhook(hub.url, { body, headers: { 'content-encoding': 'gzip' } }),
      postWebhook(hub.url, { body, headers: { 'content-encoding': 'zstd' } }),
      postWebhook(hub.url, { body: `{"x":"${'y'.repeat(1_100_000)}"}` }),
      fetch(`${hub.url}/webhooks/nobody`, { method: 'POST', body }),
      fetch(`${hub.url}/webhooks/erp`, { method: 'POST', body: gzipSync(body) }),
      fetch(`${hub.url}/webhooks/shop`),
    ]);
    assert.deepEqual(
      statuses.map((response) => response.status),
      [401, 400, 415, 413, 404, 404, 405],
    );
  });

  test('an event on a topic of no flow is kept as unrouted', async () => {
    const webhook = { body: '{"id":1}', topic: 'products/update' };
    const id = await acceptedId(await postWebhook(hub.url, webhook));
    assert.equal((await getEvent(hub.url, id)).state, 'unrouted');
  });

  test('an event is shown to an admin only', async () => {
    const id = await acceptedId(await postWebhook(hub.url, { body: '{"id":14}' }));
    const response = await fetch(`${hub.url}/events/${id}`);
    assert.equal(response.status, 401);
  });
});
