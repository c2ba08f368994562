// PostgreSQL dies, fills up, or takes no more connections.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../scenario.ts';

const postgresKilled: Scenario = {
  id: 'F11',
  title: 'kill -9 of PostgreSQL, back after 4 s',
  promise: '503 with Retry-After meanwhile; nothing acknowledged is lost',
  lanes: ['redis', 'postgres'],
  quick: true,
  rig: { ownPostgres: true },
  // A call that was made while its record could not be written is made again at worst.
  expect: { duplicates: { faults: 1 }, spentMax: 1 },
  async fault(rig) {
    await rig.postgres.kill();
    await sleep(4_000);
    await rig.postgres.start();
  },
};

const postgresAwayAtStart: Scenario = {
  id: 'F12',
  title: 'PostgreSQL is away when the hub starts',
  promise: 'the process ends with status 3 and works when its supervisor starts it later',
  lanes: ['redis', 'postgres'],
  rig: { ownPostgres: true },
  expect: { duplicates: { faults: 1 } },
  async fault(rig) {
    await rig.postgres.kill();
    await Promise.all(rig.hubs.map((hub) => hub.end('SIGKILL')));
    await sleep(6_000);
    await rig.postgres.start();
    await Promise.all(rig.hubs.map((hub) => hub.ready()));
  },
  check: (rig) =>
    rig.hubs
      .filter(({ exits }) => !exits.some(({ code }) => code === 3))
      .map(({ name, exits }) => ({
        rule: 'start',
        message: `${name} did not end with status 3 but: ${JSON.stringify(exits)}`,
        ids: [],
      })),
};

export const postgresFaults: readonly Scenario[] = [postgresKilled, postgresAwayAtStart];
