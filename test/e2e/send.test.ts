// `crossdock send` against a running hub: what it signs is taken, and what it forges is refused.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import { type HubProcess, startHubProcess } from '../support/hub-process.ts';
import { runCrossdock } from '../support/run-crossdock.ts';
import { acquireTestDatabase } from '../support/test-journal-server.ts';
import { createTestProject, shopSecret } from '../support/test-project.ts';

const files = {
  'connectors/pay.yaml': `uses: stripe\nreceive: { secrets: ["\${PAY_SECRET}"] }\n`,
  'connectors/chat.yaml': `uses: slack\nreceive: { secrets: ["\${PAY_SECRET}"] }\n`,
  'connectors/mails.yaml': `uses: sendgrid\nreceive: { secrets: ["\${MAILS_KEY}"] }\n`,
};

interface Sent {
  readonly sent: number;
  readonly duplicates: number;
  readonly refused: number;
  readonly asExpected?: boolean;
  readonly answers: readonly {
    readonly status: number;
    readonly id?: string;
    readonly ids?: readonly string[];
  }[];
}

describe('crossdock send', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const secrets = {
    SHOP_SECRET: shopSecret,
    ERP_TOKEN: 'token-of-the-erp',
    PAY_SECRET: 'whsec_of-the-tests',
    MAILS_KEY: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
  };
  let database: Awaited<ReturnType<typeof acquireTestDatabase>>;
  let project: Awaited<ReturnType<typeof createTestProject>>;
  let hub: HubProcess;
  let client: pg.Client;

  before(async () => {
    database = await acquireTestDatabase();
    project = await createTestProject({ erpUrl: 'http://127.0.0.1:1', files });
    await writeFile(
      join(project.folder, 'key.pem'),
      privateKey.export({ type: 'pkcs8', format: 'pem' }),
    );
    const variables = { ...secrets, DATABASE_URL: database.url };
    hub = await startHubProcess({ folder: project.folder, role: 'intake', variables });
    client = new pg.Client(database.url);
    await client.connect();
  });

  after(async () => {
    await client.end();
    await hub.end('SIGKILL');
    await project.remove();
    await database.close();
  });

  const run = (...args: string[]) =>
    runCrossdock(['send', ...args, '--url', hub.url], {
      project: project.folder,
      env: { ...secrets, DATABASE_URL: database.url },
    });
  const sent = async (...args: string[]): Promise<Sent> => {
    const { code, stdout, stderr } = await run(...args, '--json');
    assert.equal(code, 0, `${stdout}${stderr}`);
    return JSON.parse(stdout) as Sent;
  };
  const count = async (): Promise<number> => {
    const { rows } = await client.query<{ n: number }>('SELECT count(*)::int AS n FROM events');
    return rows[0]?.n ?? -1;
  };

  test('a tampered body and an old time are refused, and that is what was wanted', async () => {
    const before = await count();
    const tampered = await run('shop', 'orders/create', '--tamper');
    assert.equal(tampered.code, 0, tampered.stderr);
    assert.match(tampered.stdout, /^refused with 401: /);
    assert.match(tampered.stderr, /as it should: the hub answered 401/);
    const old = await sent('pay', 'charge.refunded', '--old');
    assert.deepEqual([old.sent, old.refused, old.asExpected], [1, 1, true]);
    assert.equal(await count(), before);
    const timeless = await run('shop', 'orders/create', '--old');
    assert.equal(timeless.code, 2);
    assert.match(timeless.stderr, /--old: this connector verifies no time/);
    const short = await run('pay', 'charge.refunded', '--old', '10s');
    assert.equal(short.code, 2);
    assert.match(short.stderr, /--old: the tolerance is 300s; name a longer time/);
  });

  test('the same message twice is one event', async () => {
    const before = await count();
    const { answers, duplicates, asExpected } = await sent('shop', 'orders/create', '--twice');
    assert.deepEqual([answers.length, duplicates, asExpected], [2, 1, true]);
    assert.equal(answers[0]?.id, answers[1]?.id);
    assert.equal(await count(), before + 1);
  });

  test('where a connector has an answer of its own, its event is named all the same', async () => {
    const { answers, asExpected } = await sent('chat', 'message', '--twice');
    assert.equal(asExpected, true);
    assert.match(answers[0]?.id ?? '', /^[0-9a-f-]{36}$/);
    assert.equal(answers[1]?.id, answers[0]?.id);
  });

  test('a list is signed with the key that is named, and makes an event of each', async () => {
    const keyless = await run('mails', 'delivered');
    assert.notEqual(keyless.code, 0);
    assert.match(keyless.stderr, /--private-key/);
    const before = await count();
    const key = ['--private-key', join(project.folder, 'key.pem')];
    const { answers } = await sent('mails', 'delivered', '--batch', '3', ...key);
    assert.equal(new Set(answers[0]?.ids).size, 3);
    assert.equal(await count(), before + 3);
    const none = await run('shop', 'orders/create', '--batch', '2');
    assert.equal(none.code, 2);
    assert.match(none.stderr, /--batch: this connector takes one event in a request/);
  });

  test('a recorded event is sent again, as a new message', async () => {
    const [first] = (await sent('shop', 'orders/create')).answers;
    const [again] = (await sent('shop', '--event', first?.id ?? '')).answers;
    assert.notEqual(again?.id, first?.id);
    const { rows } = await client.query<{ topic: string; sha256: string }>(
      'SELECT topic, sha256 FROM events WHERE id = ANY($1)',
      [[first?.id, again?.id]],
    );
    assert.equal(rows.length, 2);
    assert.deepEqual(rows[0], rows[1]);
  });

  test("either family of a vendor's headers is signed", async () => {
    const [{ id } = {}] = (await sent('shop', 'orders/create', '--headers-like', 'shopify-topic'))
      .answers;
    const { rows } = await client.query<{ headers: Record<string, string> }>(
      'SELECT headers FROM events WHERE id = $1',
      [id],
    );
    const names = Object.keys(rows[0]?.headers ?? {}).filter((name) => /shopify/.test(name));
    assert.ok(names.includes('shopify-topic'), names.join());
    assert.deepEqual(
      names.filter((name) => name.startsWith('x-shopify')),
      [],
    );
  });

  test('a rate is kept, with several under way', async () => {
    const startedMs = Date.now();
    const {
      sent: all,
      refused,
      answers,
    } = await sent(...['shop', 'orders/create', '--count', '60', '--rate', '30/s']);
    const tookMs = Date.now() - startedMs;
    assert.deepEqual([all, refused, new Set(answers.map(({ id }) => id)).size], [60, 0, 60]);
    // The last one is due after 59/30 s.
    assert.ok(tookMs >= 1_960, `${tookMs} ms`);
  });
});
