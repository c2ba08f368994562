import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type StoryParts, tellStory } from '../../src/delivery/story.ts';
import type { AttemptView, ChangeView, DeliveryView } from '../../src/journal/journal.ts';
import { type DeliveryState, deliveryStates } from '../../src/model/delivery.ts';
import { readRepositoryFile } from '../support/markdown.ts';

const startMs = Date.parse('2026-11-22T09:30:00.000Z');

function at(ms: number): Date {
  return new Date(startMs + ms);
}

type Fields = Partial<Omit<StoryParts, 'delivery'>> & { readonly delivery?: Partial<DeliveryView> };

function tell({ delivery: fields = {}, ...parts }: Fields) {
  const delivery: DeliveryView = {
    id: 'd1',
    eventId: 'e1',
    flow: 'order-to-erp',
    connector: 'erp',
    operation: 'createOrder',
    revision: 'r1',
    state: 'pending',
    attempts: 0,
    createdAt: at(0),
    updatedAt: at(0),
    idempotencyKey: 'e1:order-to-erp',
    source: 'shop',
    topic: 'orders/create',
    key: 'k1',
    ...fields,
  };
  const { reason } = delivery;
  const story = tellStory({
    delivery,
    shown: { state: delivery.state, ...(reason === undefined ? {} : { reason }) },
    attempts: [],
    changes: [],
    laneChanges: [],
    nowMs: startMs + 60_000,
    ...parts,
  });
  const lines = story.lines.map((line) => `${line.at.toISOString().slice(11, 19)} ${line.text}`);
  return { ...story, lines };
}

function attempt(number: number, ms: number, fields: Partial<AttemptView> = {}): AttemptView {
  return {
    number,
    startedAt: at(ms),
    durationMs: 100,
    outcome: 'retry',
    ambiguous: false,
    ...fields,
  };
}

function change(to: string, ms: number, fields: Partial<ChangeView> = {}): ChangeView {
  return { to, at: at(ms), by: 'hub', ...fields };
}

test('tells what happened in the order of time, one line a thing', () => {
  const { lines, now, todo } = tell({
    delivery: { state: 'delivered', attempts: 3, updatedAt: at(400_000) },
    attempts: [
      attempt(1, 1_000, {
        durationMs: 2_000,
        ambiguous: true,
        reason: 'ERP did not answer within 2000 ms',
      }),
      attempt(2, 7_200, { status: 503, reason: 'ERP answered 503' }),
      attempt(3, 300_000, { outcome: 'delivered', status: 201, durationMs: 1_250 }),
    ],
    changes: [change('retrying', 5_000, { reason: 'handed back: its process was leaving' })],
    laneChanges: [
      change('paused', 60_000, { by: 'anna', reason: 'new release' }),
      change('resumed', 240_000, { by: 'anna' }),
      change('paused', 500_000, { by: 'anna' }),
    ],
  });
  assert.deepEqual(lines, [
    '09:30:00 came in from shop as orders/create (event e1), goes to erp.createOrder by flow order-to-erp',
    '09:30:01 attempt 1: ERP did not answer within 2000 ms: it may have worked; next in 4.2 s',
    '09:30:05 handed back: its process was leaving: no attempt spent',
    '09:30:07 attempt 2: ERP answered 503; next in 4.9 min',
    '09:31:00 held: lane erp is paused by anna: new release',
    '09:34:00 lane erp is resumed by anna',
    '09:35:00 attempt 3: erp took it (201) after 1.3 s',
  ]);
  assert.equal(now, 'delivered');
  assert.equal(todo, undefined);
});

test('tells of what held it from the day it was made, and from when to when', () => {
  const { lines } = tell({
    delivery: { state: 'delivered', updatedAt: at(70_000) },
    attempts: [attempt(1, 61_000, { outcome: 'delivered', durationMs: 200 })],
    laneChanges: [
      change('paused', -3_600_000, { by: 'anna', reason: 'new release' }),
      change('paused', 10_000, { by: 'tom', of: 'flow:order-to-erp' }),
      change('resumed', 30_000, { by: 'anna' }),
      change('paused', 40_000, { of: 'operation:erp.createOrder', reason: 'status 410' }),
      change('resumed', 50_000, { by: 'anna', of: 'operation:erp.createOrder' }),
      change('resumed', 60_000, { by: 'tom', of: 'flow:order-to-erp' }),
    ],
  });
  assert.deepEqual(lines.slice(1), [
    '09:30:00 held: lane erp is paused by anna since 2026-11-22 08:30Z: new release',
    '09:30:10 held: flow order-to-erp is paused by tom',
    '09:30:30 lane erp is resumed by anna',
    '09:30:40 held: operation erp.createOrder is paused by hub: status 410',
    '09:30:50 operation erp.createOrder is resumed by anna',
    '09:31:00 flow order-to-erp is resumed by tom',
    '09:31:01 attempt 1: erp took it after 200 ms',
  ]);
});

test('says where a replay comes from, and who made it', () => {
  const { lines } = tell({
    delivery: { replayOf: 'd0' },
    changes: [change('pending', 0, { by: 'anna', reason: 'replay of d0' })],
  });
  assert.deepEqual(lines, [
    '09:30:00 made again of delivery d0 by anna: event e1 goes to erp.createOrder by flow order-to-erp',
  ]);
  const [told] = tell({ delivery: { source: 'crossdock', topic: 'lag-high' } }).lines;
  assert.match(told ?? '', /told by the hub itself as lag-high/);
});

test('tells of strikes, of people and of filters in their words', () => {
  const { lines } = tell({
    delivery: { state: 'cancelled', updatedAt: at(9_000) },
    changes: [
      change('pending', 1_000, {
        reason: 'its process vanished, also when tried apart; strike 2 of 3',
      }),
      change('pending', 2_000, { by: 'cli', reason: 'made due now by hand' }),
      change('held', 3_000, { reason: 'order: waits for d0' }),
      change('superseded', 4_000, { reason: 'a newer version came' }),
      change('filtered', 5_000, { reason: 'its `when` was false' }),
      change('cancelled', 6_000, { by: 'bull-board', reason: 'cancelled by hand' }),
    ],
  });
  assert.deepEqual(lines.slice(1), [
    '09:30:01 its process vanished, also when tried apart; strike 2 of 3: no attempt spent',
    '09:30:02 made due now by hand, by cli',
    '09:30:03 held: order: waits for d0',
    '09:30:04 superseded: a newer version came',
    "09:30:05 filtered: the flow's `when` was false",
    '09:30:06 cancelled by bull-board: cancelled by hand',
  ]);
});

test('the last attempt says what it came to', () => {
  const attempts = [
    attempt(1, 1_000, { code: 'rejected', outcome: 'rejected', reason: 'ERP said no' }),
  ];
  const dead = tell({
    delivery: { state: 'dead', code: 'rejected', reason: 'ERP said no' },
    attempts,
  });
  assert.equal(dead.lines.at(-1), '09:30:01 attempt 1: ERP said no: dead');
  const retried = tell({ delivery: { state: 'retrying', dueAt: at(11_100) }, attempts });
  assert.equal(retried.lines.at(-1), '09:30:01 attempt 1: ERP said no; next in 10 s');
  const reopened = tell({
    delivery: { state: 'pending', dueAt: at(20_000) },
    attempts,
    changes: [change('pending', 20_000, { by: 'anna', reason: 'tried again by hand' })],
  });
  assert.equal(reopened.lines.at(-2), '09:30:01 attempt 1: ERP said no');
});

const expected: Readonly<Record<DeliveryState, readonly [string, RegExp | undefined]>> = {
  pending: ['waits for its first attempt: it is due, and has its turn in the lane', /^nothing/],
  active: ['is being tried at this moment, or its process has just vanished', /^nothing/],
  retrying: ['waits for its next attempt, due in 30 s, at 2026-11-22T09:31:30.000Z', /^nothing/],
  held: ['held: lane paused by anna', /^crossdock resume erp; it then goes on/],
  delivered: ['delivered', undefined],
  filtered: ['filtered: it goes nowhere', undefined],
  dead: ['dead (rejected): ERP said no', /crossdock replay d1$/],
  superseded: ['superseded: a newer version came', undefined],
  cancelled: ['cancelled', /crossdock replay d1$/],
};

const detail: Readonly<Partial<Record<DeliveryState, Partial<DeliveryView>>>> = {
  retrying: { dueAt: at(90_000) },
  held: { reason: 'lane paused by anna' },
  dead: { code: 'rejected', reason: 'ERP said no' },
  superseded: { reason: 'a newer version came' },
};

for (const state of deliveryStates) {
  test(`says where a delivery stands that is ${state}, and what can be done`, () => {
    const { now, todo } = tell({ delivery: { state, ...detail[state] } });
    const [wanted, wantedTodo] = expected[state];
    assert.equal(now, wanted);
    if (wantedTodo === undefined) assert.equal(todo, undefined);
    else assert.match(todo ?? '', wantedTodo);
  });
}

test('has an advice for each code that a delivery can be dead with', () => {
  const [, rest = ''] = readRepositoryFile('src/model/outcome.ts').split('type OutcomeCode =');
  const codes = [...rest.matchAll(/'([a-z-]+)'/g)].map(([, code = '']) => code);
  assert.ok(codes.length > 15);
  for (const code of codes) {
    const { todo = '' } = tell({ delivery: { state: 'dead', code } });
    assert.match(todo, /^[a-z].+, then: crossdock replay d1$/, code);
  }
});

test('an operation that is gone is said to be disabled, with how to enable it again', () => {
  const reason = 'operation disabled by the hub since 2026-11-22 09:30Z: The ERP answered 410 Gone';
  const { lines, now, todo } = tell({
    delivery: { state: 'held', heldBy: 'operation:erp.createOrder', attempts: 1 },
    shown: { state: 'held', reason },
    attempts: [
      attempt(1, 0, {
        outcome: 'rejected',
        status: 410,
        code: 'operation-gone',
        reason: 'The ERP answered 410 Gone',
      }),
    ],
  });
  assert.equal(
    lines[1],
    '09:30:00 attempt 1: The ERP answered 410 Gone: the operation is disabled, no attempt spent',
  );
  assert.equal(now, `held: ${reason}`);
  assert.match(todo ?? '', /new address .* then crossdock resume --operation erp\.createOrder;/);
});

test('a delivery that a pause holds says what lets it go on, also before it is set aside', () => {
  for (const [reason, command] of [
    ['lane paused by cli', 'crossdock resume erp;'],
    ['flow paused by api', 'crossdock resume --flow order-to-erp;'],
    ['operation paused by cli', 'crossdock resume --operation erp.createOrder;'],
  ] as const) {
    const { todo = '' } = tell({ shown: { state: 'held', reason } });
    assert.ok(todo.startsWith(command), todo);
  }
});
