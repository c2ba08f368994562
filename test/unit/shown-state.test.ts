import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asShown, findPausedLanes } from '../../src/delivery/shown-state.ts';
import { deliveryStates } from '../../src/model/delivery.ts';

const paused = new Map([['erp', 'cli']]);

test('in a paused lane what waits is held, by whom, and what is over or under way stays', () => {
  for (const state of deliveryStates) {
    const delivery = {
      connector: 'erp',
      state,
      code: 'remote-error',
      reason: 'status 503',
    } as const;
    const waits = state === 'pending' || state === 'retrying';
    const held = { connector: 'erp', state: 'held', reason: 'lane paused by cli' };
    assert.deepEqual(asShown(delivery, paused), waits ? held : delivery, state);
    const elsewhere = { ...delivery, connector: 'mail' };
    assert.deepEqual(asShown(elsewhere, paused), elsewhere, state);
  }
});

test('a pause whose lane is in no summary is still one', async () => {
  const journal = {
    listPausedLanes: async () => ['erp', 'gone'],
    summarizeLanes: async () => [
      { connector: 'erp', open: 1, dead: 0, oldestDueMs: 0, pausedBy: 'cli' },
      { connector: 'mail', open: 1, dead: 0, oldestDueMs: 0 },
    ],
  };
  assert.deepEqual(
    [...(await findPausedLanes(journal))],
    [
      ['erp', 'cli'],
      ['gone', 'someone'],
    ],
  );
});
