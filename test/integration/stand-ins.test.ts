// The systems that the demo puts around the hub. They are only worth something if they are as
// strict as the real ones: Shopify's own SDK judges the shop, nodemailer talks to the mailbox.

import '@shopify/shopify-api/adapters/node';
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { ApiVersion, LogSeverity, shopifyApi } from '@shopify/shopify-api';
import { createTransport } from 'nodemailer';
import { createShopOrder } from '../../demo/shop-orders.ts';
import {
  type ErpAnswer,
  type Mood,
  moodsOf,
  type StandInErpOptions,
  startStandInErp,
} from '../../demo/stand-in-erp.ts';
import { startStandInMailbox } from '../../demo/stand-in-mailbox.ts';
import { createStandInShop, SHOP_DOMAIN, shopifyHeaders } from '../../demo/stand-in-shop.ts';

const SECRET = 'a-client-secret';
const TOKEN = 'a-token-of-the-erp';

describe('the stand-in ERP', () => {
  test('makes one sales order for one key, however often and however many at once', async (t) => {
    const { erp, post } = await openErp(t);
    const statuses = await Promise.all(
      Array.from({ length: 20 }, async () => (await post('1', 'key-1')).status),
    );
    assert.deepEqual(statuses.toSorted(), [...Array(19).fill(200), 201]);
    assert.deepEqual(
      erp.orders.map(({ number, externalId }) => [number, externalId]),
      [['SO-5001', '1']],
    );
  });

  test('answers another key for a known externalId with 409 and the number', async (t) => {
    const { erp, post } = await openErp(t);
    await post('1', 'key-1');
    const { status, body } = await post('1', 'key-2');
    assert.equal(status, 409);
    assert.deepEqual(body, {
      error: 'external-id-taken',
      number: 'SO-5001',
      externalId: '1',
      status: 'open',
    });
    assert.equal(erp.orders.length, 1);
  });

  test('lists what it has', async (t) => {
    const { erp, post } = await openErp(t);
    await post('1', 'key-1');
    await post('2', 'key-2');
    const headers = { authorization: `Bearer ${TOKEN}` };
    const response = await fetch(`${erp.url}/api/sales-orders`, { headers });
    const { orders } = (await response.json()) as { orders: { number: string }[] };
    assert.deepEqual(
      orders.map(({ number }) => number),
      ['SO-5001', 'SO-5002'],
    );
  });

  test('refuses a wrong token, a missing key, a missing line and broken JSON', async (t) => {
    const { erp, post } = await openErp(t);
    assert.equal((await post('1', 'key-1', { authorization: 'Bearer other' })).status, 401);
    assert.equal((await post('1', undefined)).status, 422);
    assert.equal((await post('1', 'key-1', {}, '{"externalId":"1","lines":[]}')).status, 422);
    assert.equal((await post('1', 'key-1', {}, '{"externalId":')).status, 422);
    assert.equal(erp.orders.length, 0);
  });

  test('does nothing while it is busy or down, and says when to come back', async (t) => {
    const moods: Mood[] = ['busy', 'down', 'well'];
    const { erp, post } = await openErp(t, {
      mood: (_id, attempt) => moods[attempt - 1] ?? 'well',
    });
    const busy = await post('1', 'key-1');
    assert.equal(busy.status, 429);
    assert.equal(busy.retryAfter, '1');
    assert.equal((await post('1', 'key-1')).status, 503);
    assert.equal(erp.orders.length, 0);
    assert.equal((await post('1', 'key-1')).status, 201);
  });

  test('keeps the order whose answer it loses, and knows it by its key afterwards', async (t) => {
    const answers: ErpAnswer[] = [];
    const { erp, post } = await openErp(t, {
      mood: (_id, attempt) => (attempt === 1 ? 'loses-answer' : 'well'),
      onAnswer: (answer) => answers.push(answer),
    });
    await assert.rejects(post('1', 'key-1'), /fetch failed/);
    assert.equal(erp.orders.length, 1);
    assert.equal((await post('1', 'key-1')).status, 200);
    assert.equal(erp.orders.length, 1);
    assert.deepEqual(
      answers.map(({ status, created }) => [status, created]),
      [
        ['lost', true],
        [200, false],
      ],
    );
  });

  test('has the same moods for the same seed, all of them, and none on a third attempt', () => {
    const ids = Array.from({ length: 200 }, (_, index) => String(index));
    const first = (seed: number) => ids.map((id) => moodsOf(seed)(id, 1));
    assert.deepEqual(first(7), first(7));
    assert.notDeepEqual(first(7), first(8));
    assert.deepEqual(
      new Set(first(7)),
      new Set<Mood>(['well', 'busy', 'down', 'slow', 'loses-answer']),
    );
    assert.deepEqual(new Set(ids.map((id) => moodsOf(7)(id, 3))), new Set<Mood>(['well']));
  });
});

describe('the stand-in shop', () => {
  test("signs so that Shopify's own SDK accepts it", async (t) => {
    const { url, results } = await openShopifyReceiver(t);
    const order = createShopOrder(1, 0);
    const posted = await createStandInShop({ webhookUrl: url, secret: SECRET, seed: 1 }).sell(
      order,
    );
    assert.equal(posted.length, results.length);
    for (const result of results) {
      assert.equal(result.valid, true);
      assert.equal(result.valid && result.domain, SHOP_DOMAIN);
      assert.equal(result.valid && result.topic, 'ORDERS_CREATE');
    }
  });

  test("forges so that Shopify's own SDK refuses it", async (t) => {
    const { url, results } = await openShopifyReceiver(t);
    const shop = createStandInShop({ webhookUrl: url, secret: SECRET, seed: 1 });
    assert.equal(await shop.forge(createShopOrder(1, 0)), 401);
    assert.deepEqual(results, [{ valid: false, reason: 'invalid_hmac' }]);
  });

  test("a signature is refused by Shopify's own SDK once a byte of the body has changed", async (t) => {
    const { url, results } = await openShopifyReceiver(t);
    const order = createShopOrder(1, 0);
    const body = order.body('orders/create');
    const headers = shopifyHeaders(SECRET, { order, topic: 'orders/create', body, seed: 1 });
    const changed = Buffer.from(body);
    changed.writeUInt8(changed.readUInt8(10) ^ 1, 10);
    await fetch(url, { method: 'POST', headers, body: changed });
    await fetch(url, { method: 'POST', headers, body });
    assert.deepEqual(
      results.map(({ valid }) => valid),
      [false, true],
    );
  });

  test('posts the same webhook with the same id and bytes, and other orders with others', async (t) => {
    const seen: string[] = [];
    const url = await listen(t, async (request, response) => {
      const body = await textOf(request);
      seen.push(`${request.headers['x-shopify-webhook-id']} ${body}`);
      response.end('{"id":"e-1"}');
    });
    const shop = createStandInShop({ webhookUrl: url, secret: SECRET, seed: 1 });
    const posted = await shop.sell(createShopOrder(1, 2));
    assert.equal(posted.length, 10);
    assert.equal(new Set(seen).size, 1);
    assert.deepEqual(new Set(posted.map(({ eventId }) => eventId)), new Set(['e-1']));
    await shop.sell(createShopOrder(1, 1));
    assert.equal(new Set(seen).size, 2);
  });

  test('tries again until it is answered with a 2xx', async (t) => {
    const statuses = [503, 200];
    const url = await listen(t, async (request, response) => {
      await textOf(request);
      response.writeHead(statuses.shift() ?? 200).end('{"id":"e-1"}');
    });
    const shop = createStandInShop({ webhookUrl: url, secret: SECRET, seed: 1 });
    const posted = await shop.sell(createShopOrder(1, 1));
    assert.deepEqual(posted, [{ topic: 'orders/create', status: 200, eventId: 'e-1' }]);
    assert.equal(statuses.length, 0);
  });

  test('writes ids beyond 2^53 as the digits that they are', () => {
    const text = createShopOrder(1, 0).body('orders/create').toString();
    assert.match(text, /"id":820982911946154508,/);
    assert.match(text, /"id":487817672276298554,/);
    assert.match(createShopOrder(1, 41).body('orders/paid').toString(), /"id":820982911946154549,/);
  });

  test('says of an order by invoice that it is pending, then that it is paid', () => {
    const order = createShopOrder(1, 4);
    assert.equal(order.paidAtOnce, false);
    assert.match(order.body('orders/create').toString(), /"financial_status":"pending"/);
    assert.match(order.body('orders/paid').toString(), /"financial_status":"paid"/);
  });
});

describe('the stand-in mailbox', () => {
  test('keeps a mail with its envelope, subject and text', async (t) => {
    const { mailbox, transport } = await openMailbox(t, 'right');
    await transport.sendMail({
      from: 'orders@shop.example',
      to: 'ada@example.com',
      subject: 'Größe',
      text: 'Grüße',
      html: '<p>Grüße</p>',
      messageId: '<m-1@shop.example>',
    });
    assert.deepEqual(mailbox.mails, [
      {
        to: ['ada@example.com'],
        subject: 'Größe',
        text: 'Grüße',
        html: '<p>Grüße</p>',
        messageId: '<m-1@shop.example>',
      },
    ]);
  });

  test('takes nothing from somebody with a wrong password', async (t) => {
    const { mailbox, transport } = await openMailbox(t, 'wrong');
    const mail = { from: 'a@shop.example', to: 'b@example.com', text: 'x' };
    await assert.rejects(transport.sendMail(mail), { code: 'EAUTH' });
    assert.deepEqual(mailbox.mails, []);
  });
});

async function openErp(t: TestContext, options: Partial<StandInErpOptions> = {}) {
  const erp = await startStandInErp({ token: TOKEN, mood: () => 'well', slowMs: 1, ...options });
  t.after(() => erp.close());
  const post = async (
    externalId: string,
    key: string | undefined,
    ...[headers = {}, body = JSON.stringify({ externalId, lines: [{}] })]: [
      headers?: Record<string, string>,
      body?: string,
    ]
  ) => {
    const response = await fetch(`${erp.url}/api/sales-orders`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${TOKEN}`,
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...headers,
      },
      body,
    });
    const retryAfter = response.headers.get('retry-after');
    return { status: response.status, retryAfter, body: await response.json() };
  };
  return { erp, post };
}

/** A server that asks Shopify's SDK what it thinks of each request. */
async function openShopifyReceiver(t: TestContext) {
  const shopify = shopifyApi({
    apiKey: 'an-api-key',
    apiSecretKey: SECRET,
    apiVersion: ApiVersion.July26,
    hostName: 'hub.example',
    isEmbeddedApp: false,
    logger: { level: LogSeverity.Error },
  });
  const results: Awaited<ReturnType<typeof shopify.webhooks.validate>>[] = [];
  const url = await listen(t, async (rawRequest, rawResponse) => {
    const rawBody = await textOf(rawRequest);
    const result = await shopify.webhooks.validate({ rawBody, rawRequest, rawResponse });
    results.push(result);
    rawResponse.writeHead(result.valid ? 200 : 401).end('{"id":"e-1"}');
  });
  return { url, results };
}

async function openMailbox(t: TestContext, password: string) {
  const mailbox = await startStandInMailbox({ user: 'hub', password: 'right' });
  t.after(() => mailbox.close());
  const transport = createTransport({
    host: '127.0.0.1',
    port: mailbox.port,
    auth: { user: 'hub', pass: password },
  });
  t.after(() => transport.close());
  return { mailbox, transport };
}

async function listen(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<string> {
  const server = createServer((request, response) => {
    answer(request, response).catch((error: Error) => response.destroy(error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
