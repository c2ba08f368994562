import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import type { ConflictView, DeliveryView } from '../../src/journal/journal.ts';
import type { Event, Headers } from '../../src/model/event.ts';
import { asAdmin, type HttpHub, startHttp } from '../support/http-hub.ts';

const eventId = '01922f3e-0000-7000-8000-000000000001';
const deliveryId = '01922f3e-0000-7000-8000-000000000002';
const at = new Date('2026-11-20T10:00:00.000Z');
const hostile = '<img src=x onerror="alert(1)">';

let body: Buffer;
let deliveries: DeliveryView[];
let pausedLanes: string[];
let headers: Headers;
let unreadable: string | undefined;
let conflicts: ConflictView[];
let hub: HttpHub;

const event = (): Event => ({
  id: eventId,
  source: 'shop',
  topic: 'orders/create',
  dedupeKey: hostile,
  shop: 'shop.example',
  body,
  headers,
  sha256: createHash('sha256').update(body).digest('hex'),
  receivedAt: at,
  ...(unreadable === undefined ? {} : { unreadable }),
});

const delivery: DeliveryView = {
  id: deliveryId,
  eventId,
  flow: 'order-to-erp',
  connector: 'erp',
  operation: 'createSalesOrder',
  revision: 'abc',
  state: 'retrying',
  code: 'remote-error',
  reason: hostile,
  attempts: 1,
  createdAt: at,
  updatedAt: at,
  dueAt: at,
  idempotencyKey: `${eventId}:order-to-erp`,
  source: 'shop',
  topic: 'orders/create',
  key: hostile,
};

before(async () => {
  hub = await startHttp({
    journal: {
      getEvent: async (id) => (id === eventId ? event() : undefined),
      listConflicts: async () => conflicts,
      getDelivery: async (id) => deliveries.find((one) => one.id === id),
      listDeliveries: async () => deliveries,
      listAttempts: async () => [
        {
          number: 1,
          startedAt: at,
          durationMs: 120,
          outcome: 'retry',
          ambiguous: true,
          status: 503,
          code: 'remote-error',
          reason: hostile,
          request: { summary: 'POST https://erp.example/orders', body: hostile },
        },
      ],
      listChanges: async () => [{ at, to: 'pending', by: 'bull-board', reason: hostile }],
      listLaneChanges: async () => [{ at, to: 'paused', by: 'anna', reason: hostile }],
      listPauses: async () => [],
      listShutLanes: async () =>
        pausedLanes.map((connector) => ({ connector, pause: { at, by: 'cli' } })),
    },
  });
});
after(() => hub.server.close(1_000));
beforeEach(() => {
  body = Buffer.from('{"id": 820982911946154508, "price": 10.10}');
  deliveries = [delivery];
  pausedLanes = [];
  headers = { 'x-shopify-topic': 'orders/create', 'x-odd': hostile };
  unreadable = undefined;
  conflicts = [];
});

const shown = (time: Date) => `${time.toISOString().slice(0, 16).replace('T', ' ')}Z`;

const get = (path: string, accept = 'application/json') =>
  fetch(`${hub.url}${path}`, { headers: { ...asAdmin, accept } });

async function getJson(path: string) {
  const response = await get(path);
  assert.equal(response.status, 200);
  const text = await response.text();
  return { text, value: JSON.parse(text) };
}

test('an event is told with why it cannot be read, and what else came under its key', async () => {
  headers = { 'content-type': 'text/xml; charset=iso-8859-1' };
  body = Buffer.from('<ü', 'latin1');
  unreadable = 'not XML: ">" is missing, at line 1 column 3';
  conflicts = [
    {
      sha256: 'ab',
      bytes: 2_000_000,
      receivedAt: at,
      headers: {},
      body: Buffer.from('{"v":10.10}'),
    },
    { sha256: 'cd', bytes: 1, receivedAt: at, headers: {}, body: Buffer.from([0xff]) },
  ];
  const { value } = await getJson(`/events/${eventId}`);
  assert.equal(value.unreadable, unreadable);
  assert.equal(value.body, '<ü');
  assert.deepEqual(value.conflicts, [
    { sha256: 'ab', bytes: 2_000_000, receivedAt: at.toISOString(), body: '{"v":10.10}' },
    { sha256: 'cd', bytes: 1, receivedAt: at.toISOString(), encoding: 'base64', body: '/w==' },
  ]);
  const page = await (await get(`/events/${eventId}`, 'text/html')).text();
  assert.match(page, /not XML: &quot;&gt;&quot; is missing/);
  assert.match(page, /Other bodies under the same key/);
  assert.match(page, /2000000 bytes, SHA-256 ab/);
});

test('an event is told with its deliveries, their attempts and their changes', async () => {
  const { value } = await getJson(`/events/${eventId}`);
  assert.equal(value.id, eventId);
  assert.equal(value.source, 'shop');
  assert.equal(value.key, hostile);
  assert.equal(value.bytes, body.length);
  assert.equal(value.state, 'open');
  assert.equal(value.receivedAt, at.toISOString());
  assert.equal(value.headers['x-shopify-topic'], 'orders/create');
  const [told] = value.deliveries;
  assert.equal(told.id, deliveryId);
  assert.equal(told.to, 'erp.createSalesOrder');
  assert.equal(told.state, 'retrying');
  assert.equal(told.attempts, 1);
  assert.equal(told.idempotencyKey, `${eventId}:order-to-erp`);
  assert.equal(told.attemptsLog[0].status, 503);
  assert.equal(told.changes[0].by, 'bull-board');
});

test('820982911946154508 and 10.10 are shown as 820982911946154508 and 10.10', async () => {
  const { text, value } = await getJson(`/events/${eventId}`);
  assert.ok(text.includes('"body":{"id": 820982911946154508, "price": 10.10}'));
  assert.equal(value.json, true);
});

test('a body that is no JSON is shown as text, and one that is no text as base64', async () => {
  body = Buffer.from('{"id": 1,}');
  const text = await getJson(`/events/${eventId}`);
  assert.equal(text.value.json, false);
  assert.equal(text.value.body, '{"id": 1,}');
  assert.equal(text.value.encoding, undefined);
  body = Buffer.from([0xff, 0x00, 0xfe]);
  const bytes = await getJson(`/events/${eventId}`);
  assert.equal(bytes.value.encoding, 'base64');
  assert.deepEqual(Buffer.from(bytes.value.body, 'base64'), body);
});

test('the state of an event follows from its deliveries', async () => {
  const states: readonly [readonly DeliveryView['state'][], string][] = [
    [[], 'unrouted'],
    [['delivered', 'held'], 'open'],
    [['dead', 'pending'], 'open'],
    [['delivered', 'dead'], 'dead'],
    [['delivered', 'filtered', 'cancelled'], 'finished'],
  ];
  for (const [of, expected] of states) {
    deliveries = of.map((state) => ({ ...delivery, state }));
    assert.equal((await getJson(`/events/${eventId}`)).value.state, expected, of.join());
  }
});

test('a delivery that waits in a paused lane is held, and says by whom', async () => {
  pausedLanes = ['erp'];
  const { value } = await getJson(`/deliveries/${deliveryId}`);
  assert.equal(value.state, 'held');
  assert.equal(value.reason, `lane paused by cli since ${shown(at)}`);
  deliveries = [{ ...delivery, state: 'delivered' }];
  assert.equal((await getJson(`/deliveries/${deliveryId}`)).value.state, 'delivered');
});

test('a delivery names its event', async () => {
  const { value } = await getJson(`/deliveries/${deliveryId}`);
  assert.equal(value.id, deliveryId);
  assert.equal(value.event.id, eventId);
  assert.equal(value.event.topic, 'orders/create');
});

test('a browser gets a page with the same facts, and nothing in it is markup of a message', async () => {
  body = Buffer.from(`{"note": ${JSON.stringify(hostile)}}`);
  for (const path of [`/events/${eventId}`, `/deliveries/${deliveryId}`]) {
    const response = await get(path, 'text/html,*/*;q=0.8');
    assert.match(String(response.headers.get('content-type')), /text\/html/);
    assert.equal(response.headers.get('vary'), 'accept');
    const page = await response.text();
    assert.ok(page.includes('order-to-erp'));
    assert.ok(page.includes('retrying'));
    assert.ok(page.includes('bull-board'));
    assert.ok(page.includes('&lt;img src=x'));
    assert.ok(!page.includes('<img'));
    assert.ok(!page.includes('<script'));
    assert.match(String(response.headers.get('content-security-policy')), /default-src 'none'/);
  }
});

test('an id that is none, or not there, is 404', async () => {
  for (const id of ['x', '1%27--', '01922f3e-0000-7000-8000-00000000ffff']) {
    assert.equal((await get(`/events/${id}`)).status, 404, id);
    assert.equal((await get(`/deliveries/${id}`)).status, 404, id);
  }
});
