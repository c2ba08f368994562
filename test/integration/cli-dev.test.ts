import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { cliFixtures, spawnCrossdock } from '../support/run-crossdock.ts';
import { acquireTestDatabase, temporaryFolder } from '../support/test-journal-server.ts';
import { waitUntil } from '../support/wait-until.ts';

const DEADLINE_MS = 30_000;

test('dev keeps the hub that runs while there are errors, and restarts it when they are gone', async () => {
  const folder = await temporaryFolder();
  await cp(join(cliFixtures, 'failing'), folder, { recursive: true });
  const database = await acquireTestDatabase();
  const env = { DATABASE_URL: database.url, PORT: '0' };
  const child = spawnCrossdock(['dev'], { project: folder, env });
  let said = '';
  child.stdout.resume();
  child.stderr.on('data', (chunk) => (said += chunk));
  const hears = (text: string) =>
    waitUntil(`dev says "${text}"`, () => said.includes(text) || undefined, DEADLINE_MS);
  const flow = join(folder, 'flows', 'order-to-erp.yaml');
  const good = await readFile(flow, 'utf8');
  try {
    await hears('watching the files');
    const url = / listens on (\S+)/.exec(said)?.[1] ?? '';
    await writeFile(flow, good.replace('map: order-to-erp', 'map: order-to-epr'));
    await hears('1 error: the hub of before goes on');
    assert.match(said, /flows\/order-to-erp\.yaml:2:6 unknown-mapping .*order-to-erp/);
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
    await writeFile(flow, `# better\n${good}`);
    await hears('restarted on http://127.0.0.1:');
    const exit = once(child, 'exit');
    child.kill('SIGINT');
    assert.deepEqual(await exit, [0, null]);
  } finally {
    child.kill('SIGKILL');
    await database.close();
    await rm(folder, { recursive: true });
  }
});
