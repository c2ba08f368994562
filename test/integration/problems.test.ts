// Deaths that have one cause are one problem, and what becomes of it.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { Settled } from '../../src/delivery/deliver.ts';
import { createProblemWatch, type ProblemWatch, sightDeath } from '../../src/delivery/problems.ts';
import type { NewEvent } from '../../src/journal/journal.ts';
import type { PostgresJournal } from '../../src/journal/postgres-journal.ts';
import type { ProblemView } from '../../src/journal/problems-port.ts';
import { isCrossdockError } from '../../src/model/errors.ts';
import { deathOf, makeRecorded, recordOne, recordReplayOf } from '../support/dead-deliveries.ts';
import { sampleEvent } from '../support/sample-event.ts';
import { openTestJournal } from '../support/test-journal.ts';
import { query, quietLog } from '../support/test-journal-server.ts';

let journal: PostgresJournal;
let url: string;
let close: () => Promise<void>;

beforeEach(async () => {
  ({ journal, url, close } = await openTestJournal());
});
afterEach(() => close());

function watchOf(
  onProblemOpened?: (problem: ProblemView, delivery: string) => boolean,
): ProblemWatch {
  const { problems } = journal;
  const options = onProblemOpened === undefined ? {} : { onProblemOpened };
  return createProblemWatch({ journal, problems, log: quietLog, retentionDays: 30, ...options });
}

async function turn(watch: ProblemWatch = watchOf()): Promise<void> {
  await watch.turns[0]?.run(new AbortController().signal);
}

async function onlyProblem(): Promise<ProblemView> {
  const all = await journal.problems.list({});
  assert.equal(all.length, 1);
  return all[0] as ProblemView;
}

describe('problems', () => {
  test('10,000 equal failures are one problem, that opened once', async () => {
    const reason = (index: number) =>
      `the ERP answered 422 to order ${index} of customer C-${index * 7}`;
    await makeRecorded(journal, 10_000, (index) => deathOf(reason(index)));
    const problem = await onlyProblem();
    assert.deepEqual([problem.count, problem.dead, problem.state], [10_000, 10_000, 'open']);
    assert.equal(problem.message, 'the ERP answered 422 to order … of customer …');
  });

  test('one death of a batch says that it opened its problem, and of later ones none', async () => {
    const opened: boolean[] = [];
    const { record } = journal;
    journal = {
      ...journal,
      async record(one) {
        const recorded = await record(one);
        opened.push(recorded.openedProblem === true);
        return recorded;
      },
    };
    await makeRecorded(journal, 50, () => deathOf('no stock'));
    await makeRecorded(journal, 50, () => deathOf('no stock'));
    assert.equal(opened.filter(Boolean).length, 1);
  });

  test('a resolved problem that comes again opens anew; an ignored or acknowledged one does not', async () => {
    await makeRecorded(journal, 1, () => deathOf('no stock'));
    const { fingerprint } = await onlyProblem();
    for (const [state, then] of [
      ['resolved', 'open'],
      ['ignored', 'ignored'],
      ['acknowledged', 'acknowledged'],
    ] as const) {
      await journal.problems.change({ fingerprint, state, by: 'a test' });
      await makeRecorded(journal, 1, () => deathOf('no stock'));
      assert.equal((await onlyProblem()).state, then);
    }
    const { count, changedBy } = await onlyProblem();
    assert.deepEqual([count, changedBy], [4, 'a test']);
  });

  test('is named by its first twelve digits; others are not found', async () => {
    await makeRecorded(journal, 1, () => deathOf('no stock'));
    const { fingerprint } = await onlyProblem();
    assert.equal((await journal.problems.get(fingerprint.slice(0, 12))).fingerprint, fingerprint);
    for (const text of ['0'.repeat(12), 'no-fingerprint', '']) {
      await assert.rejects(journal.problems.get(text), (error) =>
        isCrossdockError(error, 'not-found'),
      );
    }
  });

  test('stays while a retried one is under way, and is resolved by itself once that is delivered', async () => {
    const [id = ''] = await makeRecorded(journal, 1, () => deathOf('no stock'));
    const due = await journal.reopen({ deliveryId: id, by: 'a test' });
    await turn();
    assert.equal((await onlyProblem()).state, 'open');
    await recordOne(journal, due, { state: 'delivered' });
    await turn();
    const { state, changedBy } = await onlyProblem();
    assert.deepEqual([state, changedBy], ['resolved', 'hub']);
  });

  test('a replay that is delivered settles the older dead one, and the problem with it', async () => {
    const [id = ''] = await makeRecorded(journal, 1, () => deathOf('no stock'));
    await recordReplayOf(journal, id, { state: 'delivered' });
    await journal.problems.settleOlder(await newestOf(id));
    const old = await journal.getDelivery(id);
    assert.equal(old?.state, 'superseded');
    assert.match(old?.reason ?? '', /^delivered later, by /);
    assert.equal((await onlyProblem()).state, 'resolved');
  });

  test('a dead replay of one that was retried and delivered is settled by a turn', async () => {
    const [id = ''] = await makeRecorded(journal, 1, () => deathOf('no stock'));
    const replayed = await recordReplayOf(journal, id, deathOf('no price'));
    const due = await journal.reopen({ deliveryId: id, by: 'a test' });
    await recordOne(journal, due, { state: 'delivered' });
    await turn();
    assert.equal((await journal.getDelivery(replayed))?.state, 'superseded');
    const problems = await journal.problems.list({});
    assert.deepEqual(
      problems.map(({ state }) => state),
      ['resolved', 'resolved'],
    );
  });

  test('a replay that died stays dead where only the time before was delivered', async () => {
    const [id = ''] = await makeRecorded(journal, 1, () => ({ state: 'delivered' }));
    const replayed = await recordReplayOf(journal, id, deathOf('no stock'));
    await turn();
    assert.equal((await journal.getDelivery(replayed))?.state, 'dead');
  });

  test('what a process that vanished left unsettled is settled by a turn', async () => {
    const [id = ''] = await makeRecorded(journal, 1, () => deathOf('no stock'));
    await recordReplayOf(journal, id, { state: 'delivered' });
    await turn();
    assert.equal((await journal.getDelivery(id))?.state, 'superseded');
    assert.equal((await onlyProblem()).state, 'resolved');
  });

  test('a dead one of a key of which a newer version was sent is superseded', async () => {
    const [id = ''] = await makeRecorded(journal, 1, () => deathOf('no stock'));
    await query(url, `UPDATE deliveries SET chain = 'f:1', version = 7`);
    await query(url, `INSERT INTO order_keys (chain, sent_version) VALUES ('f:1', 7)`);
    await turn();
    assert.equal((await journal.getDelivery(id))?.state, 'dead');
    await query(url, 'UPDATE order_keys SET sent_version = 8');
    await turn();
    assert.equal((await journal.getDelivery(id))?.state, 'superseded');
  });

  test('deaths that no record counted are counted by a turn, 1,200 of them', async () => {
    await makeRecorded(journal, 1_200, (index) => ({
      state: 'dead',
      code: 'timed-out',
      reason: `no answer within ${index} ms`,
    }));
    assert.deepEqual(await journal.problems.list({}), []);
    await turn();
    const { count, dead, class: kind } = await onlyProblem();
    assert.deepEqual([count, dead, kind], [1_200, 1_200, 'timeout']);
    await turn();
    assert.equal((await onlyProblem()).count, 1_200);
  });

  test('somebody is told once of each opening, also where the process that saw it vanished', async () => {
    await makeRecorded(journal, 3, () => deathOf('no stock'));
    await query(url, `UPDATE problems SET opened_at = opened_at - interval '1 minute'`);
    const told: string[] = [];
    const watch = watchOf((problem) => told.push(problem.message) > 0);
    await turn(watch);
    await turn(watch);
    assert.deepEqual(told, ['no stock']);
  });

  test('is told of with the delivery that opened it, however many have died since', async () => {
    const told: string[] = [];
    const watch = watchOf((_problem, delivery) => told.push(delivery) > 0);
    const settled = await die(sampleEvent(), 'no stock');
    await makeRecorded(journal, 2, () => deathOf('no stock'));
    await watch.onSettled(settled);
    assert.deepEqual(told, [settled.claim.deliveryId]);
  });

  test('whoever could not be told is told by a later turn', async () => {
    await makeRecorded(journal, 1, () => deathOf('no stock'));
    await query(url, `UPDATE problems SET opened_at = opened_at - interval '1 minute'`);
    let asked = 0;
    const watch = watchOf(() => {
      asked += 1;
      return asked > 1;
    });
    for (const _turn of [1, 2, 3]) await turn(watch);
    assert.equal(asked, 2);
    await query(
      url,
      `UPDATE problems SET announced = false, opened_at = now() - interval '2 days'`,
    );
    await turn(watch);
    assert.equal(asked, 2, 'what is old is not told as new');
  });

  test('the death of an alert is a problem of its own, and neither told nor in the way of others', async () => {
    const told: string[] = [];
    const watch = watchOf((problem) => told.push(problem.message) > 0);
    const alert = sampleEvent({ source: 'crossdock', topic: 'lane-opened' });
    await watch.onSettled(await die(alert, 'no such channel'));
    // Deaths that are counted afterwards are told apart as well.
    await query(url, 'UPDATE deliveries SET problem = NULL');
    await makeRecorded(journal, 1, () => deathOf('no such channel'));
    await query(url, `UPDATE problems SET opened_at = opened_at - interval '1 minute'`);
    await turn(watch);
    await turn(watch);
    assert.deepEqual(told, ['no such channel']);
    const all = await journal.problems.list({});
    assert.deepEqual(all.map(({ message, count }) => `${message} ${count}`).sort(), [
      'alert not sent: no such channel 2',
      'no such channel 1',
    ]);
  });

  test('old resolved problems go, others stay', async () => {
    await makeRecorded(journal, 1, () => deathOf('no stock'));
    await makeRecorded(journal, 1, () => deathOf('no price'));
    await query(
      url,
      `UPDATE deliveries SET state = 'cancelled', dead = false WHERE reason = 'no stock'`,
    );
    await turn();
    await query(url, `UPDATE problems SET changed_at = changed_at - interval '2 days'`);
    assert.equal(await journal.problems.deleteOld(86_400_000), 1);
    assert.equal((await onlyProblem()).message, 'no price');
  });
});

/** As an attempt that is settled tells it. */
async function die(event: NewEvent, reason: string): Promise<Settled> {
  await journal.append(event);
  const deliveryId = event.deliveries[0]?.id ?? '';
  const claimed = await journal.claim({ deliveryId, round: 0, leaseMs: 60_000 });
  assert.ok(claimed.kind === 'claimed');
  const { claim } = claimed;
  const death = { state: 'dead', code: 'rejected', reason } as const;
  const problem = sightDeath('erp', death, event.source);
  const record = { ...death, deliveryId, fence: claim.fence, problem };
  const { openedProblem = false } = await journal.record(record);
  return { lane: 'erp', claim, record, openedProblem };
}

async function newestOf(id: string): Promise<string> {
  const original = await journal.getDelivery(id);
  const [newest] = await journal.listDeliveries({ eventId: original?.eventId ?? '', limit: 1 });
  return newest?.id ?? '';
}
