// The plan of a replay by query: what fits, and what somebody should know before it runs.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { runReplays } from '../../src/delivery/replay-runner.ts';
import type { ReplayRequest } from '../../src/delivery/replays.ts';
import type { PostgresJournal } from '../../src/journal/postgres-journal.ts';
import type { ReplayQuery } from '../../src/journal/replays-port.ts';
import { isCrossdockError } from '../../src/model/errors.ts';
import { deathOf, makeRecorded, recordOne, recordReplayOf } from '../support/dead-deliveries.ts';
import { askForPlan, keepingLanes, planOf, projectNow } from '../support/replay-parts.ts';
import { openTestJournal } from '../support/test-journal.ts';
import { query, quietLog } from '../support/test-journal-server.ts';

const never = new AbortController().signal;

let journal: PostgresJournal;
let url: string;
let close: () => Promise<void>;

beforeEach(async () => {
  ({ journal, url, close } = await openTestJournal());
});
afterEach(() => close());

async function theOne(id: string) {
  const delivery = await journal.getDelivery(id);
  assert.ok(delivery);
  return delivery;
}

/** What is said where nothing fits. */
async function nothingOf(query: Partial<ReplayQuery>, more: Partial<ReplayRequest> = {}) {
  const answer = await askForPlan(journal, query, more);
  assert.ok('nothing' in answer, JSON.stringify(query));
  return answer.nothing;
}

const plan = (query: Partial<ReplayQuery> = {}, more: Partial<ReplayRequest> = {}) =>
  planOf(journal, query, more);

describe('the plan of a replay', () => {
  test('counts, shows five, says where they go and how long it takes, and makes nothing', async () => {
    await makeRecorded(journal, 12, () => deathOf('no stock'));
    const { replay, sample } = await plan({}, { rate: { count: 4, perMs: 1_000 } });
    assert.deepEqual([replay.total, sample.length, replay.state], [12, 5, 'planned']);
    assert.deepEqual(replay.targets, [
      { flow: 'order-to-erp', connector: 'erp', operation: 'create', count: 12 },
    ]);
    assert.equal(replay.expectedMs, 3_000);
    const parts = { replays: journal.replays, lanes: keepingLanes(), log: quietLog };
    await runReplays({ ...parts, routes: projectNow().routes }, never);
    assert.equal((await journal.replays.get(replay.id)).made, 0);
  });

  test('finds by flow, connector, code, text, topic, source, shop, key, time and problem', async () => {
    const event = { topic: 'orders/paid', shop: 'a.example', dedupeKey: 'k-1' };
    const body = Buffer.from('{"sku":"CHAIR-Ü"}');
    await makeRecorded(journal, 1, () => ({
      ...deathOf('No Stock left'),
      event: { ...event, body },
    }));
    await makeRecorded(journal, 1, () => deathOf('no price'));
    const [problem] = (await journal.problems.list({})).filter(({ message }) =>
      message.includes('Stock'),
    );
    const hits: readonly Partial<ReplayQuery>[] = [
      { flow: 'order-to-erp', text: 'STOCK' },
      { text: 'CHAIR-Ü' },
      { connector: 'erp', topic: 'orders/paid', source: 'shop' },
      { shop: 'a.example' },
      { key: 'k-1', code: 'rejected' },
      { problem: problem?.fingerprint.slice(0, 12) ?? '' },
      { shop: 'a.example', since: new Date(Date.now() - 60_000).toISOString() },
    ];
    for (const hit of hits) assert.equal((await plan(hit)).replay.total, 1, JSON.stringify(hit));
    const misses: readonly Partial<ReplayQuery>[] = [
      { text: 'nowhere' },
      { state: 'delivered' },
      { code: 'timed-out' },
      { until: new Date(Date.now() - 60_000).toISOString() },
    ];
    for (const miss of misses) {
      assert.match(await nothingOf(miss), /^Nothing fits the query \(state /);
    }
  });

  test('a body that is no text, or has a zero byte, breaks no search', async () => {
    const body = Buffer.from([0xff, 0, 0xfe, 0x41]);
    await makeRecorded(journal, 1, () => ({ ...deathOf('no'), event: { body } }));
    assert.equal((await plan({ text: 'A' })).replay.total, 1);
    assert.match(await nothingOf({ text: "%_'\\" }), /^Nothing fits/);
  });

  test('warns of what was delivered before, of a paused lane, of a like plan and of gone flows', async () => {
    await makeRecorded(journal, 2, () => ({ state: 'delivered' }));
    await journal.pause({ scope: 'connector', name: 'erp', by: 'a test' });
    const first = await plan({ state: 'delivered' });
    const { replay } = await plan(
      { state: 'delivered' },
      { revision: 'current', now: projectNow('another-flow') },
    );
    const all = replay.warnings.join('\n');
    assert.match(all, new RegExp(`replay ${first.replay.id} of the same query is not over`));
    assert.match(all, /2 were delivered before: each is sent again/);
    assert.match(all, /the lane of erp is paused/);
    assert.match(all, /there is no such flow today, so they are not made/);
  });

  test('takes the newest of an event and flow, and none while one is under way', async () => {
    const [twice = '', underWay = ''] = await makeRecorded(journal, 2, () => deathOf('no stock'));
    for (const id of [twice, underWay]) {
      if (id === twice) await recordReplayOf(journal, id, deathOf('no stock'));
      else await journal.replay({ of: [await theOne(id)], by: 'a test' });
    }
    const { replay, sample } = await plan();
    assert.equal(replay.total, 1);
    assert.notEqual(sample[0]?.deliveryId, twice);
    assert.match(replay.warnings.join(), /^2 left out/);
  });

  for (const state of ['filtered', 'cancelled', 'superseded'] as const) {
    test(`leaves out what was ${state} and delivered since`, async () => {
      const [id = ''] = await makeRecorded(journal, 1, () => ({ state: 'filtered' }));
      await query(url, `UPDATE deliveries SET state = '${state}'`);
      const { replay } = await plan({ state });
      assert.equal(replay.total, 1);
      await recordReplayOf(journal, id, { state: 'delivered' });
      assert.match(await nothingOf({ state }), /^Nothing to do: 1 fits/);
    });
  }

  test('leaves out a replay that died, of one that was retried and delivered since', async () => {
    const [id = ''] = await makeRecorded(journal, 1, () => deathOf('no stock'));
    await recordReplayOf(journal, id, deathOf('no stock'));
    const due = await journal.reopen({ deliveryId: id, by: 'a test' });
    await recordOne(journal, due, { state: 'delivered' });
    assert.match(await nothingOf({}), /^Nothing to do: 1 fits/);
  });

  test('takes a replay that died of one that was delivered before', async () => {
    const [id = ''] = await makeRecorded(journal, 1, () => ({ state: 'delivered' }));
    const replayed = await recordReplayOf(journal, id, deathOf('no stock'));
    const { sample } = await plan();
    assert.deepEqual(
      sample.map(({ deliveryId }) => deliveryId),
      [replayed],
    );
  });

  test('a plan of nothing is not kept, and says what to widen', async () => {
    await makeRecorded(journal, 1, () => deathOf('no stock'));
    assert.equal(
      await nothingOf({ flow: 'order-to-erp', text: 'nowhere' }),
      'Nothing fits the query (state dead, flow order-to-erp, text nowhere). To find more, leave out or widen ' +
        'flow, text; or choose another state than dead (delivered, cancelled, filtered, superseded, unrouted).',
    );
    assert.deepEqual(await journal.replays.list({}), []);
  });

  test('of what is under way already it says so', async () => {
    const [id = ''] = await makeRecorded(journal, 1, () => deathOf('no stock'));
    await journal.replay({ of: [await theOne(id)], by: 'a test' });
    assert.match(await nothingOf({}), /^Nothing to do: 1 fits, and of each another .* under way/);
  });

  test('refuses a flow, a connector, a source and a code that there never was, with what is near', async () => {
    await makeRecorded(journal, 1, () => deathOf('no stock'));
    const wrong: readonly [Partial<ReplayQuery>, RegExp][] = [
      [{ flow: 'order-to-rep' }, /the flow "order-to-rep"; did you mean "order-to-erp"\?/],
      [{ connector: 'erq' }, /the connector "erq"/],
      [{ source: 'shp' }, /the source of events "shp"/],
      [{ code: 'rejectd' }, /there is no code "rejectd"; did you mean "rejected"\?/],
    ];
    for (const [query, message] of wrong) {
      await assert.rejects(plan(query), (error) => {
        assert.ok(isCrossdockError(error, 'usage'));
        assert.match(error.message, message);
        return true;
      });
    }
    assert.deepEqual(await journal.replays.list({}), []);
  });

  test('a flow that no file has any more is found, and said to be gone where nothing fits', async () => {
    await makeRecorded(journal, 1, () => deathOf('no stock'));
    const later = { now: projectNow('another-flow') };
    assert.equal((await plan({ flow: 'order-to-erp' }, later)).replay.total, 1);
    assert.match(
      await nothingOf({ flow: 'order-to-erp', state: 'filtered' }, later),
      /No file has the flow order-to-erp any more\./,
    );
  });

  test('refuses what cannot be planned', async () => {
    const refused = (request: Promise<unknown>) =>
      assert.rejects(request, (error) => isCrossdockError(error, 'usage'));
    await refused(plan({ state: 'unrouted' }));
    await refused(plan({}, { rate: { count: 2_000, perMs: 1_000 } }));
    await refused(plan({ state: 'unrouted', code: 'rejected' }, { revision: 'current' }));
    await assert.rejects(plan({ problem: '0'.repeat(12) }), (error) =>
      isCrossdockError(error, 'not-found'),
    );
  });
});
