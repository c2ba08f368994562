// Errors of the hub's own, from the claim to the journal: they spend nothing, however often they come,
// and end only what is late and met many in a row.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createDeliver } from '../../src/delivery/deliver.ts';
import { HUB_ERRORS_MAX } from '../../src/delivery/hub-errors.ts';
import type { PostgresJournal } from '../../src/journal/postgres-journal.ts';
import type { FlowRevision } from '../../src/model/flow-revision.ts';
import { silentMeter } from '../../src/model/meter.ts';
import { defaultRetryPolicy } from '../../src/model/retry.ts';
import { type LaneWork, laneJobsOf } from '../../src/queue/lanes.ts';
import { expressionOf } from '../support/evaluate.ts';
import { startMapper } from '../support/mapping-pool.ts';
import { sampleDelivery, sampleEvent } from '../support/sample-event.ts';
import { openTestJournal } from '../support/test-journal.ts';
import { query, quietLog } from '../support/test-journal-server.ts';

const revision: FlowRevision = {
  hash: 'with-a-mapping',
  flow: 'order-to-erp',
  connector: 'erp',
  operation: 'create',
  program: { map: expressionOf('{ "id": id }') },
  retry: defaultRetryPolicy,
};

let journal: PostgresJournal;
let url: string;
let close: () => Promise<void>;
let deliver: LaneWork;

before(async () => {
  ({ journal, url, close } = await openTestJournal());
  await journal.saveRevisions([revision]);
  const mapper = startMapper();
  await mapper.close();
  deliver = createDeliver(
    {
      journal,
      mapper,
      lanes: { add: async () => undefined },
      routes: { route: () => [] },
      connectors: new Map(),
      meter: silentMeter,
      log: quietLog,
      now: Date.now,
      onSettled: [],
      onChain: () => undefined,
    },
    1_000,
  );
});
after(() => close());

/** One that was made so many days ago and has met so many errors of the hub in a row. */
async function deliverOne(ageDays: number, hubErrors: number) {
  const event = sampleEvent({ deliveries: [sampleDelivery({ revision: revision.hash })] });
  await journal.append(event);
  const [job] = laneJobsOf(event);
  assert.ok(job);
  const id = job.deliveryId;
  await query(
    url,
    `UPDATE deliveries SET opened_at = opened_at - interval '${ageDays} days',
            hub_errors = ${hubErrors} WHERE id = '${id}'`,
  );
  const step = await deliver(job, new AbortController().signal);
  const [row] = await query(url, `SELECT * FROM deliveries WHERE id = '${id}'`);
  const { state, attempts, spent, hub_errors, reason } = row ?? {};
  return { step: step.kind, state, attempts, spent, hubErrors: hub_errors, reason };
}

test('the first errors of the hub after days in which it was away make nobody dead', async () => {
  assert.deepEqual(await deliverOne(4, 0), {
    step: 'again',
    state: 'pending',
    attempts: 0,
    spent: 0,
    hubErrors: 1,
    reason: 'handed back by the hub',
  });
});

test('before its horizon a delivery waits for the hub, however often that fails', async () => {
  const { state, hubErrors } = await deliverOne(2, 5_000);
  assert.deepEqual([state, hubErrors], ['pending', 5_001]);
});

test('what is late and meets errors of the hub again and again is dead, and a problem', async () => {
  const { state, attempts, reason } = await deliverOne(4, HUB_ERRORS_MAX - 1);
  assert.deepEqual([state, attempts], ['dead', 0]);
  assert.equal(reason, 'handed back by the hub, 100 times in a row; its time is up');
  const [problem] = await journal.problems.list({});
  assert.equal(problem?.code, 'hub-error');
});
