// The lanes and the journal disagree, and keys that must stay in order.

import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { redisPassword } from '../canaries.ts';
import { queryJournal } from '../journal-dump.ts';
import { orderTopic } from '../orders.ts';
import { connectorFile, flowFile } from '../project.ts';
import type { Random } from '../random.ts';
import type { Rig } from '../rig.ts';
import type { Scenario } from '../scenario.ts';
import { refuse } from '../target.ts';

/** With few calls at once a backlog builds up: slower than the load. */
const SLOW_CALL_MS = 1_000;
const CONCURRENCY = 4;
const REMOVED_MIN = 10;
const REMOVING_MS_MAX = 15_000;

const removed = new WeakMap<Rig, number>();

const jobsRemoved: Scenario = {
  id: 'F40',
  title: 'jobs are removed from the ERP lane behind the back of the journal',
  promise: 'the sweep finds what is due and in no lane, and puts it back',
  lanes: ['redis', 'postgres'],
  soak: true,
  quick: true,
  rig: {
    files: (ports) => ({
      'connectors/erp.yaml': connectorFile(ports.erp, 'createOrder', CONCURRENCY),
    }),
  },
  expect: { spentMax: 1 },
  async fault(rig, random) {
    rig.erp.behave(async () => {
      await sleep(SLOW_CALL_MS);
      return true;
    });
    let count = 0;
    for (const endMs = Date.now() + REMOVING_MS_MAX; Date.now() < endMs; ) {
      await sleep(1_000);
      count += await removeJobs(rig, random);
      if (count >= REMOVED_MIN) break;
    }
    rig.note(`${count} jobs removed`);
    removed.set(rig, count);
    rig.erp.behave(undefined);
  },
  check(rig) {
    const count = removed.get(rig) ?? 0;
    if (count >= REMOVED_MIN) return [];
    return [{ rule: 'fault', message: `only ${count} jobs could be removed`, ids: [] }];
  },
};

/** Resolves with how many there were. */
async function removeJobs(rig: Rig, random: Random): Promise<number> {
  if (rig.redis === undefined) {
    const rows = await queryJournal(
      rig.databaseUrl,
      `DELETE FROM bullmq.job WHERE random() < 0.5 AND state IN ('waiting', 'delayed')
       RETURNING id`,
    );
    return rows.length;
  }
  const queue = new Queue('erp', {
    prefix: '{crossdock}',
    connection: { port: rig.redis.port, password: redisPassword },
  });
  try {
    const jobs = await queue.getJobs(['waiting', 'delayed']);
    const chosen = jobs.filter(() => random.next() < 0.5);
    const removals = await Promise.allSettled(chosen.map((job) => job.remove()));
    return removals.filter(({ status }) => status === 'fulfilled').length;
  } finally {
    await queue.close();
  }
}

const orderAndRetry: Scenario = {
  id: 'F26',
  title: 'each second message of a key fails once at a flow that keeps the order',
  promise: 'later messages of the key wait for it; other keys flow',
  lanes: ['redis', 'postgres'],
  quick: true,
  rig: {
    files: () => ({
      'flows/order-to-erp.yaml': flowFile({
        topic: orderTopic,
        to: 'erp.createOrder',
        more: 'order: { by: customer.id }\n',
      }),
    }),
  },
  expect: { orderedAt: ['erp'] },
  async fault(rig) {
    rig.erp.behave((call, response, earlier) => {
      const sequence = Number(/"reference":"[^"]*-(\d+)"/.exec(call.body)?.[1]);
      return earlier > 0 || sequence % 2 === 1 || refuse(call, response, { status: 503 });
    });
    await sleep(6_000);
    rig.erp.behave(undefined);
  },
};

export const laneFaults: readonly Scenario[] = [jobsRemoved, orderAndRetry];
