import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import type { Journal } from '../../src/journal/journal.ts';
import { createChain, latestPlace, replayOf } from '../support/ordered-chain.ts';
import { openTestJournal } from '../support/test-journal.ts';

describe('keys of which only the newest counts', () => {
  let journal: Journal;
  let url: string;
  let close: () => Promise<void>;
  let client: pg.Client;

  before(async () => {
    ({ journal, url, close } = await openTestJournal());
    client = new pg.Client({ connectionString: url });
    await client.connect();
  });
  after(async () => {
    await client.end();
    await close();
  });

  async function reasonOf(id: string): Promise<string> {
    return (await journal.getDelivery(id))?.reason ?? '';
  }

  test('the older one is superseded, and the newest sent', async () => {
    const chain = createChain(journal);
    const old = await chain.append(latestPlace(1));
    const newest = await chain.append(latestPlace(3));
    const middle = await chain.append(latestPlace('2.5'));
    const claim = await chain.take(old.id);
    assert.equal(claim.deliveryId, newest.id, 'the old one gives it its turn');
    assert.equal(
      await reasonOf(old.id),
      `a newer one of the same key is there: delivery ${newest.id}`,
    );
    assert.equal((await chain.claim(newest.id)).kind, 'later');
    await chain.record(claim);
    assert.deepEqual(await chain.claim(middle.id), {
      kind: 'gone',
      state: 'superseded',
      chain: chain.chain,
      reason: 'a newer one of the same key was sent',
    });
  });

  test('the turn of the newest is given by its own lane only', async () => {
    const chain = createChain(journal);
    const old = await chain.append(latestPlace(1));
    const newest = await chain.append(latestPlace(2));
    await client.query("UPDATE deliveries SET connector = 'crm' WHERE id = $1", [newest.id]);
    assert.equal((await chain.claim(old.id)).kind, 'gone');
    assert.deepEqual(
      [await chain.state(old.id), await chain.state(newest.id)],
      ['superseded', 'pending'],
    );
    assert.equal((await chain.take(newest.id)).deliveryId, newest.id);
  });

  test('a stale retry is not sent', async () => {
    const chain = createChain(journal);
    const old = await chain.append(latestPlace('820982911946154508'));
    await chain.record(await chain.take(old.id), { state: 'retrying', dueInMs: 0 });
    const newer = await chain.append(latestPlace('820982911946154509'));
    await chain.record(await chain.take(newer.id));
    assert.equal((await chain.claim(old.id)).kind, 'gone');
    assert.equal(await chain.state(old.id), 'superseded');
  });

  test('a stale replay is not sent, one of the newest is', async () => {
    const chain = createChain(journal);
    const old = await chain.append(latestPlace(1));
    await chain.record(await chain.take(old.id));
    const newer = await chain.append(latestPlace(2));
    await chain.record(await chain.take(newer.id));
    const [stale] = await replayOf(journal, old.id);
    assert.equal((await chain.claim(stale?.deliveryId ?? '')).kind, 'gone');
    assert.equal(await chain.state(stale?.deliveryId ?? ''), 'superseded');
    const [again] = await replayOf(journal, newer.id);
    await chain.take(again?.deliveryId ?? '');
  });

  test('what may have been sent is not followed by something older', async () => {
    const chain = createChain(journal);
    const newer = await chain.append(latestPlace(2));
    const attempt = { durationMs: 1, outcome: 'retry', ambiguous: true } as const;
    const unclear = { state: 'dead', code: 'retries-exhausted', attempt } as const;
    await chain.record(await chain.take(newer.id), unclear);
    const old = await chain.append(latestPlace(1));
    assert.equal((await chain.claim(old.id)).kind, 'gone');
    assert.equal(await chain.state(old.id), 'superseded');
  });

  test('what was claimed and never recorded may have been sent, also once it is superseded', async () => {
    const chain = createChain(journal);
    const crashed = await chain.append(latestPlace(2));
    await chain.take(crashed.id);
    const newest = await chain.append(latestPlace(3));
    await chain.claim(newest.id);
    assert.equal(await chain.state(newest.id), 'held', 'the claim still runs');
    const past = "UPDATE deliveries SET lease_until = now() - interval '1 s' WHERE id = $1";
    await client.query(past, [crashed.id]);
    await chain.claim(crashed.id);
    assert.equal(await chain.state(crashed.id), 'superseded');
    assert.deepEqual(await chain.advance(), [newest.id]);
    await journal.cancel({ deliveryId: newest.id, by: 'test' });
    const old = await chain.append(latestPlace(1));
    assert.equal((await chain.claim(old.id)).kind, 'gone');
    assert.equal(await chain.state(old.id), 'superseded');
  });

  test('behind an active one the newest waits, and the others are superseded', async () => {
    const chain = createChain(journal);
    const first = await chain.append(latestPlace(1));
    const claim = await chain.take(first.id);
    const second = await chain.append(latestPlace(2));
    assert.equal((await chain.claim(second.id)).kind, 'gone');
    assert.equal(await chain.state(second.id), 'held');
    const third = await chain.append(latestPlace(3));
    await chain.claim(third.id);
    assert.deepEqual(await chain.advance(), []);
    assert.equal(await chain.state(second.id), 'superseded', 'while the first is still active');
    await chain.record(claim, { state: 'retrying', dueInMs: 60_000 });
    assert.deepEqual(await chain.advance(), [third.id]);
    await chain.record(await chain.take(third.id));
  });

  test('of equal versions the later one is sent', async () => {
    const chain = createChain(journal);
    const [first, second] = [
      await chain.append(latestPlace(1)),
      await chain.append(latestPlace('1.0')),
    ];
    assert.equal((await chain.take(first.id)).deliveryId, second.id);
  });

  test('one without a version waits its turn, and others wait for it', async () => {
    const chain = createChain(journal);
    const first = await chain.append(latestPlace(1));
    const unknown = await chain.append({ key: 'k', dead: 'skip', settleMs: 0 });
    const third = await chain.append(latestPlace(3));
    assert.equal((await chain.claim(third.id)).kind, 'gone');
    assert.equal(await chain.state(third.id), 'held');
    assert.equal((await chain.claim(unknown.id)).kind, 'gone');
    assert.equal(await chain.state(unknown.id), 'held');
    assert.equal((await chain.claim(first.id)).kind, 'gone');
    assert.equal(await chain.state(first.id), 'superseded');
    assert.deepEqual(await chain.advance(), [unknown.id]);
    await chain.record(await chain.take(unknown.id));
    assert.deepEqual(await chain.advance(), [third.id]);
  });

  test('a second call for a key comes after it has settled', async () => {
    const chain = createChain(journal);
    const settleMs = 60_000;
    const first = await chain.append(latestPlace(1, settleMs));
    await chain.record(await chain.take(first.id));
    const second = await chain.append(latestPlace(2, settleMs));
    const answer = await chain.claim(second.id);
    assert.equal(answer.kind, 'later');
    assert.ok((answer as { inMs: number }).inMs > 30_000);
    assert.equal(await chain.state(second.id), 'pending');
    await client.query('UPDATE order_keys SET sent_at = sent_at - $2::interval WHERE chain = $1', [
      chain.chain,
      '1 min',
    ]);
    chain.note(await journal.promote({ deliveryId: second.id, by: 'test' }));
    await chain.take(second.id);
  });

  test('order keys go when everything that they could be compared with is gone', async () => {
    const chain = createChain(journal);
    const first = await chain.append(latestPlace(1));
    await chain.record(await chain.take(first.id));
    const count = async () =>
      (await client.query('SELECT FROM order_keys WHERE chain = $1', [chain.chain])).rowCount;
    await journal.deleteOldEvents({ olderThanMs: 3_600_000, limit: 10_000 });
    assert.equal(await count(), 1);
    await journal.deleteOldEvents({ olderThanMs: 0, limit: 10_000 });
    assert.equal(await count(), 0);
  });
});
