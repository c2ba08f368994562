import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import { sightDeath } from '../../src/delivery/problems.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { createChain, plainPlace, replayOf } from '../support/ordered-chain.ts';
import { sampleDelivery, sampleEvent } from '../support/sample-event.ts';
import { openTestJournal } from '../support/test-journal.ts';
import { waitUntil } from '../support/wait-until.ts';

describe('the order of deliveries of one key', () => {
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

  test('a later one is held, by name, until the one in front is delivered', async () => {
    const chain = createChain(journal);
    const [first, second] = [await chain.append(), await chain.append()];
    assert.deepEqual(await chain.claim(second.id), {
      kind: 'gone',
      state: 'held',
      chain: chain.chain,
      reason: `an earlier one of the same key is in front: delivery ${first.id}`,
    });
    assert.deepEqual(await journal.findInFront(second.id), {
      deliveryId: first.id,
      state: 'pending',
    });
    assert.deepEqual(await chain.advance(), []);
    const claim = await chain.take(first.id);
    assert.equal(claim.chain, chain.chain);
    assert.deepEqual(await chain.advance(), []);
    assert.equal((await journal.findInFront(second.id))?.state, 'active');
    await chain.record(claim);
    assert.deepEqual(await chain.advance(), [second.id]);
    assert.deepEqual(await chain.advance(), [], 'asked twice, it goes once');
    assert.equal(await journal.findInFront(second.id), undefined);
    assert.equal(await chain.state(second.id), 'pending');
    await chain.record(await chain.take(second.id));
    const changes = (await journal.listChanges(second.id)).map((change) => change.to);
    assert.deepEqual(changes, ['held']);
  });

  test('a retry in front holds the later ones; other keys and flows go on', async () => {
    const chain = createChain(journal);
    const [first, second] = [await chain.append(), await chain.append()];
    const other = await chain.append({ key: 'other', dead: 'block' });
    await chain.record(await chain.take(first.id), { state: 'retrying', dueInMs: 60_000 });
    assert.equal((await chain.claim(second.id)).kind, 'gone');
    assert.deepEqual(await chain.advance(), []);
    await chain.take(other.id);
    await chain.take((await createChain(journal).append()).id);
  });

  test('what was claimed and never recorded is not overtaken', async () => {
    const chain = createChain(journal);
    const [first, second] = [await chain.append(), await chain.append()];
    await chain.take(first.id, 1);
    assert.equal((await chain.claim(second.id)).kind, 'gone');
    assert.deepEqual(await chain.advance(), []);
    const again = await waitUntil('the lease to end', async () => {
      const answer = await chain.claim(first.id);
      return answer.kind === 'claimed' ? answer.claim : undefined;
    });
    assert.equal(again.strikes, 1);
    await chain.record(again);
    assert.deepEqual(await chain.advance(), [second.id]);
  });

  test('many of one key in one batch of claims: the first goes, the others are held', async () => {
    const chain = createChain(journal);
    const all = [];
    for (let count = 0; count < 20; count += 1) all.push(await chain.append());
    const plain = sampleEvent();
    await journal.append(plain);
    const answers = await Promise.all([
      ...all.toReversed().map((one) => chain.claim(one.id)),
      journal.claim({ deliveryId: plain.deliveries[0]?.id ?? '', round: 0, leaseMs: 1_000 }),
    ]);
    assert.equal(answers.at(-1)?.kind, 'claimed', 'one without order is not touched');
    assert.deepEqual(
      answers.slice(0, -1).map((answer) => answer.kind),
      [...Array(19).fill('gone'), 'claimed'],
    );
    assert.equal((await chain.claim(all[0]?.id ?? '')).kind, 'later');
  });

  test('of two that find the way free at once the index lets one through, and fails no other', async () => {
    const chain = createChain(journal);
    const [first, second] = [await chain.append(), await chain.append()];
    const others = createChain(journal);
    const other = await others.append();
    // As if the first one's claim had not been committed when the second one's began.
    await client.query('BEGIN');
    await client.query(
      "UPDATE deliveries SET running = chain, state = 'active', lease_until = now() + '1 h' WHERE id = $1",
      [first.id],
    );
    await client.query('UPDATE deliveries SET seq = seq + 1000000 WHERE id = $1', [first.id]);
    const waiting = client.query('SELECT 1');
    const answers = Promise.all([chain.claim(second.id), others.claim(other.id)]);
    await waiting;
    await client.query('COMMIT');
    const [late, free] = await answers;
    assert.notEqual(late.kind, 'claimed');
    assert.equal(free.kind, 'claimed');
    assert.equal((await chain.claim(second.id)).kind, 'gone');
    assert.equal(await chain.state(second.id), 'held');
  });

  test('an append that commits late comes in front, and never beside', async () => {
    const chain = createChain(journal);
    const [late, second] = [await chain.append(), await chain.append()];
    await client.query('UPDATE deliveries SET open = false WHERE id = $1', [late.id]);
    const claim = await chain.take(second.id);
    await client.query('UPDATE deliveries SET open = true WHERE id = $1', [late.id]);
    const answer = await chain.claim(late.id);
    assert.equal(answer.kind, 'gone');
    assert.match(await reasonOf(late.id), /another one of the same key is active/);
    await chain.record(claim);
    assert.deepEqual(await chain.advance(), [late.id]);
  });

  test('block: behind a dead one the others wait until a person retries it', async () => {
    const chain = createChain(journal);
    const [first, second] = [await chain.append(), await chain.append()];
    await chain.record(await chain.take(first.id), { state: 'dead', code: 'rejected' });
    assert.deepEqual(await chain.advance(), []);
    assert.equal((await chain.claim(second.id)).kind, 'gone');
    assert.match(await reasonOf(second.id), new RegExp(`is dead: delivery ${first.id}`));
    assert.deepEqual(await chain.advance(), []);
    chain.note(await journal.reopen({ deliveryId: first.id, by: 'test' }));
    await chain.record(await chain.take(first.id));
    assert.deepEqual(await chain.advance(), [second.id]);
  });

  test('block: a person may go on without the dead one', async () => {
    const chain = createChain(journal);
    const [first, second] = [await chain.append(), await chain.append()];
    await chain.record(await chain.take(first.id), { state: 'dead', code: 'rejected' });
    await chain.claim(second.id);
    const cancelled = await journal.cancel({ deliveryId: first.id, by: 'test' });
    assert.deepEqual(cancelled, { chain: chain.chain });
    assert.equal(await chain.state(first.id), 'cancelled');
    assert.deepEqual(await chain.advance(), [second.id]);
  });

  test('block: a replay of the dead one takes its place', async () => {
    const chain = createChain(journal);
    const [first, second] = [await chain.append(), await chain.append()];
    await chain.record(await chain.take(first.id), { state: 'dead', code: 'rejected' });
    await chain.claim(second.id);
    const [replay] = await replayOf(journal, first.id);
    assert.ok(replay);
    assert.deepEqual(await chain.advance(), [], 'the replay is in front now');
    const claim = await chain.take(replay.deliveryId);
    assert.equal(claim.replayOf, first.id);
    await chain.record(claim);
    assert.deepEqual(await chain.advance(), [second.id]);
  });

  test('block: a replay that is cancelled leaves the dead one in the way again', async () => {
    const chain = createChain(journal);
    const [first, second] = [await chain.append(), await chain.append()];
    await chain.record(await chain.take(first.id), { state: 'dead', code: 'rejected' });
    await chain.claim(second.id);
    const [replay] = await replayOf(journal, first.id);
    assert.ok(replay);
    await journal.cancel({ deliveryId: replay.deliveryId, by: 'test' });
    assert.deepEqual(await chain.advance(), [], 'the dead one is in front');
    await journal.cancel({ deliveryId: first.id, by: 'test' });
    assert.deepEqual(await chain.advance(), [second.id]);
  });

  test('block: what was replayed with success is in nobody’s way when one more replay is cancelled', async () => {
    const chain = createChain(journal);
    const first = await chain.append();
    await chain.record(await chain.take(first.id), { state: 'dead', code: 'rejected' });
    const [worked] = await replayOf(journal, first.id);
    await chain.record(await chain.take(worked?.deliveryId ?? ''));
    const [again] = await replayOf(journal, first.id);
    await journal.cancel({ deliveryId: again?.deliveryId ?? '', by: 'test' });
    const later = await chain.append();
    assert.equal((await chain.claim(later.id)).kind, 'claimed');
  });

  test('a replay of a delivered one comes last', async () => {
    const chain = createChain(journal);
    const first = await chain.append();
    await chain.record(await chain.take(first.id));
    const second = await chain.append();
    const [replay] = await replayOf(journal, first.id);
    const answer = await chain.claim(replay?.deliveryId ?? '');
    assert.equal(answer.kind, 'gone');
    await chain.record(await chain.take(second.id));
    assert.deepEqual(await chain.advance(), [replay?.deliveryId]);
  });

  test('park: the later ones die behind it, and are replayed with it in order', async () => {
    const problem = sightDeath('erp', { code: 'rejected', reason: 'the ERP refused it' });
    const chain = createChain(journal);
    const park = { ...plainPlace, dead: 'park' } as const;
    const all = [await chain.append(park), await chain.append(park), await chain.append(park)];
    const [first, second, third] = all.map((one) => one.id) as [string, string, string];
    assert.equal((await chain.claim(third)).kind, 'gone');
    await chain.record(await chain.take(first), { state: 'dead', code: 'rejected', problem });
    assert.deepEqual(await chain.advance(), [], 'the second is not held: its own claim parks it');
    assert.deepEqual(await chain.claim(second), {
      kind: 'gone',
      state: 'dead',
      chain: chain.chain,
      reason: `an earlier one of the same key is dead: delivery ${first}`,
    });
    assert.deepEqual(await chain.advance(), [third], 'nothing open is in front');
    assert.equal((await chain.claim(third)).kind, 'gone');
    const parked = await journal.getDelivery(third);
    assert.deepEqual([parked?.state, parked?.code, parked?.attempts], ['dead', 'order-parked', 0]);
    const { rows } = await client.query('SELECT problem FROM deliveries WHERE id = $1', [third]);
    assert.deepEqual(rows, [{ problem: problem.fingerprint }]);
    const replays = await replayOf(journal, third, first, second);
    const origins = new Map<string, string>();
    for (const one of replays) {
      origins.set((await journal.getDelivery(one.deliveryId))?.replayOf ?? '', one.deliveryId);
    }
    for (const id of [third, second]) await chain.claim(origins.get(id) ?? '');
    assert.equal((await chain.claim(origins.get(first) ?? '')).kind, 'claimed');
  });

  test('skip: a dead one is in nobody’s way', async () => {
    const chain = createChain(journal);
    const skip = { ...plainPlace, dead: 'skip' } as const;
    const [first, second] = [await chain.append(skip), await chain.append(skip)];
    await chain.claim(second.id);
    await chain.record(await chain.take(first.id), { state: 'dead', code: 'rejected' });
    assert.deepEqual(await chain.advance(), [second.id]);
    await chain.take(second.id);
  });

  test('made due by hand, a held one does not overtake', async () => {
    const chain = createChain(journal);
    const [, second] = [await chain.append(), await chain.append()];
    await chain.claim(second.id);
    chain.note(await journal.promote({ deliveryId: second.id, by: 'test' }));
    assert.equal(await chain.state(second.id), 'pending');
    assert.equal((await chain.claim(second.id)).kind, 'gone');
    assert.equal(await chain.state(second.id), 'held');
  });

  test('retention takes no dead one that others wait for, and lets them past no other way', async () => {
    const chain = createChain(journal);
    const [first, second] = [await chain.append(), await chain.append()];
    await chain.record(await chain.take(first.id), { state: 'dead', code: 'rejected' });
    await chain.claim(second.id);
    await journal.deleteOldEvents({ olderThanMs: 0, limit: 10_000 });
    assert.equal(await chain.state(first.id), 'dead');
    await journal.cancel({ deliveryId: second.id, by: 'test' });
    await journal.deleteOldEvents({ olderThanMs: 0, limit: 10_000 });
    assert.equal(await chain.state(first.id), 'unknown');
  });

  test('keys that the database cannot hold are stored all the same', async () => {
    for (const key of ['\0', '\ud800', 'ü'.repeat(500), '\u{1f600}'.repeat(250)]) {
      const { flow } = createChain(journal);
      const delivery = sampleDelivery({ flow, order: { key, dead: 'block' } });
      await journal.append(sampleEvent({ deliveries: [delivery] }));
      const answer = await journal.claim({ deliveryId: delivery.id, round: 0, leaseMs: 1_000 });
      assert.equal(answer.kind, 'claimed');
    }
  });

  test('the leader finds chains in which somebody waits, page by page', async () => {
    const chains = [];
    for (let count = 0; count < 3; count += 1) {
      const chain = createChain(journal);
      const [first, second] = [await chain.append(), await chain.append()];
      await chain.claim(second.id);
      await chain.record(await chain.take(first.id));
      chains.push(chain.chain);
    }
    const found: string[] = [];
    let after: string | undefined;
    do {
      const page = await journal.listWaitingChains({
        limit: 1,
        ...(after === undefined ? {} : { after }),
      });
      found.push(...page.chains);
      after = page.last;
    } while (after !== undefined);
    for (const chain of chains) assert.ok(found.includes(chain));
  });
});
