import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import type { AttemptRecord, Claim, Journal, Replayed } from '../../src/journal/journal.ts';
import { sampleEvent } from '../support/sample-event.ts';
import { openTestJournal } from '../support/test-journal.ts';
import { waitUntil } from '../support/wait-until.ts';

describe('claims and records of the journal', () => {
  let journal: Journal;
  let url: string;
  let close: () => Promise<void>;

  before(async () => {
    ({ journal, url, close } = await openTestJournal());
  });
  after(() => close());

  async function storedDelivery(): Promise<{ id: string; eventId: string }> {
    const event = sampleEvent();
    await journal.append(event);
    return { id: event.deliveries[0]?.id ?? '', eventId: event.id };
  }

  async function claimed(deliveryId: string, round = 0): Promise<Claim> {
    const answer = await journal.claim({ deliveryId, round, leaseMs: 5_000 });
    assert.equal(answer.kind, 'claimed');
    return (answer as { claim: Claim }).claim;
  }

  test('an attempt that does not count is told, and spends nothing', async () => {
    const { id } = await storedDelivery();
    const first = await claimed(id);
    const attempt = { durationMs: 1, outcome: 'retry', ambiguous: true, spends: false } as const;
    const record = { deliveryId: id, fence: first.fence, state: 'retrying', dueInMs: 0 } as const;
    await journal.record({ ...record, attempt });
    const second = await claimed(id);
    assert.equal(second.attempts, 1);
    assert.equal(second.spent, 0);
    assert.equal((await journal.listAttempts(id)).length, 1);
  });

  test('a record that comes twice, its first answer lost, is accepted twice and written once', async () => {
    const { id } = await storedDelivery();
    const { fence } = await claimed(id);
    const emits = sampleEvent({ source: 'erp', topic: 'order-created' });
    const attempt = { durationMs: 1, outcome: 'delivered', ambiguous: false } as const;
    const record = { deliveryId: id, fence, state: 'delivered', emits, attempt } as const;
    const answers = [await journal.record(record), await journal.record(record)];
    assert.deepEqual(answers, [
      { accepted: true, emitted: emits.id },
      { accepted: true, emitted: emits.id },
    ]);
    assert.equal((await journal.listAttempts(id)).length, 1);
  });

  test('claims of two rounds in one batch get each their own answer', async () => {
    const { id } = await storedDelivery();
    await journal.renewRounds([id]);
    const [old, current] = await Promise.all(
      [0, 1].map((round) => journal.claim({ deliveryId: id, round, leaseMs: 5_000 })),
    );
    assert.equal(old?.kind, 'gone');
    assert.equal(current?.kind, 'claimed');
  });

  test('a delivery whose event retention took is cancelled, not claimed for ever', async () => {
    const { id, eventId } = await storedDelivery();
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query('DELETE FROM events WHERE id = $1', [eventId]);
    assert.equal((await journal.claim({ deliveryId: id, round: 0, leaseMs: 1_000 })).kind, 'gone');
    const { rows } = await client.query('SELECT state, open FROM deliveries WHERE id = $1', [id]);
    await client.end();
    assert.deepEqual(rows, [{ state: 'cancelled', open: false }]);
  });

  test('a doubt stays until a record clears it, also over a crash and a hand-back', async () => {
    const { id } = await storedDelivery();
    const record = async (fence: string, more: object) => {
      await journal.record({ deliveryId: id, fence, state: 'retrying', dueInMs: 0, ...more });
    };
    const attempt = { durationMs: 1, outcome: 'retry', ambiguous: false } as const;
    // A claim that nobody ended: its process vanished.
    assert.equal((await journal.claim({ deliveryId: id, round: 0, leaseMs: 1 })).kind, 'claimed');
    const second = await waitUntil('the lease is over', async () => {
      const answer = await journal.claim({ deliveryId: id, round: 0, leaseMs: 5_000 });
      return answer.kind === 'claimed' ? answer.claim : undefined;
    });
    assert.equal(second.ambiguous, true);
    await record(second.fence, {});
    const third = await claimed(id);
    assert.equal(third.ambiguous, true);
    await record(third.fence, { attempt, inDoubt: true });
    const fourth = await claimed(id);
    assert.equal(fourth.ambiguous, true);
    await record(fourth.fence, { attempt, inDoubt: false });
    const fifth = await claimed(id);
    assert.equal(fifth.ambiguous, false);
    await record(fifth.fence, { attempt: { ...attempt, ambiguous: true } });
    assert.equal((await claimed(id)).ambiguous, true);
  });

  test('a replay of a dead one in doubt is in doubt, but not with another body or for another operation', async () => {
    const { id } = await storedDelivery();
    const { fence } = await claimed(id);
    const attempt = { durationMs: 1, outcome: 'retry', ambiguous: true } as const;
    await journal.record({ deliveryId: id, fence, state: 'dead', attempt });
    const original = await journal.getDelivery(id);
    assert.ok(original);
    const isInDoubt = async (fields: Partial<Replayed>, body?: Buffer): Promise<boolean> => {
      const of = [{ ...original, ...fields }];
      const [due] = await journal.replay({
        of,
        by: 'anna',
        ...(body === undefined ? {} : { body }),
      });
      return (await claimed(due?.deliveryId ?? '')).ambiguous;
    };
    assert.equal(await isInDoubt({}), true);
    assert.equal(await isInDoubt({ revision: 'r2' }), true);
    assert.equal(await isInDoubt({}, Buffer.from('{"id":2}')), false);
    assert.equal(await isInDoubt({ operation: 'update' }), false);
  });

  test('claims that vanish make a suspect and never more; only a death that was seen is a strike', async () => {
    const { id } = await storedDelivery();
    for (let vanished = 0; vanished < 4; vanished += 1) {
      const answer = await journal.claim({ deliveryId: id, round: 0, leaseMs: 0 });
      assert.equal(answer.kind, 'claimed');
      assert.equal(answer.kind === 'claimed' && answer.claim.strikes, vanished === 0 ? 0 : 1);
    }
    const again = async (fields: Partial<AttemptRecord>): Promise<Claim> => {
      const { fence } = await claimed(id);
      await journal.record({ deliveryId: id, fence, state: 'pending', dueInMs: 0, ...fields });
      const next = await claimed(id);
      const { deliveryId } = next;
      await journal.record({ deliveryId, fence: next.fence, state: 'pending', dueInMs: 0 });
      return next;
    };
    assert.equal((await again({ strike: true })).strikes, 2);
    assert.equal((await again({ hubError: true })).strikes, 2);
    const attempt = { durationMs: 1, outcome: 'retry', ambiguous: false } as const;
    assert.equal((await again({ attempt })).strikes, 0);
  });

  test('what ended its process stays a suspect when a person retries it', async () => {
    const { id } = await storedDelivery();
    const { fence } = await claimed(id);
    const record = { deliveryId: id, fence, state: 'dead' } as const;
    await journal.record({ ...record, code: 'process-crashed', reason: 'three strikes' });
    const { round } = await journal.reopen({ deliveryId: id, by: 'anna' });
    assert.equal((await claimed(id, round)).strikes, 1);
  });

  test('errors of the hub are counted until an attempt is made, whatever else hands it back', async () => {
    const { id } = await storedDelivery();
    const attempt = { durationMs: 1, outcome: 'retry', ambiguous: false } as const;
    const seen: number[] = [];
    for (const fields of [
      { hubError: true },
      { reason: 'handed back: its process was leaving' },
      { hubError: true, attempt: { ...attempt, spends: false } },
      { attempt },
      {},
    ]) {
      const { fence, hubErrors } = await claimed(id);
      seen.push(hubErrors);
      await journal.record({ deliveryId: id, fence, state: 'retrying', dueInMs: 0, ...fields });
    }
    assert.deepEqual(seen, [0, 1, 1, 2, 0]);
  });

  test('what is handed back again and again is told once', async () => {
    const { id } = await storedDelivery();
    for (let turn = 0; turn < 3; turn += 1) {
      const { fence } = await claimed(id);
      const reason = 'handed back by the hub';
      await journal.record({ deliveryId: id, fence, state: 'pending', dueInMs: 0, reason });
    }
    assert.equal((await journal.listChanges(id)).length, 1);
  });
});
