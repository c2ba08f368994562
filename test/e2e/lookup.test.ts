// Work whose answer got lost, on the real program and a target without an idempotency key.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { type HttpTarget, startHttpTarget } from '../support/http-target.ts';
import { adminToken, startHubProcess } from '../support/hub-process.ts';
import { runCrossdock } from '../support/run-crossdock.ts';
import { getEvent, postWebhook } from '../support/shop-sender.ts';
import { createTestProject, shopSecret } from '../support/test-project.ts';
import { waitUntil } from '../support/wait-until.ts';

const RECOVERY_MS = 60_000;

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Erp {
  readonly target: HttpTarget;
  /** References, one for each POST that was worked on. */
  readonly orders: string[];
  looks: number;
}

/** Works on each POST; the first one's answer is lost in one of two ways. */
async function startErp(first: 'breaks' | 'hangs'): Promise<Erp> {
  const orders: string[] = [];
  const target = await startHttpTarget((received, response) => {
    if (received.method === 'GET') {
      erp.looks += 1;
      const reference = new URL(received.url, 'http://erp').searchParams.get('reference') ?? '';
      const number = orders.indexOf(reference) + 1;
      response.writeHead(number === 0 ? 404 : 200).end(JSON.stringify({ number: `SO-${number}` }));
      return;
    }
    orders.push(String(JSON.parse(received.body).reference));
    if (orders.length > 1) response.writeHead(201).end('{}');
    else if (first === 'breaks') response.destroy();
  });
  const erp: Erp = { target, orders, looks: 0 };
  closers.push(() => target.close());
  return erp;
}

async function createProject({ target }: Erp): Promise<string> {
  const project = await createTestProject({
    erpUrl: target.url,
    files: {
      'connectors/erp.yaml': `
kind: http
baseUrl: ${target.url}
timeout: 1s
operations:
  createOrder:
    post: /orders
    result: '{ "number": number }'
    lookup: { operation: findOrder, found: $exists(body.number) }
  findOrder: { get: /orders, query: { reference: "{reference}" } }
`,
    },
  });
  closers.push(() => project.remove());
  return project.folder;
}

async function postOrder(url: string): Promise<string> {
  const response = await postWebhook(url, { body: '{"id":7,"total_price":"1.00"}' });
  const { id } = (await response.json()) as { id: string };
  return id;
}

function delivered(url: string, id: string) {
  return waitUntil(
    'the order is delivered',
    async () => {
      const { deliveries } = await getEvent(url, id);
      return deliveries.find(({ state }) => state === 'delivered');
    },
    RECOVERY_MS,
  );
}

test('a target that works and then breaks the connection has one order, and the doubt is shown', async () => {
  const erp = await startErp('breaks');
  const folder = await createProject(erp);
  const hub = await startHubProcess({ folder });
  closers.push(() => hub.end('SIGTERM'));
  const id = await postOrder(hub.url);
  const delivery = await delivered(hub.url, id);
  assert.deepEqual(erp.orders, ['SHOP-7']);
  assert.equal(erp.looks, 1);
  assert.equal(delivery.attempts, 2);
  assert.match(delivery.reason ?? '', /^erp.findOrder found it/);
  const authorization = `Bearer ${adminToken}`;
  const page = await fetch(`${hub.url}/deliveries/${delivery.id}`, {
    headers: { authorization, accept: 'text/html' },
  });
  assert.match(await page.text(), /retry, perhaps done/);
  const env = { SHOP_SECRET: shopSecret, ERP_TOKEN: 'token-of-the-erp' };
  const shown = await runCrossdock(['deliveries', delivery.id], { project: folder, env });
  assert.match(shown.stdout, /retry \(ambiguous\)/);
  assert.match(shown.stdout, /"number":"SO-1"/);
});

test('a hub that is killed while its call is under way leaves one order in the target', async () => {
  const erp = await startErp('hangs');
  const folder = await createProject(erp);
  const first = await startHubProcess({ folder });
  closers.push(() => first.end('SIGKILL'));
  const id = await postOrder(first.url);
  await waitUntil('the target has worked', () => erp.orders.length === 1 || undefined);
  await first.end('SIGKILL');
  const second = await startHubProcess({ folder });
  closers.push(() => second.end('SIGTERM'));
  const delivery = await delivered(second.url, id);
  assert.deepEqual(erp.orders, ['SHOP-7']);
  assert.match(delivery.reason ?? '', /^erp.findOrder found it/);
});
