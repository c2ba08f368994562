// What a replay, a retry or a cancel of a dead delivery means for those that wait behind it.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Journal } from '../../src/journal/journal.ts';
import { createChain, replayOf } from '../support/ordered-chain.ts';
import { openTestJournal } from '../support/test-journal.ts';

const death = { state: 'dead', code: 'rejected' } as const;

describe('replays in a chain that blocks', () => {
  let journal: Journal;
  let close: () => Promise<void>;

  before(async () => {
    ({ journal, close } = await openTestJournal());
  });
  after(() => close());

  test('a second replay takes the place of the first, which died in it', async () => {
    const chain = createChain(journal);
    const [first, second] = [await chain.append(), await chain.append()];
    await chain.record(await chain.take(first.id), death);
    await chain.claim(second.id);
    for (const _again of [1, 2]) {
      const [replay] = await replayOf(journal, first.id);
      await chain.record(await chain.take(replay?.deliveryId ?? ''), death);
      assert.deepEqual(await chain.advance(), [], 'the dead replay is in the way');
    }
    const [replay] = await replayOf(journal, first.id);
    await chain.record(await chain.take(replay?.deliveryId ?? ''));
    assert.deepEqual(await chain.advance(), [second.id]);
  });

  test('a replay of a delivered one that died is replayed in its own place', async () => {
    const chain = createChain(journal);
    const first = await chain.append();
    await chain.record(await chain.take(first.id));
    const [died] = await replayOf(journal, first.id);
    await chain.record(await chain.take(died?.deliveryId ?? ''), {
      state: 'dead',
      code: 'rejected',
    });
    const second = await chain.append();
    await chain.claim(second.id);
    const [cancelled] = await replayOf(journal, first.id);
    await journal.cancel({ deliveryId: cancelled?.deliveryId ?? '', by: 'test' });
    assert.deepEqual(await chain.advance(), [], 'the dead replay is in the way again');
    const [replay] = await replayOf(journal, first.id);
    await chain.record(await chain.take(replay?.deliveryId ?? ''));
    assert.deepEqual(await chain.advance(), [second.id]);
  });

  test('the dead one itself, tried again, takes the place of its dead replay', async () => {
    const chain = createChain(journal);
    const [first, second] = [await chain.append(), await chain.append()];
    await chain.record(await chain.take(first.id), death);
    await chain.claim(second.id);
    const [replay] = await replayOf(journal, first.id);
    await chain.record(await chain.take(replay?.deliveryId ?? ''), death);
    chain.note(await journal.reopen({ deliveryId: first.id, by: 'test' }));
    await chain.record(await chain.take(first.id));
    assert.deepEqual(await chain.advance(), [second.id]);
  });

  test('a cancelled replay leaves the dead one in the way', async () => {
    const chain = createChain(journal);
    const [first, second] = [await chain.append(), await chain.append()];
    await chain.record(await chain.take(first.id), death);
    await chain.claim(second.id);
    const [replay] = await replayOf(journal, first.id);
    await journal.cancel({ deliveryId: replay?.deliveryId ?? '', by: 'test' });
    assert.deepEqual(await chain.advance(), []);
    await journal.cancel({ deliveryId: first.id, by: 'test' });
    assert.deepEqual(await chain.advance(), [second.id]);
  });
});
