// What the hub promises when its own PostgreSQL breaks under it, tried on the real program.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { isAlive } from '../../src/journal/embedded-files.ts';
import { readPostmasterFile } from '../../src/journal/embedded-postmaster.ts';
import { startHubProcess } from '../support/hub-process.ts';
import { sendOrders } from '../support/shop-sender.ts';
import { startStandInTarget } from '../support/stand-in-target.ts';
import { createTestProject } from '../support/test-project.ts';
import { waitUntil } from '../support/wait-until.ts';

const RECOVERY_MS = 15_000;

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serverPid(folder: string): Promise<number> {
  return waitUntil('the embedded server is there', async () => {
    const found = await readPostmasterFile(join(folder, '.crossdock', 'postgres'));
    return found.kind === 'serving' ? found.postmaster.pid : undefined;
  });
}

test('a hub whose embedded server is killed acknowledges and delivers again by itself within 15 s, and loses nothing', async () => {
  const target = await startStandInTarget();
  closers.push(() => target.close());
  const project = await createTestProject({ erpUrl: target.url });
  closers.push(() => project.remove());
  const hub = await startHubProcess({ folder: project.folder });
  closers.push(() => hub.end('SIGTERM'));

  const before = await sendOrders({ hubUrl: () => hub.url, count: 50 });
  const killed = await serverPid(project.folder);
  process.kill(killed, 'SIGKILL');
  const killedMs = Date.now();
  const after = await sendOrders({ hubUrl: () => hub.url, count: 50, first: 100 });
  const references = (): string[] =>
    target.orders.map((order) => String(JSON.parse(order).reference));
  const sent = [...before, ...after].sort();
  await waitUntil(
    'every acknowledged order is in the ERP',
    () => (new Set(references()).size === sent.length ? true : undefined),
    RECOVERY_MS - (Date.now() - killedMs),
  );
  assert.deepEqual(references().sort(), sent);

  const next = await serverPid(project.folder);
  assert.notEqual(next, killed);
  assert.equal(await hub.end('SIGTERM'), 0);
  assert.equal(isAlive(next), false);
});
