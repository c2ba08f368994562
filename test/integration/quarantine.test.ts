// The quarantine of a whole hub: what is kept of a refused request, how it is let in once the secret
// is mended, and that a burst of bad ones harms nobody.

import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseEnvironment } from '../../src/config/environment.ts';
import { type Hub, startHub } from '../../src/hub.ts';
import type { QuarantinedSummary } from '../../src/journal/quarantine-port.ts';
import { hubAdminToken } from '../support/in-process-hub.ts';
import { runCrossdock } from '../support/run-crossdock.ts';
import { postWebhook } from '../support/shop-sender.ts';
import { startStandInTarget } from '../support/stand-in-target.ts';
import { acquireTestDatabase, query, quietLog } from '../support/test-journal-server.ts';
import { createTestProject, shopSecret } from '../support/test-project.ts';
import { waitUntil } from '../support/wait-until.ts';

const COUNT_MAX = 40;
const mended = 'the-secret-that-the-sender-has';
const token = 'a-token-that-is-sent-along';
const closers: (() => Promise<unknown>)[] = [];
let hub: Hub;
let place: { folder: string; databaseUrl: string };
/** As hubs and commands that start from now on find them. */
const secrets = {
  ERP_TOKEN: 'token-of-the-erp',
  SHOP_SECRET: shopSecret,
  POSTER_TOKEN: 'not-that-token',
  TIMED_SECRET: '0123456789',
};

function startHere(): Promise<Hub> {
  const environment = parseEnvironment({
    CROSSDOCK_DIR: place.folder,
    CROSSDOCK_ADMIN_TOKEN: hubAdminToken,
    DATABASE_URL: place.databaseUrl,
    PORT: '0',
    ...secrets,
  });
  return startHub({ environment, role: 'all', log: quietLog });
}

const files = {
  'connectors/shop.yaml': `
uses: shopify
settings: { shop: test.myshopify.com }
receive:
  secrets: ["\${SHOP_SECRET}"]
  quarantine: { keep: all, count: ${COUNT_MAX} }
`,
  'connectors/poster.yaml': `
receive:
  verify: { token: { header: Authorization, prefix: "Bearer " } }
  secrets: ["\${POSTER_TOKEN}"]
  topic: { is: posted }
  quarantine: sample
`,
};

before(async () => {
  const target = await startStandInTarget();
  closers.push(() => target.close());
  const database = await acquireTestDatabase();
  closers.push(() => database.close());
  const project = await createTestProject({ erpUrl: target.url, files });
  closers.push(() => project.remove());
  place = { folder: project.folder, databaseUrl: database.url };
  hub = await startHere();
  closers.push(() => hub.close());
});
after(async () => {
  for (const close of closers.reverse()) await close();
});

const apiOf = (at: Hub) => async (method: string, path: string, body?: object) => {
  const response = await fetch(`${at.url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${hubAdminToken}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, value: JSON.parse(await response.text()) };
};

const api = (...[method, path, body]: [string, string, object?]) => apiOf(hub)(method, path, body);

const crossdock = (...args: string[]) =>
  runCrossdock(args, {
    project: place.folder,
    env: { DATABASE_URL: place.databaseUrl, ...secrets },
  });

function kept(count: number, source: string): Promise<readonly QuarantinedSummary[]> {
  return waitUntil(`${count} of ${source} are kept`, async () => {
    const found = await hub.operations.quarantine.list({ source });
    return found.length >= count ? found : undefined;
  });
}

test('a refused request is kept with its bytes and its reason, and becomes no event', async () => {
  const body = Buffer.from('{"id":1,"note":"\u00e9"}\n');
  assert.equal((await postWebhook(hub.url, { body, id: 'w1', secret: mended })).status, 401);
  const [summary] = await kept(1, 'shop');
  const { value } = await api('GET', `/quarantine/${summary?.id}`);
  assert.deepEqual(Buffer.from(value.bodyBase64, 'base64'), body);
  assert.deepEqual(
    [value.code, value.bytes, value.address],
    ['signature-wrong', body.length, '127.0.0.1'],
  );
  assert.match(value.reason, /^the signature does not fit the secret; neither does it with/);
  assert.equal(value.headers['x-shopify-webhook-id'], 'w1');
  assert.deepEqual(await hub.operations.journal.listEvents({ source: 'shop' }), []);
});

test('a token is nowhere in the table, and is verified all the same once the file has it', async () => {
  const response = await fetch(`${hub.url}/webhooks/poster`, {
    method: 'POST',
    body: '{"a":1}',
    headers: { authorization: `Bearer ${token}`, cookie: `s=${token}` },
  });
  assert.equal(response.status, 401);
  const [summary] = await kept(1, 'poster');
  const rows = await query(place.databaseUrl, 'SELECT q::text AS row FROM quarantine q');
  assert.ok(rows.every(({ row }) => !String(row).includes(token)));
  const digest = createHash('sha256').update(token).digest('hex');
  const { value } = await api('GET', `/quarantine/${summary?.id}`);
  assert.equal(value.headers.authorization, `Bearer sha256:${digest}`);
  assert.deepEqual(value.hidden, ['header authorization', 'header cookie']);
  // The hash itself lets nobody in.
  const forged = await fetch(`${hub.url}/webhooks/poster`, {
    method: 'POST',
    body: '{"a":2}',
    headers: { authorization: value.headers.authorization },
  });
  assert.equal(forged.status, 401);
  const still = await crossdock('quarantine', 'release', String(summary?.id));
  assert.equal(still.code, 1);
  assert.match(still.stdout, /^still refused: credentials-wrong: /);
  secrets.POSTER_TOKEN = token;
  const plan = await crossdock('quarantine', 'release', '--connector', 'poster', '--dry-run');
  assert.match(plan.stdout, /^1 request would be let in, 1 still refused/);
  assert.equal((await hub.operations.journal.listEvents({ source: 'poster' })).length, 0);
  const released = await crossdock('quarantine', 'release', String(summary?.id));
  const [event] = await hub.operations.journal.listEvents({ source: 'poster' });
  assert.equal(released.stdout, `let in as event ${event?.id}\n`);
  const again = await crossdock('quarantine', 'release', String(summary?.id));
  assert.equal(again.stdout, `it was let in before, as event ${event?.id}\n`);
  const whole = await hub.operations.journal.getEvent(event?.id ?? '');
  assert.deepEqual(
    Object.keys(whole?.headers ?? {}).filter((name) => name === 'cookie'),
    [],
  );
});

test('what passes with the mended secret is one event, whoever releases it and how often', async () => {
  const body = '{"id":2}';
  // Twice the same message, and one that nothing mends.
  for (const secret of [mended, mended, 'nobody has this']) {
    await postWebhook(hub.url, { body, id: secret === mended ? 'w2' : 'w3', secret });
  }
  await kept(4, 'shop');
  secrets.SHOP_SECRET = mended;
  const other = await startHere();
  try {
    const ask = { source: 'shop' };
    const askOther = apiOf(other);
    const plan = await askOther('POST', '/quarantine/release', { ...ask, dryRun: true });
    assert.deepEqual([plan.value.passed, plan.value.refused, plan.value.isTrial], [3, 1, true]);
    const both = await Promise.all([
      askOther('POST', '/quarantine/release', ask),
      askOther('POST', '/quarantine/release', ask),
    ]);
    assert.deepEqual(
      both.map(({ status }) => status),
      [200, 200],
    );
    const { journal, quarantine } = hub.operations;
    const events = await journal.listEvents({ source: 'shop' });
    assert.deepEqual(events.map(({ key }) => key).toSorted(), ['w1', 'w2']);
    const found = await quarantine.list(ask);
    const [w2] = events.filter(({ key }) => key === 'w2');
    const marked = found.filter(({ eventIds }) => eventIds[0] === w2?.id);
    assert.equal(marked.length, 2);
    assert.equal(found.filter(({ releasedAt }) => releasedAt === undefined).length, 1);
    await waitUntil('it is delivered', async () => {
      const [delivery] = await journal.listDeliveries({ eventId: w2?.id ?? '' });
      return delivery?.state === 'delivered' ? true : undefined;
    });
    const last = await askOther('POST', '/quarantine/release', ask);
    assert.deepEqual([last.value.passed, last.value.reasons[0].code], [0, 'signature-wrong']);
  } finally {
    await other.close();
    secrets.SHOP_SECRET = shopSecret;
  }
});

test('a crash between the event and its mark is mended by the next release', async () => {
  const { journal, quarantine } = hub.operations;
  const released = (await quarantine.list({ source: 'shop' })).find(({ eventIds }) => eventIds[0]);
  await query(
    place.databaseUrl,
    `UPDATE quarantine SET released_at = NULL, event_ids = '{}' WHERE id = '${released?.id}'`,
  );
  secrets.SHOP_SECRET = mended;
  const again = await crossdock('quarantine', 'release', String(released?.id), '--json');
  secrets.SHOP_SECRET = shopSecret;
  assert.deepEqual(JSON.parse(again.stdout).eventIds, released?.eventIds);
  assert.equal((await journal.listEvents({ source: 'shop' })).length, 2);
});

test('the time of a request is measured when it was received', async () => {
  await writeFile(
    join(place.folder, 'connectors', 'timed.yaml'),
    `
receive:
  verify:
    hmac: sha256
    header: X-Sig
    encoding: hex
    signs: "{timestamp}.{body}"
    timestamp: { header: X-Time, tolerance: 300s }
  secrets: ["\${TIMED_SECRET}"]
  topic: { is: timed }
`,
  );
  const receivedAt = new Date(Math.floor(Date.now() / 1_000) * 1_000 - 86_400_000);
  const store = async (id: string, ageSeconds: number): Promise<void> => {
    const time = String(Math.floor(receivedAt.getTime() / 1_000) - ageSeconds);
    const signature = createHmac('sha256', '0123456789').update(`${time}.${id}`).digest('hex');
    await hub.operations.quarantine.add([
      {
        ...{ id, source: 'timed', code: 'signature-wrong', reason: 'a test', receivedAt },
        ...{ method: 'POST', target: '/webhooks/timed', repeated: [], hidden: [], bytes: 1 },
        headers: { 'x-sig': signature, 'x-time': time },
        body: Buffer.from(id),
        sha256: createHash('sha256').update(id).digest('hex'),
      },
    ]);
  };
  await store('01890000-0000-7000-8000-000000000001', 200);
  await store('01890000-0000-7000-8000-000000000002', 412);
  const { stdout } = await crossdock('quarantine', 'release', '--connector', 'timed', '--json');
  const [report] = JSON.parse(stdout);
  assert.deepEqual(
    report.requests.map(({ outcome }: { outcome: string }) => outcome),
    ['released', 'refused'],
  );
  assert.deepEqual(report.reasons, [
    { code: 'too-old', reason: 'timestamp 412 s old, tolerance 300 s', count: 1 },
  ]);
});

test('what was not kept as it was sent is never let in', async () => {
  const id = '01890000-0000-7000-8000-000000000003';
  await hub.operations.quarantine.add([
    {
      ...{ id, source: 'poster', code: 'credentials-wrong', reason: 'a test', method: 'POST' },
      ...{ target: '/webhooks/poster', repeated: [], hidden: ['body'], bytes: 9 },
      receivedAt: new Date(),
      headers: { authorization: `Bearer ${token}` },
      body: Buffer.alloc(0),
      sha256: createHash('sha256').update('something').digest('hex'),
    },
  ]);
  const { code, stdout } = await crossdock('quarantine', 'release', id);
  assert.deepEqual([code, stdout.split(':', 2).join(':')], [1, 'still refused: not-kept']);
  assert.equal((await crossdock('quarantine', 'drop', id)).code, 0);
});

test('what is there can be listed, shown and dropped', async () => {
  const listed = await crossdock('quarantine', '--connector', 'shop', '--code', 'signature-wrong');
  assert.match(listed.stdout, /^REQUEST +RECEIVED +CONNECTOR +CODE/);
  const [first] = (await api('GET', '/quarantine?source=shop&limit=1')).value.requests;
  const shown = await crossdock('quarantine', 'show', first.id);
  assert.match(shown.stdout, /why +the signature does not fit/);
  assert.match(shown.stdout, /x-shopify-topic +orders\/create/);
  assert.deepEqual((await api('DELETE', `/quarantine/${first.id}`)).value, { dropped: 1 });
  assert.equal((await api('DELETE', `/quarantine/${first.id}`)).status, 404);
  assert.equal((await crossdock('quarantine', 'show', first.id)).code, 1);
  assert.equal((await crossdock('quarantine', 'drop')).code, 2);
  const dropped = await crossdock('quarantine', 'drop', '--connector', 'timed');
  assert.equal(dropped.stdout, '2 requests dropped\n');
});

test('in a burst of 5,000 bad ones every good one is taken, and the table stays bounded', async () => {
  const body = Buffer.alloc(2_000, 'x');
  const statuses = new Map<string, number>();
  const count = (kind: string, status: number) =>
    statuses.set(`${kind} ${status}`, (statuses.get(`${kind} ${status}`) ?? 0) + 1);
  let next = 0;
  let retryAfter: string | null = null;
  const send = async (): Promise<void> => {
    while (next < 5_200) {
      const number = next++;
      const isGood = number % 26 === 25;
      const sent = isGood
        ? { body: `{"id":${number}}`, id: `good-${number}` }
        : { body, secret: 'wrong' };
      const response = await postWebhook(hub.url, sent);
      await response.arrayBuffer();
      count(isGood ? 'good' : 'bad', response.status);
      if (response.status === 429) retryAfter = response.headers.get('retry-after');
    }
  };
  const heapBefore = process.memoryUsage().rss;
  await Promise.all(Array.from({ length: 16 }, send));
  const grownBytes = process.memoryUsage().rss - heapBefore;
  assert.equal(statuses.get('good 200'), 200);
  assert.equal((statuses.get('bad 401') ?? 0) + (statuses.get('bad 429') ?? 0), 5_000);
  assert.ok((statuses.get('bad 429') ?? 0) > 4_000, JSON.stringify([...statuses]));
  assert.equal(retryAfter, '60');
  const [rows] = await query(
    place.databaseUrl,
    `SELECT count(*)::int AS count FROM quarantine WHERE source = 'shop'`,
  );
  assert.ok(Number(rows?.['count']) <= COUNT_MAX);
  assert.ok(grownBytes < 200 * 1_048_576, `${grownBytes} bytes`);
  const metrics = await (await fetch(`${hub.url}/metrics`)).text();
  assert.match(metrics, /crossdock_quarantine_total\{source="shop",what="limited"\} \d{4}/);
});
