// The hub's own processes die, stall or leave.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../random.ts';
import type { Rig } from '../rig.ts';
import type { Scenario } from '../scenario.ts';

/** Longer than a delivery's lease: the call's timeout and 10 s. */
const BEYOND_LEASE_MS = 15_000;
const LEAVE_MS_MAX = 10_000;

async function killOneByOne(
  rig: Rig,
  random: Random,
  kills: { readonly role: 'intake' | 'delivery'; readonly times: number; readonly everyMs: number },
): Promise<void> {
  for (let count = 0; count < kills.times; count += 1) {
    const hub = random.pick(rig.of(kills.role));
    rig.note(`kill -9 ${hub.name}`);
    await hub.end('SIGKILL');
    await sleep(kills.everyMs * (0.5 + random.next()));
  }
  await Promise.all(rig.hubs.map((hub) => hub.ready()));
}

const KILLS = 3;

const intakeKilled: Scenario = {
  id: 'F1',
  title: 'kill -9 of intake processes in the middle of requests',
  promise: 'what was acknowledged is kept; the vendor repeats the rest',
  lanes: ['redis', 'postgres'],
  soak: true,
  quick: true,
  rig: { intakes: 3, deliveries: 1 },
  fault: (rig, random) => killOneByOne(rig, random, { role: 'intake', times: 4, everyMs: 900 }),
};

const deliveryKilled: Scenario = {
  id: 'F2',
  title: 'kill -9 of delivery processes in the middle of calls',
  promise: 'taken over when the lease ends, with the same key; no attempt is spent',
  lanes: ['redis', 'postgres'],
  slow: true,
  soak: true,
  quick: true,
  rig: { intakes: 1, deliveries: 2 },
  // A delivery that was under way at a kill may be worked on once more.
  expect: { duplicates: { faults: KILLS }, spentMax: 1 },
  async prepare(rig) {
    rig.erp.behave(async () => {
      await sleep(250);
      return true;
    });
  },
  fault: (rig, random) =>
    killOneByOne(rig, random, { role: 'delivery', times: KILLS, everyMs: 1_200 }),
};

const everythingKilled: Scenario = {
  id: 'F3',
  title: 'kill -9 of everything at once: hub, Redis and PostgreSQL; back after 3 s',
  promise: 'nothing acknowledged is lost; all is drained within a minute',
  lanes: ['redis', 'postgres'],
  slow: true,
  soak: true,
  rig: { intakes: 2, ownPostgres: true },
  expect: { duplicates: { faults: 1 } },
  async fault(rig) {
    const ends = rig.hubs.map((hub) => hub.end('SIGKILL'));
    await Promise.all([...ends, rig.redis?.kill(), rig.postgres.kill()]);
    await sleep(3_000);
    await Promise.all([rig.redis?.restart(), rig.postgres.start()]);
  },
};

const deliveryStalled: Scenario = {
  id: 'F30',
  title: 'a delivery process is stopped for longer than its lease, then goes on',
  promise: 'another takes over; the late result is refused; at most one duplicate',
  lanes: ['redis', 'postgres'],
  soak: true,
  rig: { intakes: 1, deliveries: 2 },
  expect: { duplicates: { faults: 1 }, spentMax: 1 },
  async prepare(rig) {
    rig.erp.behave(async () => {
      await sleep(300);
      return true;
    });
  },
  async fault(rig, random) {
    const hub = random.pick(rig.of('delivery'));
    hub.signal('SIGSTOP');
    await sleep(BEYOND_LEASE_MS);
    hub.signal('SIGCONT');
  },
};

const rollingDeploy: Scenario = {
  id: 'F36',
  title: 'SIGTERM to each process in turn under load, as in a rolling deploy',
  promise: 'each leaves within 10 s with status 0; no duplicate, and no attempt is spent',
  lanes: ['redis', 'postgres'],
  slow: true,
  soak: true,
  quick: true,
  rig: { intakes: 2 },
  expect: { spentMax: 1 },
  async prepare(rig) {
    rig.erp.behave(async () => {
      await sleep(200);
      return true;
    });
  },
  async fault(rig) {
    for (const hub of rig.hubs) {
      await hub.end('SIGTERM');
      await hub.ready();
    }
  },
  check: (rig) =>
    rig.hubs.flatMap(({ name, exits }) =>
      exits
        .filter(({ code, tookMs = 0 }) => code !== 0 || tookMs > LEAVE_MS_MAX)
        .map(({ code, signal, tookMs }) => ({
          rule: 'leaves',
          message: `${name} left with ${signal ?? `status ${code}`} after ${tookMs} ms`,
          ids: [],
        })),
    ),
};

export const hubFaults: readonly Scenario[] = [
  intakeKilled,
  deliveryKilled,
  everythingKilled,
  deliveryStalled,
  rollingDeploy,
];
