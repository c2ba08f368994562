import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Claim, Journal } from '../../src/journal/journal.ts';
import { openPostgresJournal } from '../../src/journal/postgres-journal.ts';
import { isCrossdockError } from '../../src/model/errors.ts';
import { newId } from '../../src/model/ids.ts';
import { sampleDelivery, sampleEvent } from '../support/sample-event.ts';
import { migrationsFolder, openTestJournal } from '../support/test-journal.ts';

describe('the journal on PostgreSQL', () => {
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

  test('keeps the bytes of a body exactly, whatever they are', async () => {
    const body = Buffer.from([0, 255, 254, 123, 10, 0, 128, 34]);
    const event = sampleEvent({ body, headers: { 'x-topic': 'ü "quoted" \\ text' } });
    await journal.append(event);
    const kept = await journal.getEvent(event.id);
    assert.deepEqual(kept?.body, body);
    assert.equal(kept?.headers['x-topic'], 'ü "quoted" \\ text');
    assert.equal(kept?.sha256, event.sha256);
  });

  test('ten copies of one webhook at once are one event with one set of deliveries', async () => {
    const dedupeKey = newId();
    const copies = Array.from({ length: 10 }, () => sampleEvent({ dedupeKey }));
    const answers = await Promise.all(copies.map((copy) => journal.append(copy)));
    assert.equal(new Set(answers.map((answer) => answer.id)).size, 1);
    assert.equal(answers.filter((answer) => answer.kind === 'stored').length, 1);
    const eventId = answers[0]?.id ?? '';
    assert.equal((await journal.listDeliveries({ eventId })).length, 1);
  });

  test('says whether a message that came again has the same body', async () => {
    const first = sampleEvent();
    await journal.append(first);
    const { dedupeKey } = first;
    const same = await journal.append(sampleEvent({ dedupeKey }));
    const other = await journal.append(sampleEvent({ dedupeKey, body: Buffer.from('{}') }));
    assert.deepEqual(same, { kind: 'duplicate', id: first.id, sameBody: true });
    assert.deepEqual(other, { kind: 'duplicate', id: first.id, sameBody: false });
  });

  test('stores the neighbours of an event that cannot be stored', async () => {
    const good = Array.from({ length: 20 }, () => sampleEvent());
    const bad = sampleEvent({ id: 'no uuid' });
    const all = [...good.slice(0, 10), bad, ...good.slice(10)];
    const settled = await Promise.allSettled(all.map((event) => journal.append(event)));
    assert.deepEqual(
      settled.flatMap((one, index) => (one.status === 'rejected' ? [index] : [])),
      [10],
    );
  });

  test('gives a delivery to one claimant until its lease has run out', async () => {
    const { id } = await storedDelivery();
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => journal.claim({ deliveryId: id, round: 0, leaseMs: 150 })),
    );
    assert.equal(answers.filter((answer) => answer.kind === 'claimed').length, 1);
    const later = answers.find((answer) => answer.kind === 'later');
    assert.ok(later?.kind === 'later' && later.inMs > 0 && later.inMs <= 150);
    await sleep(160);
    assert.equal((await claimed(id)).fence, '2');
  });

  test('refuses the late result of a stalled twin', async () => {
    const { id } = await storedDelivery();
    const first = await journal.claim({ deliveryId: id, round: 0, leaseMs: 1 });
    await sleep(10);
    const second = await claimed(id);
    assert.ok(first.kind === 'claimed');
    const late = { deliveryId: id, fence: first.claim.fence, state: 'dead' as const };
    assert.equal((await journal.record(late)).accepted, false);
    const good = { deliveryId: id, fence: second.fence, state: 'delivered' as const };
    assert.equal((await journal.record(good)).accepted, true);
    assert.equal((await journal.getDelivery(id))?.state, 'delivered');
  });

  test('counts an attempt only where one was made', async () => {
    const { id } = await storedDelivery();
    const handedBack = await claimed(id);
    const back = { state: 'pending', dueInMs: 0, reason: 'handed back' } as const;
    await journal.record({ deliveryId: id, fence: handedBack.fence, ...back });
    const tried = await claimed(id);
    assert.equal(tried.attempts, 0);
    await journal.record({
      deliveryId: id,
      fence: tried.fence,
      state: 'retrying',
      dueInMs: 0,
      code: 'remote-error',
      reason: 'NUL \0 and half a pair \ud800 are no reason to lose this',
      attempt: {
        durationMs: 12,
        outcome: 'retry',
        ambiguous: true,
        status: 503,
        request: JSON.stringify({ body: '\0\ud800' }),
      },
    });
    assert.equal((await claimed(id)).attempts, 1);
    const [attempt] = await journal.listAttempts(id);
    assert.equal(attempt?.status, 503);
    assert.equal(attempt?.ambiguous, true);
    const [change] = await journal.listChanges(id);
    assert.equal(change?.to, 'pending');
  });

  test('stores an emitted event together with the result that it comes from, once', async () => {
    const { id } = await storedDelivery();
    const claim = await claimed(id);
    const emits = sampleEvent({
      source: 'erp',
      topic: 'order-created',
      dedupeKey: `delivery:${id}`,
    });
    const record = { deliveryId: id, fence: claim.fence, state: 'delivered' as const, emits };
    assert.equal((await journal.record(record)).emitted, emits.id);
    assert.equal((await journal.getEvent(emits.id))?.causeId, id);
    assert.equal((await journal.listEvents({ source: 'erp', key: emits.dedupeKey })).length, 1);
  });

  test('finds what is overdue, and a job of an older round gets nothing', async () => {
    const { id } = await storedDelivery();
    await sleep(5);
    const { due } = await journal.findOverdue({ graceMs: 0, limit: 500 });
    assert.ok(due.some((delivery) => delivery.deliveryId === id));
    const [renewed] = await journal.renewRounds([id]);
    assert.equal(renewed?.round, 1);
    const old = await journal.claim({ deliveryId: id, round: 0, leaseMs: 1_000 });
    assert.equal(old.kind, 'gone');
    await claimed(id, 1);
    const during = await journal.findOverdue({ graceMs: 0, limit: 500 });
    assert.ok(!during.due.some((delivery) => delivery.deliveryId === id));
  });

  test('pages through what is overdue without missing or repeating any', async () => {
    const events = Array.from({ length: 25 }, () =>
      sampleEvent({ deliveries: [sampleDelivery({ connector: 'paging' })] }),
    );
    await Promise.all(events.map((event) => journal.append(event)));
    await sleep(5);
    const seen: string[] = [];
    let after: { dueAt: string; deliveryId: string } | undefined;
    do {
      const page = await journal.findOverdue({
        graceMs: 0,
        limit: 7,
        ...(after === undefined ? {} : { after }),
      });
      seen.push(
        ...page.due.filter((one) => one.connector === 'paging').map((one) => one.deliveryId),
      );
      after = page.due.length < 7 ? undefined : page.last;
    } while (after !== undefined);
    assert.equal(seen.length, 25);
    assert.equal(new Set(seen).size, 25);
  });

  test('reopens only what is dead or cancelled, promotes and cancels only what waits', async () => {
    const { id } = await storedDelivery();
    const by = 'a test';
    const conflict = (error: unknown): boolean => isCrossdockError(error, 'state-conflict');
    await assert.rejects(journal.reopen({ deliveryId: id, by }), conflict);
    await journal.cancel({ deliveryId: id, by });
    await assert.rejects(journal.promote({ deliveryId: id, by }), conflict);
    const reopened = await journal.reopen({ deliveryId: id, by });
    const promoted = await journal.promote({ deliveryId: id, by });
    assert.equal(promoted.round, reopened.round + 1);
    const claim = await claimed(id, promoted.round);
    await assert.rejects(journal.cancel({ deliveryId: id, by }), conflict);
    await journal.record({ deliveryId: id, fence: claim.fence, state: 'delivered' });
    assert.deepEqual(
      (await journal.listChanges(id)).map((change) => [change.to, change.by]),
      [
        ['cancelled', by],
        ['pending', by],
        ['pending', by],
        ['delivered', 'hub'],
      ],
    );
    await assert.rejects(journal.cancel({ deliveryId: newId(), by }), (error: unknown) =>
      isCrossdockError(error, 'not-found'),
    );
  });

  test('replays with the same event, revision and idempotency key', async () => {
    const { id } = await storedDelivery();
    const original = await journal.getDelivery(id);
    assert.ok(original);
    const [due] = await journal.replay({ of: [original], by: 'a test' });
    const copy = await journal.getDelivery(due?.deliveryId ?? '');
    assert.equal(copy?.replayOf, id);
    assert.equal(copy?.revision, original.revision);
    assert.equal(copy?.idempotencyKey, original.idempotencyKey);
    assert.equal(copy?.state, 'pending');
  });

  test('remembers which lanes are paused, and by whom', async () => {
    const mail = { scope: 'connector', name: 'mail' } as const;
    assert.equal(await journal.pause({ ...mail, by: 'operations' }), true);
    assert.equal(await journal.pause({ ...mail, by: 'somebody else' }), false);
    const shut = async () => (await journal.listShutLanes()).map((one) => one.connector);
    assert.deepEqual(await shut(), ['mail']);
    const lane = (await journal.summarizeLanes()).find((one) => one.connector === 'mail');
    assert.equal(lane?.pausedBy, 'operations');
    assert.equal(await journal.resume({ ...mail, by: 'operations' }), true);
    assert.equal(await journal.resume({ ...mail, by: 'operations' }), false);
    assert.deepEqual(await shut(), []);
  });

  test('deletes old finished events piece by piece, and never one with an open delivery', async () => {
    const open = await storedDelivery();
    const finished = await storedDelivery();
    const claim = await claimed(finished.id);
    await journal.record({ deliveryId: finished.id, fence: claim.fence, state: 'delivered' });
    const unrouted = sampleEvent({ deliveries: [] });
    await journal.append(unrouted);
    assert.equal(await journal.deleteOldEvents({ olderThanMs: 3_600_000, limit: 500 }), 0);
    let pieces = 0;
    while ((await journal.deleteOldEvents({ olderThanMs: 0, limit: 2 })) === 2) pieces += 1;
    assert.ok(pieces > 0);
    assert.equal(await journal.getEvent(finished.eventId), undefined);
    assert.equal(await journal.getEvent(unrouted.id), undefined);
    assert.deepEqual(await journal.listAttempts(finished.id), []);
    assert.ok(await journal.getEvent(open.eventId));
  });

  test('lets one process at a time lead a task', async () => {
    const second = await openPostgresJournal({ url, migrationsFolder, onError: () => undefined });
    try {
      const led = await journal.whileLeader('sweep', async () => {
        assert.equal(await second.whileLeader('sweep', async () => undefined), false);
      });
      assert.equal(led, true);
      assert.equal(await second.whileLeader('sweep', async () => undefined), true);
    } finally {
      await second.close();
    }
  });

  test('refuses a database that would lose what it acknowledged', async () => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query('SELECT current_database() AS name');
    const name = client.escapeIdentifier(rows[0].name);
    try {
      await client.query(`ALTER DATABASE ${name} SET synchronous_commit = off`);
      await assert.rejects(
        openPostgresJournal({ url, migrationsFolder, onError: () => undefined }),
        (error: unknown) => isCrossdockError(error, 'journal-not-durable'),
      );
    } finally {
      await client.query(`ALTER DATABASE ${name} RESET synchronous_commit`);
      await client.end();
    }
  });

  test('refuses a journal that a newer version has changed', async () => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      await client.query(`INSERT INTO migrations (name, checksum) VALUES ('9999-later.sql', 'x')`);
      await assert.rejects(
        openPostgresJournal({ url, migrationsFolder, onError: () => undefined }),
        (error: unknown) => isCrossdockError(error, 'journal-too-new'),
      );
    } finally {
      await client.query(`DELETE FROM migrations WHERE name = '9999-later.sql'`);
      await client.end();
    }
  });
});

test('a journal that cannot be reached is unavailable, not a hang', async () => {
  const started = Date.now();
  await assert.rejects(
    openPostgresJournal({
      url: 'postgres://nobody@127.0.0.1:1/none',
      migrationsFolder,
      onError: () => undefined,
    }),
    (error: unknown) => isCrossdockError(error, 'journal-unavailable'),
  );
  assert.ok(Date.now() - started < 5_000);
});
