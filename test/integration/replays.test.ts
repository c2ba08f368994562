// Replays by query: run, cancel, resume, on PostgreSQL.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type ReplayRunnerPorts, runReplays } from '../../src/delivery/replay-runner.ts';
import type { ReplayRequest } from '../../src/delivery/replays.ts';
import type { NewDelivery } from '../../src/journal/journal.ts';
import type { PostgresJournal } from '../../src/journal/postgres-journal.ts';
import type { ReplayQuery, ReplayView } from '../../src/journal/replays-port.ts';
import { isCrossdockError } from '../../src/model/errors.ts';
import { deathOf, makeRecorded } from '../support/dead-deliveries.ts';
import { controlsOf, keepingLanes, planOf, projectNow } from '../support/replay-parts.ts';
import { sampleDelivery, sampleEvent } from '../support/sample-event.ts';
import { openTestJournal } from '../support/test-journal.ts';
import { quietLog, query as sql } from '../support/test-journal-server.ts';
import { waitUntil } from '../support/wait-until.ts';

const never = new AbortController().signal;

let journal: PostgresJournal;
let url: string;
let close: () => Promise<void>;

beforeEach(async () => {
  ({ journal, url, close } = await openTestJournal());
});
afterEach(() => close());

const plan = (query: Partial<ReplayQuery> = {}, more: Partial<ReplayRequest> = {}) =>
  planOf(journal, query, more);

type RunnerPorts = Omit<ReplayRunnerPorts, 'retentionDays'>;

function runnerParts(more: Partial<RunnerPorts> = {}): RunnerPorts {
  const { routes } = projectNow();
  return { replays: journal.replays, lanes: keepingLanes(), routes, log: quietLog, ...more };
}

/** Takes steps until the run has ended. */
async function runToEnd(id: string, parts = runnerParts()): Promise<ReplayView> {
  return waitUntil('the run ends', async () => {
    await runReplays(parts, never);
    const replay = await journal.replays.get(id);
    return replay.state === 'running' || replay.state === 'cancelling' ? undefined : replay;
  });
}

async function planned(count: number): Promise<string> {
  await makeRecorded(journal, count, () => deathOf('no stock'));
  const { replay } = await plan();
  assert.equal(replay.total, count);
  return replay.id;
}

async function firstChunkOf(id: string, count: number) {
  const replay = await journal.replays.get(id);
  const members = await journal.replays.findMembers({ replay, from: 0, limit: count });
  const of = members.map(({ deliveryId = '', eventId }) => ({
    ...sampleDelivery(),
    id: deliveryId,
    eventId,
  }));
  return { id, from: 0, count, of, by: 'a test' };
}

describe('the run of a replay', () => {
  test('makes each once, low, in the order of the events, and is done', async () => {
    const id = await planned(750);
    const lanes = keepingLanes();
    await controlsOf(journal).run(id, 'a test');
    const replay = await runToEnd(id, runnerParts({ lanes }));
    assert.deepEqual([replay.state, replay.made, replay.taken], ['done', 750, 750]);
    assert.equal(new Set(lanes.jobs.map(({ eventId }) => eventId)).size, 750);
    assert.ok(lanes.jobs.every(({ low }) => low === true));
    const ids = lanes.jobs.map(({ eventId }) => eventId);
    assert.deepEqual(ids, ids.toSorted());
  });

  test('goes on where a runner vanished between two chunks, and two runners make nothing twice', async () => {
    const id = await planned(600);
    await controlsOf(journal).run(id, 'a test');
    // A runner that read the run before the other's chunk, and comes late with its own.
    const chunk = await firstChunkOf(id, 500);
    await runReplays(runnerParts(), never);
    assert.equal(await journal.replays.makeChunk(chunk), undefined);
    const parts = [runnerParts(), runnerParts()];
    await waitUntil('the run ends', async () => {
      await Promise.all(parts.map((one) => runReplays(one, never)));
      return (await journal.replays.get(id)).state === 'done' ? true : undefined;
    });
    const [counted] = await sql(
      url,
      `SELECT count(*)::int AS made, count(DISTINCT replay_of)::int AS originals
       FROM deliveries WHERE replay_run = '${id}'`,
    );
    assert.deepEqual(counted, { made: 600, originals: 600 });
    assert.equal((await journal.replays.get(id)).made, 600);
  });

  test('two chunks at the same moment: one is made', async () => {
    const id = await planned(10);
    await controlsOf(journal).run(id, 'a test');
    const chunk = await firstChunkOf(id, 10);
    const made = await Promise.all(
      Array.from({ length: 4 }, () => journal.replays.makeChunk(chunk)),
    );
    assert.deepEqual(made.map((one) => one?.length ?? 0).toSorted(), [0, 0, 0, 10]);
  });

  test('two runs that have found the same make each once, also at the same moment', async () => {
    const ids = [await planned(200), (await plan({ flow: 'order-to-erp' })).replay.id];
    const chunks = await Promise.all(
      ids.map(async (id) => {
        await controlsOf(journal).run(id, 'a test');
        return firstChunkOf(id, 200);
      }),
    );
    const made = await Promise.all(chunks.map((chunk) => journal.replays.makeChunk(chunk)));
    assert.deepEqual(made.map((one) => one?.length).toSorted(), [0, 200]);
  });

  test('leaves out what has changed its state since the plan', async () => {
    const id = await planned(3);
    const [first] = await journal.listDeliveries({ state: 'dead', limit: 1 });
    await journal.reopen({ deliveryId: first?.id ?? '', by: 'a test' });
    await controlsOf(journal).run(id, 'a test');
    const { made, taken } = await runToEnd(id);
    assert.deepEqual([made, taken], [2, 3]);
  });

  test('keeps its rate', async () => {
    await makeRecorded(journal, 40, () => deathOf('no stock'));
    const { replay } = await plan({}, { rate: { count: 10, perMs: 1_000 } });
    await controlsOf(journal).run(replay.id, 'a test');
    const startedMs = performance.now();
    await runToEnd(replay.id);
    // The first ten at once, and ten a second after that.
    assert.ok(performance.now() - startedMs > 2_500);
  });

  test('waits while the lane is far behind, and says so', async () => {
    const id = await planned(3);
    await controlsOf(journal).run(id, 'a test');
    await runReplays(runnerParts({ lanes: keepingLanes(100), laneBacklogMax: 100 }), never);
    const { made, waitingFor } = await journal.replays.get(id);
    assert.equal(made, 0);
    assert.equal(waitingFor, 'the lane of erp, in which 100 jobs wait');
  });

  test('waits for a lane also with events that no flow took', async () => {
    await journal.append(sampleEvent({ deliveries: [] }));
    const { replay } = await plan({ state: 'unrouted' }, { revision: 'current' });
    await controlsOf(journal).run(replay.id, 'a test');
    await runReplays(runnerParts({ lanes: keepingLanes(100), laneBacklogMax: 100 }), never);
    const { made, waitingFor } = await journal.replays.get(replay.id);
    assert.deepEqual([made, waitingFor], [0, 'the lane of erp, in which 100 jobs wait']);
  });

  test('one that fails does not keep another one from going on', async () => {
    const failing = await planned(2);
    const { replay } = await plan({ state: 'dead', text: 'no stock' }, { revision: 'current' });
    await controlsOf(journal).run(replay.id, 'a test');
    await controlsOf(journal).run(failing, 'a test');
    const routes = {
      route: () => {
        throw new Error('a bug');
      },
    };
    await runReplays(runnerParts({ routes }), never);
    assert.match((await journal.replays.get(replay.id)).waitingFor ?? '', /its log/);
    assert.equal((await journal.replays.get(failing)).state, 'done');
  });

  test('is run once, and not a day after its plan', async () => {
    const id = await planned(1);
    const refused = (work: Promise<unknown>) =>
      assert.rejects(work, (error) => isCrossdockError(error, 'state-conflict'));
    await sql(url, `UPDATE replays SET created_at = created_at - interval '25 hours'`);
    await refused(controlsOf(journal).run(id, 'a test'));
    await sql(url, `UPDATE replays SET created_at = created_at + interval '25 hours'`);
    await controlsOf(journal).run(id, 'a test');
    await refused(controlsOf(journal).run(id, 'a test'));
  });

  test('cancelled: makes no more, and what waits is cancelled, but not what is under way', async () => {
    const id = await planned(1_200);
    const controls = controlsOf(journal);
    const lanes = keepingLanes();
    await controls.run(id, 'a test');
    await runReplays(runnerParts({ lanes }), never);
    const [job] = lanes.jobs;
    assert.ok(job);
    const claimed = await journal.claim({ deliveryId: job.deliveryId, round: 0, leaseMs: 60_000 });
    assert.equal(claimed.kind, 'claimed');
    assert.equal((await controls.cancel(id, 'a test')).state, 'cancelling');
    const made = lanes.jobs.length;
    assert.deepEqual((await controls.watch(id)).states, { cancelled: made - 1, active: 1 });
    const { fence } = (claimed as { claim: { fence: string } }).claim;
    await journal.record({ deliveryId: job.deliveryId, fence, state: 'delivered' });
    const ended = await runToEnd(id, runnerParts({ lanes }));
    assert.deepEqual([ended.state, ended.made], ['cancelled', made]);
    assert.ok((await controls.watch(id)).isOver);
  });

  test('a replay of a dead one stands where that stood in its order, and is as much in doubt', async () => {
    await makeRecorded(journal, 1, () => deathOf('no stock'));
    await sql(
      url,
      `UPDATE deliveries SET chain = 'order-to-erp:7', seq = 5, version = 3, tenant = 't', blocks = true,
              ambiguous = true`,
    );
    const { replay } = await plan();
    await controlsOf(journal).run(replay.id, 'a test');
    await runToEnd(replay.id);
    const [made] = await sql(
      url,
      `SELECT chain, seq::int, version::int, tenant, ambiguous FROM deliveries
       WHERE replay_of IS NOT NULL`,
    );
    const place = { chain: 'order-to-erp:7', seq: 5, version: 3, tenant: 't' };
    assert.deepEqual(made, { ...place, ambiguous: true });
  });

  test('cancelled: the dead one whose place a replay took is in the way of its order again', async () => {
    const order = { key: '7', dead: 'block' } as const;
    const delivery = (): NewDelivery => sampleDelivery({ flow: 'order-to-erp', order });
    const dead = { ...deathOf('no stock'), event: { deliveries: [delivery()] } };
    const [died] = await makeRecorded(journal, 1, () => dead);
    const behind = delivery();
    await journal.append(sampleEvent({ deliveries: [behind] }));
    const claim = { deliveryId: behind.id, round: 0, leaseMs: 60_000 };
    assert.equal((await journal.claim(claim)).kind, 'gone');
    const { replay } = await plan();
    await controlsOf(journal).run(replay.id, 'a test');
    await runToEnd(replay.id);
    await controlsOf(journal).cancel(replay.id, 'a test');
    assert.deepEqual(await journal.advance('order-to-erp:7'), [], 'the chain is not let go');
    await journal.cancel({ deliveryId: died ?? '', by: 'a test' });
    const [next] = await journal.advance('order-to-erp:7');
    assert.equal(next?.deliveryId, behind.id);
  });

  test('old plans and ended runs go, with their lists', async () => {
    const id = await planned(150);
    assert.equal(await journal.replays.deleteOld(60_000), 0);
    await sql(url, `UPDATE replays SET updated_at = updated_at - interval '1 hour'`);
    assert.equal(await journal.replays.deleteOld(60_000), 1);
    assert.deepEqual(await sql(url, 'SELECT * FROM replay_members'), []);
    await assert.rejects(journal.replays.get(id), (error) => isCrossdockError(error, 'not-found'));
  });
});

describe('by the current revision', () => {
  test('a dead, a delivered and a filtered one go through their flow as it is today', async () => {
    for (const state of ['dead', 'delivered', 'filtered'] as const) {
      await makeRecorded(journal, 60, () => (state === 'dead' ? deathOf('no') : { state }));
      const { replay } = await plan({ state }, { revision: 'current' });
      await controlsOf(journal).run(replay.id, 'a test');
      assert.equal((await runToEnd(replay.id)).made, 60, state);
      const rows = await sql(
        url,
        `SELECT DISTINCT n.revision, o.revision AS was FROM deliveries n JOIN deliveries o
           ON o.id = n.replay_of WHERE n.replay_run = '${replay.id}'`,
      );
      assert.deepEqual(rows, [{ revision: 'r2', was: 'r1' }]);
    }
  });

  test('by the original one the revision stays', async () => {
    const id = await planned(3);
    await controlsOf(journal).run(id, 'a test');
    await runToEnd(id);
    const rows = await sql(url, 'SELECT DISTINCT revision FROM deliveries');
    assert.deepEqual(rows, [{ revision: 'r1' }]);
  });

  test('events that no flow took go through the flows of today, once', async () => {
    for (let count = 0; count < 5; count += 1)
      await journal.append(sampleEvent({ deliveries: [] }));
    await journal.append(sampleEvent({ deliveries: [], topic: 'nobody/listens' }));
    const { replay } = await plan({ state: 'unrouted' }, { revision: 'current' });
    assert.equal(replay.total, 6);
    assert.match(replay.warnings.join('\n'), /1 events shop nobody\/listens: no flow of today/);
    await controlsOf(journal).run(replay.id, 'a test');
    const ended = await runToEnd(replay.id);
    assert.deepEqual([ended.made, ended.taken], [5, 6]);
    const again = await plan({ state: 'unrouted' }, { revision: 'current' });
    assert.equal(again.replay.total, 1);
  });

  test('bodies that do not fit into one page come with the next', async () => {
    const body = Buffer.alloc(3 * 1_024 * 1_024, 'x');
    for (let count = 0; count < 7; count += 1) {
      await journal.append(sampleEvent({ deliveries: [], body }));
    }
    const { replay } = await plan({ state: 'unrouted' }, { revision: 'current' });
    await controlsOf(journal).run(replay.id, 'a test');
    assert.equal((await runToEnd(replay.id)).made, 7);
  });

  test('what has no flow today is passed over', async () => {
    await makeRecorded(journal, 2, () => deathOf('no'));
    const { id } = (await plan({}, { revision: 'current' })).replay;
    await controlsOf(journal).run(id, 'a test');
    const { routes } = projectNow('another-flow');
    const { made, taken, state } = await runToEnd(id, runnerParts({ routes }));
    assert.deepEqual([made, taken, state], [0, 2, 'done']);
  });
});
