// What was under way when its process vanished, or was cut off, and is then paused: it may have been
// sent, and nobody behind it may wait for ever.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Claim, Journal } from '../../src/journal/journal.ts';
import { createChain, latestPlace, plainPlace } from '../support/ordered-chain.ts';
import { openTestJournal } from '../support/test-journal.ts';
import { query } from '../support/test-journal-server.ts';
import { waitUntil } from '../support/wait-until.ts';

let journal: Journal;
let url: string;
let close: () => Promise<void>;

before(async () => {
  ({ journal, url, close } = await openTestJournal());
});
after(() => close());

type Chain = ReturnType<typeof createChain>;

/** A claim whose process vanishes: no word of it, and its lease ends. */
async function vanish(chain: Chain, id: string): Promise<void> {
  await chain.take(id, 1);
  await waitUntil('its lease has ended', async () => {
    const [row] = await query(
      url,
      `SELECT lease_until < clock_timestamp() AS over FROM deliveries WHERE id = '${id}'`,
    );
    return row?.['over'] === true ? true : undefined;
  });
}

async function pauseFlow(chain: Chain): Promise<void> {
  await journal.pause({ scope: 'flow', name: chain.flow, by: 'a test' });
}

async function resumeFlow(chain: Chain): Promise<void> {
  await journal.resume({ scope: 'flow', name: chain.flow, by: 'a test' });
  for (const due of await journal.releaseHeld({ limit: 100 })) chain.note(due);
}

async function heldBack(chain: Chain, id: string): Promise<void> {
  const answer = await chain.claim(id);
  assert.deepEqual(answer, { kind: 'gone', state: 'held' });
}

function suspicion({ ambiguous, strikes }: Claim): readonly [boolean, number] {
  return [ambiguous, strikes];
}

describe('a delivery that vanished and is paused', () => {
  test('is in doubt, and a suspect, when its flow goes on', async () => {
    const chain = createChain(journal);
    const { id } = await chain.append();
    await vanish(chain, id);
    await pauseFlow(chain);
    await heldBack(chain, id);
    await resumeFlow(chain);
    assert.deepEqual(suspicion(await chain.take(id)), [true, 1]);
  });

  test('is not active beside the pause, and lets its key go on', async () => {
    const chain = createChain(journal);
    const [first, second] = [await chain.append(), await chain.append()];
    await vanish(chain, first.id);
    await pauseFlow(chain);
    await heldBack(chain, first.id);
    await heldBack(chain, second.id);
    const running = `SELECT id FROM deliveries WHERE running = '${chain.chain}'`;
    assert.deepEqual(await query(url, running), []);
    await journal.cancel({ deliveryId: first.id, by: 'a test' });
    await resumeFlow(chain);
    await chain.record(await chain.take(second.id));
    assert.equal(await chain.state(second.id), 'delivered');
  });

  test('may have been sent: nothing older of its key comes after it', async () => {
    const chain = createChain(journal);
    const { id } = await chain.append(latestPlace(5));
    await vanish(chain, id);
    await pauseFlow(chain);
    await heldBack(chain, id);
    await journal.cancel({ deliveryId: id, by: 'a test' });
    await resumeFlow(chain);
    const stale = await chain.append(latestPlace(4));
    const answer = await chain.claim(stale.id);
    assert.equal(answer.kind === 'gone' && answer.reason, 'a newer one of the same key was sent');
    const fresh = await chain.append(latestPlace(6));
    assert.equal((await chain.claim(fresh.id)).kind, 'claimed');
  });

  test('is taken over when its connector goes on, and then its key does', async () => {
    const chain = createChain(journal);
    const [first, second] = [await chain.append(plainPlace), await chain.append(plainPlace)];
    await vanish(chain, first.id);
    const lane = { scope: 'connector', name: 'erp', by: 'a test' } as const;
    await journal.pause(lane);
    const { due } = await journal.findOverdue({ graceMs: -1, limit: 500, without: ['erp'] });
    assert.ok(due.every(({ deliveryId }) => deliveryId !== first.id));
    await journal.resume(lane);
    const claim = await chain.take(first.id);
    assert.deepEqual(suspicion(claim), [true, 1]);
    await chain.record(claim);
    await chain.record(await chain.take(second.id));
    assert.equal(await chain.state(second.id), 'delivered');
  });
});

test('a delivery whose call was cut off keeps its doubt over a pause, and is no suspect', async () => {
  const chain = createChain(journal);
  const { id } = await chain.append();
  const attempt = { durationMs: 1, outcome: 'retry', ambiguous: true, spends: false } as const;
  await chain.record(await chain.take(id), { state: 'retrying', dueInMs: 0, attempt });
  await pauseFlow(chain);
  await heldBack(chain, id);
  await resumeFlow(chain);
  assert.deepEqual(suspicion(await chain.take(id)), [true, 0]);
});
