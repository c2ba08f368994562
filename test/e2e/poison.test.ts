// A message that ends whatever process it is tried in, among innocent ones, tried on the real program.

import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { childProcesses } from '../support/child-processes.ts';
import { type HttpTarget, startHttpTarget } from '../support/http-target.ts';
import { type HubProcess, startHubProcess } from '../support/hub-process.ts';
import { getEvent, postWebhook } from '../support/shop-sender.ts';
import { acquireTestDatabase, type TestDatabase } from '../support/test-journal-server.ts';
import { createTestProject } from '../support/test-project.ts';
import { waitUntil } from '../support/wait-until.ts';

const INNOCENTS = 8;
/** The lease of a claim that vanished ends at most 15 s after it. */
const RECOVERY_MS = 75_000;

describe('a delivery that ends its process', () => {
  let target: HttpTarget;
  let database: TestDatabase;
  let project: Awaited<ReturnType<typeof createTestProject>>;
  let hub: HubProcess;
  let isHolding = true;
  const held: ServerResponse[] = [];

  const start = async (): Promise<HubProcess> =>
    startHubProcess({ folder: project.folder, variables: { DATABASE_URL: database.url } });

  before(async () => {
    target = await startHttpTarget(({ body }, response) => {
      if (isHolding || body.includes('poison')) held.push(response);
      else response.writeHead(201).end('{}');
    });
    database = await acquireTestDatabase();
    project = await createTestProject({
      erpUrl: target.url,
      // Longer than it takes to find and end the process that the call came from.
      timeout: '5s',
      files: {
        'flows/order-to-erp.yaml':
          'from: { connector: shop, topics: [orders/create] }\nto: erp.createOrder\n',
      },
    });
    hub = await start();
  });
  after(async () => {
    await hub.end('SIGTERM');
    await project.remove();
    await target.close();
    await database.close();
  });

  const calls = (name: string): number =>
    target.received.filter(({ body }) => body.includes(`"${name}"`)).length;

  async function post(name: string): Promise<string> {
    const body = JSON.stringify({ name });
    const answer = await postWebhook(hub.url, { body, id: name });
    assert.equal(answer.status, 200);
    return ((await answer.json()) as { id: string }).id;
  }

  async function poisonCalledAgain(before: number): Promise<void> {
    await waitUntil(
      'the poison is in flight',
      () => (calls('poison') > before ? true : undefined),
      RECOVERY_MS,
    );
  }

  test('is dead after three strikes, alone, whatever kills of the hub it met', async () => {
    const names = Array.from({ length: INNOCENTS }, (_, index) => `innocent-${index}`);
    const innocents = await Promise.all(names.map(post));
    const poison = await post('poison');
    await waitUntil(
      'all are in flight',
      () => (target.received.length === INNOCENTS + 1 ? true : undefined),
      RECOVERY_MS,
    );
    await hub.end('SIGKILL');

    // The first strike is everybody's; a second kill of the hub is no strike at all.
    isHolding = false;
    hub = await start();
    await waitUntil(
      'the innocents are through',
      async () => {
        const events = await Promise.all(innocents.map((id) => getEvent(hub.url, id)));
        return events.every(({ state }) => state === 'finished') ? true : undefined;
      },
      RECOVERY_MS,
    );
    await poisonCalledAgain(1);
    await hub.end('SIGKILL');
    let before = calls('poison');
    hub = await start();

    for (let strikes = 2; strikes <= 3; strikes += 1) {
      await poisonCalledAgain(before);
      before = calls('poison');
      for (const pid of childProcesses(hub.pid, 'suspect-child')) process.kill(pid, 'SIGKILL');
    }

    const dead = await waitUntil(
      'the poison is dead',
      async () => {
        const event = await getEvent(hub.url, poison);
        return event.state === 'dead' ? event : undefined;
      },
      RECOVERY_MS,
    );
    const [delivery] = dead.deliveries;
    assert.equal(delivery?.code, 'process-crashed');
    assert.match(delivery?.reason ?? '', /given up after 3 strikes/);
    for (const id of innocents) {
      const [one] = (await getEvent(hub.url, id)).deliveries;
      assert.equal(one?.state, 'delivered', one?.reason);
    }
    for (const name of names) assert.ok(calls(name) <= 3, `${name}: ${calls(name)} calls`);
  });
});
