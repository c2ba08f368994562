// Pausing from where people do it: the API and the command line, on one hub.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Hub } from '../../src/hub.ts';
import { hubAdminToken, startHubHere, storeOrders } from '../support/in-process-hub.ts';
import { runCrossdock } from '../support/run-crossdock.ts';
import { startStandInTarget } from '../support/stand-in-target.ts';
import { acquireTestDatabase } from '../support/test-journal-server.ts';
import { createTestProject, shopSecret } from '../support/test-project.ts';
import { waitUntil } from '../support/wait-until.ts';

const closers: (() => Promise<unknown>)[] = [];
let hub: Hub;
let place: { folder: string; databaseUrl: string };
let env: Record<string, string>;

before(async () => {
  const target = await startStandInTarget();
  closers.push(() => target.close());
  const database = await acquireTestDatabase();
  closers.push(() => database.close());
  const project = await createTestProject({ erpUrl: target.url });
  closers.push(() => project.remove());
  place = { folder: project.folder, databaseUrl: database.url };
  hub = await startHubHere(place);
  closers.push(() => hub.close());
  env = { DATABASE_URL: database.url, SHOP_SECRET: shopSecret, ERP_TOKEN: 'token-of-the-erp' };
});
after(async () => {
  for (const close of closers.reverse()) await close();
});

async function api(method: string, path: string, body?: object) {
  const response = await fetch(`${hub.url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${hubAdminToken}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, value: JSON.parse(await response.text()) };
}

async function crossdock(...args: string[]) {
  return runCrossdock(args, { project: place.folder, env });
}

test('the API pauses a flow, says so, and resumes it', async () => {
  const path = '/pauses/flow/order-to-erp';
  const paused = await api('PUT', path, { reason: 'wrong mapping' });
  assert.deepEqual([paused.status, paused.value.changed], [200, true]);
  assert.equal((await api('PUT', path)).value.changed, false);
  const [pause] = (await api('GET', '/pauses')).value.pauses;
  assert.deepEqual([pause.name, pause.by, pause.reason], ['order-to-erp', 'api', 'wrong mapping']);
  const [event] = await storeOrders(hub, place, { count: 1 });
  const { journal } = hub.operations;
  const state = async () => (await journal.listDeliveries({ eventId: event?.id ?? '' }))[0]?.state;
  await waitUntil('it is held', async () => ((await state()) === 'held' ? true : undefined));
  assert.equal((await api('DELETE', path)).value.changed, true);
  await waitUntil('it is sent', async () => ((await state()) === 'delivered' ? true : undefined));
  assert.equal((await api('DELETE', path)).value.changed, false);
});

test('the API refuses what no file has, and strangers', async () => {
  const unknown = await api('PUT', '/pauses/connector/erq');
  assert.equal(unknown.status, 404);
  assert.match(unknown.value.detail, /did you mean "erp"/);
  assert.equal((await api('PUT', '/pauses/tenant/a')).status, 404);
  assert.equal((await api('DELETE', '/pauses/flow/nothing')).status, 404);
  assert.equal((await api('PUT', '/pauses/connector/erp', { reason: 7 })).status, 400);
  const stranger = await fetch(`${hub.url}/api/v1/lanes`);
  assert.equal(stranger.status, 401);
});

test('the command line pauses a connector, shows its lane, and resumes it', async () => {
  const paused = await crossdock('pause', 'erp', '--reason', 'maintenance');
  assert.deepEqual([paused.code, paused.stdout], [0, 'connector erp is paused\n']);
  const again = await crossdock('pause', 'erp', '--json');
  assert.equal(JSON.parse(again.stdout).changed, false);
  const shown = await crossdock('lanes', '--json');
  const [lane] = JSON.parse(shown.stdout).lanes;
  assert.deepEqual([lane.lane, lane.state, lane.limits.concurrency], ['erp', 'paused', 16]);
  assert.match(lane.reason, /^lane paused by cli since .*: maintenance$/);
  assert.deepEqual((await api('GET', '/lanes')).value.lanes[0].state, 'paused');
  const table = await crossdock('lanes');
  assert.match(table.stdout, /erp +paused .*16 at once/);
  assert.equal((await crossdock('resume', 'erp')).stdout, 'connector erp goes on\n');
  assert.equal((await crossdock('resume', 'erp')).stdout, 'connector erp was not held\n');
});

test('the command line says what there is in place of an unknown name', async () => {
  const unknown = await crossdock('pause', '--operation', 'erp.createOrdr');
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /did you mean "erp.createOrder"/);
  assert.equal((await crossdock('pause')).code, 2);
  assert.equal((await crossdock('pause', 'erp', '--flow', 'order-to-erp')).code, 2);
});

test('what is in no file any more can still be resumed', async () => {
  const { journal } = hub.operations;
  await journal.pause({ scope: 'connector', name: 'old-erp', by: 'cli' });
  assert.equal((await crossdock('resume', 'old-erp')).code, 0);
  assert.equal((await crossdock('resume', 'old-erp')).code, 1);
});
