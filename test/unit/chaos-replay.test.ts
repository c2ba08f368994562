// What the scenario of the large replay judges by itself.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeReplay, type ReplayedRow, tallyReplay } from '../../chaos/bulk.ts';
import { slowCommandOf } from '../../chaos/redis-watch.ts';

/** Two that were delivered, one in doubt before, and one that was cancelled. */
const replayed: readonly ReplayedRow[] = [
  { key: 'e-1:f', original: 'd-1', state: 'delivered', open: false, ambiguous: 0 },
  { key: 'e-2:f', original: 'd-2', state: 'delivered', open: false, ambiguous: 1 },
  { key: 'e-3:f', original: 'd-3', state: 'cancelled', open: false, ambiguous: 0 },
];
const replayCalls = ['e-1:f', 'e-2:f', 'e-2:f'].map((idempotencyKey) => ({
  idempotencyKey,
  worked: true,
}));

test('a replay that made each once passes, and whatever is not so is seen', () => {
  const told = { taken: 3, made: 3 };
  const judged = (rows = replayed, calls = replayCalls, by = told) =>
    judgeReplay(tallyReplay(by, rows, calls))
      .map(({ message }) => message)
      .join();
  const [first, second, third] = replayed;
  assert.ok(first && second && third);

  assert.equal(judged(), '');
  assert.match(judged([first, second]), /says it made 3, the journal has 2/);
  const four = { taken: 4, made: 4 };
  const twice = [...replayed, { ...third, key: 'e-4:f' }];
  assert.match(judged(twice, replayCalls, four), /4 deliveries of 3 dead ones/);
  assert.match(judged(replayed, replayCalls, { ...four, made: 3 }), /came past 4/);
  assert.match(judged([first, second, { ...third, open: true }]), /1 are open/);
  assert.match(judged(replayed, replayCalls.slice(1)), /1 are delivered .* never had them/);
  const again = { idempotencyKey: 'e-1:f', worked: true };
  assert.match(judged(replayed, [...replayCalls, again]), /1 were worked on more than once/);
  const stranger = { idempotencyKey: 'e-9:f', worked: true };
  assert.match(judged(replayed, [...replayCalls, stranger]), /1 that the replay did not make/);
});

test('a slow command of Redis is named, with the queue of a script', () => {
  const script = ['evalsha', 'c0ffee', '9', '{crossdock}:erp:wait', '{crossdock}:erp:paused'];
  assert.deepEqual(slowCommandOf([7, 1_700_000_000, 61_500, script, '127.0.0.1:5', '']), {
    tookMs: 62,
    what: 'evalsha … {crossdock}:erp:wait',
  });
  assert.equal(slowCommandOf([8, 1_700_000_000, 51_000, ['KEYS', '*'], '', '']).what, 'KEYS');
});
