// The lanes and the journal disagree, and keys that must stay in order.

import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { waitUntil } from '../../test/support/wait-until.ts';
import { redisPassword } from '../canaries.ts';
import { queryJournal } from '../journal-dump.ts';
import { orderTopic } from '../orders.ts';
import { flowFile } from '../project.ts';
import type { Random } from '../random.ts';
import type { Rig } from '../rig.ts';
import type { Scenario } from '../scenario.ts';
import { refuse } from '../target.ts';

/** A backlog builds up: slower than the load. */
const SLOW_CALL_MS = 1_000;
const REMOVED_MIN = 10;

const jobsRemoved: Scenario = {
  id: 'F40',
  title: 'jobs are removed from the ERP lane behind the back of the journal',
  promise: 'the sweep finds what is due and in no lane, and puts it back',
  lanes: ['redis', 'postgres'],
  soak: true,
  quick: true,
  expect: { spentMax: 1 },
  async fault(rig, random) {
    rig.erp.behave(async () => {
      await sleep(SLOW_CALL_MS);
      return true;
    });
    const removed = await waitUntil(
      'enough jobs are removed',
      async () => {
        await sleep(500);
        const count = await removeJobs(rig, random);
        return count >= REMOVED_MIN ? count : undefined;
      },
      30_000,
    );
    rig.note(`${removed} jobs removed`);
    rig.erp.behave(undefined);
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
  awaits: 'order: { by }',
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
