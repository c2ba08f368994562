import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OrderScore } from '../../demo/scoreboard.ts';
import { createShopOrder } from '../../demo/shop-orders.ts';
import { findFaults } from '../../demo/verdict.ts';

const order = createShopOrder(1, 0);
const good: OrderScore = {
  order,
  startedMs: 0,
  posted: [{ topic: 'orders/create', status: 200, eventId: 'e-1' }],
  erp: [],
  created: 1,
  confirmations: 1,
  numberMails: 1,
  archived: 1,
  shown: true,
};
const judge = (change: Partial<OrderScore>, body = `{"totals":{"total":"${order.total}"}}`) =>
  findFaults({
    scores: [{ ...good, ...change }],
    salesOrders: [{ number: 'SO-1', externalId: order.id, idempotencyKey: 'k', body }],
    mails: Array.from({ length: 2 }, () => ({ to: [], subject: '', text: '', html: '' })),
    forgedStatus: 401,
  });

test('finds nothing where everything came exactly once', () => {
  assert.deepEqual(judge({}), []);
});

test('finds what came never, twice, wrong or under two ids', () => {
  const posted = [...(good.posted ?? []), { topic: 'orders/create', status: 200, eventId: 'e-2' }];
  const changes: readonly (readonly [Partial<OrderScore>, RegExp])[] = [
    [{ created: 0 }, /sales orders made: 0 instead of 1/],
    [{ confirmations: 2 }, /confirmations: 2 instead of 1/],
    [{ numberMails: 0 }, /mails with the ERP number: 0 instead of 1/],
    [{ archived: 2 }, /lines in the archive: 2 instead of 1/],
    [{ posted: undefined }, /still posting/],
    [{ posted: [{ topic: 'orders/create', status: 503 }] }, /answered 503/],
    [{ posted: posted as NonNullable<OrderScore['posted']> }, /became 2 events/],
  ];
  for (const [change, expected] of changes) assert.match(judge(change).join('\n'), expected);
  assert.match(judge({}, '{"totals":{"total":"0.01"}}').join('\n'), /0\.01 in the ERP/);
});
