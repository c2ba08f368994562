import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConnectorDefinition, Definitions } from '../../src/definitions/definitions.ts';
import { createRoutes, type RoutedDelivery } from '../../src/definitions/routes.ts';
import type { OrderPolicy } from '../../src/model/order.ts';

function routesOf(order: OrderPolicy | undefined, fairBy?: string) {
  const connector = { id: 'erp', limits: { concurrency: 8, fairBy } } as unknown;
  const revision = {
    hash: 'h',
    flow: 'one',
    connector: 'erp',
    operation: 'create',
    program: {},
    retry: { attempts: 1, firstMs: 1, maxMs: 1, horizonMs: 1 },
    ...(order === undefined ? {} : { order }),
  };
  const definitions: Definitions = {
    folder: '/',
    connectors: new Map([['erp', connector as ConnectorDefinition]]),
    flows: new Map([
      ['one', { id: 'one', from: { connector: 'shop', topics: ['orders/create'] }, revision }],
    ]),
  };
  return createRoutes(definitions);
}

function routed(order: OrderPolicy | undefined, body: string, fairBy?: string): RoutedDelivery {
  const message = { source: 'shop', topic: 'orders/create', body: Buffer.from(body), shop: 's1' };
  const [delivery] = routesOf(order, fairBy).route(message);
  assert.ok(delivery);
  return delivery;
}

const plain: OrderPolicy = { by: 'id', dead: 'park', settleMs: 2_000 };
const latest: OrderPolicy = {
  by: 'sku',
  version: 'at',
  keep: 'latest',
  dead: 'skip',
  settleMs: 500,
};

test('a delivery of an ordered flow knows its place', () => {
  assert.deepEqual(routed(plain, '{"id":820982911946154508}').order, {
    key: '820982911946154508',
    dead: 'park',
  });
  assert.deepEqual(routed(latest, '{"sku":"a","at":"2026-01-01T00:00:00Z"}').order, {
    key: 'a',
    dead: 'skip',
    settleMs: 500,
    version: '1767225600000',
  });
  assert.deepEqual(routed(latest, '{"sku":"a"}').order, { key: 'a', dead: 'skip', settleMs: 500 });
});

test('an event without the key has no place, and neither has one of a flow without order', () => {
  assert.equal(routed(plain, '{}').order, undefined);
  assert.equal(routed(plain, 'no json').order, undefined);
  assert.equal(routed(undefined, '{"id":1}').order, undefined);
});

test('long keys are hashed, each to another', () => {
  const keys = ['a', 'b'].map((end) => {
    const { order } = routed(plain, JSON.stringify({ id: 'x'.repeat(10_000) + end }));
    return order?.key ?? '';
  });
  assert.match(keys[0] ?? '', /^sha256:[0-9a-f]{64}$/);
  assert.notEqual(keys[0], keys[1]);
});

test('the share of a lane is read as a key is', () => {
  assert.equal(routed(undefined, '{}', '$event.shop').tenant, 's1');
  assert.equal(routed(undefined, '{"account":{"id":5}}', 'account.id').tenant, '5');
  assert.equal(routed(undefined, '{}', 'account.id').tenant, undefined);
});

test('the body of a topic that nobody orders is not touched', () => {
  const body = Buffer.from('{}');
  const untouched = new Proxy(body, {
    get() {
      throw new Error('the body was read');
    },
  });
  const message = { source: 'shop', topic: 'orders/create', body: untouched };
  assert.equal(routesOf(undefined).route(message).length, 1);
});
