// A secret is replaced while the hub runs, as a vendor's rotation asks for it.

import assert from 'node:assert/strict';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import { startHttpTarget } from '../support/http-target.ts';
import { type HubProcess, startHubProcess } from '../support/hub-process.ts';
import { postWebhook } from '../support/shop-sender.ts';
import { acquireTestDatabase } from '../support/test-journal-server.ts';
import { createTestProject } from '../support/test-project.ts';
import { waitUntil } from '../support/wait-until.ts';

const shop = `
uses: shopify
settings: { shop: test.myshopify.com }
receive: { secrets: ["\${ROTATING_SECRET}", "\${ROTATING_SECRET_PREVIOUS:}"] }
`;

describe('the rotation of a secret', () => {
  let database: Awaited<ReturnType<typeof acquireTestDatabase>>;
  let target: Awaited<ReturnType<typeof startHttpTarget>>;
  let project: Awaited<ReturnType<typeof createTestProject>>;
  let hub: HubProcess;

  /** As whoever mounts secrets does it: a new file in the place of the old one. */
  const writeEnv = async (text: string): Promise<void> => {
    const file = join(project.folder, '.env');
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  };
  const statusWith = async (secret: string): Promise<number> =>
    (await postWebhook(hub.url, { body: '{"id":1}', secret })).status;

  before(async () => {
    database = await acquireTestDatabase();
    target = await startHttpTarget();
    project = await createTestProject({
      erpUrl: target.url,
      files: { 'connectors/shop.yaml': shop },
    });
    await writeEnv('ROTATING_SECRET=the-first-secret\n');
    hub = await startHubProcess({
      folder: project.folder,
      variables: { DATABASE_URL: database.url },
    });
  });

  after(async () => {
    await hub.end('SIGKILL');
    await project.remove();
    await target.close();
    await database.close();
  });

  test('needs no restart, and tells which secret matched', async () => {
    assert.equal(await statusWith('the-first-secret'), 200);
    assert.equal(await statusWith('the-second-secret'), 401);
    await writeEnv(
      'ROTATING_SECRET=the-second-secret\nROTATING_SECRET_PREVIOUS=the-first-secret\n',
    );
    await waitUntil('the new secret counts', async () => {
      return (await statusWith('the-second-secret')) === 200 || undefined;
    });
    assert.equal(await statusWith('the-first-secret'), 200);
    await writeEnv('ROTATING_SECRET=the-second-secret\n');
    process.kill(hub.pid, 'SIGHUP');
    await waitUntil('the old secret counts no more', async () => {
      // 429 once it was refused too often.
      return (await statusWith('the-first-secret')) !== 200 || undefined;
    });
    assert.equal(await statusWith('the-second-secret'), 200);
    assert.equal(await hub.end('SIGTERM'), 0);
    assert.doesNotMatch(hub.output(), /the-(first|second)-secret/);

    const client = new pg.Client(database.url);
    await client.connect();
    const { rows } = await client.query<{ number: number; matches: string }>(
      'SELECT number, matches FROM secret_uses ORDER BY number, matches',
    );
    await client.end();
    assert.deepEqual(
      rows.map(({ number }) => number),
      [1, 2],
    );
    for (const { matches } of rows) assert.ok(Number(matches) >= 2);
  });
});
