// A canary in each slot that holds a secret, and a look into everything the hub writes or shows.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import { type HttpTarget, startHttpTarget } from '../support/http-target.ts';
import { adminToken, type HubProcess, startHubProcess } from '../support/hub-process.ts';
import { getEvent, postWebhook } from '../support/shop-sender.ts';
import { acquireTestDatabase } from '../support/test-journal-server.ts';
import { createTestProject, shopSecret } from '../support/test-project.ts';
import { waitUntil } from '../support/wait-until.ts';

const canaries: Readonly<Record<string, string>> = {
  SHOP_SECRET: shopSecret,
  SHOP_SECRET_PREVIOUS: 'canary-previous-secret-ab12',
  ERP_TOKEN: 'canary-bearer-token-cd34',
  BASIC_PASSWORD: 'canary-basic-password-ef56',
  HEADER_TOKEN: 'canary-header-value-gh78',
  OAUTH_SECRET: 'canary-oauth-secret-ij90',
  SMTP_PASSWORD: 'canary-smtp-password-kl12',
};
const sentByVendor = { authorization: 'Bearer canary-vendor-mn34', cookie: 's=canary-cookie-op56' };

const flowTo = (operation: string): string => `
from: { connector: shop, topics: [orders/create] }
map: order-to-erp
to: ${operation}
retry: { attempts: 2, first: 100ms, max: 100ms, horizon: 1h }
`;

const httpConnector = (url: string, auth: string): string => `
kind: http
baseUrl: ${url}
auth: ${auth}
timeout: 2s
operations: { send: { post: /orders } }
`;

function files(url: string): Readonly<Record<string, string>> {
  return {
    'connectors/shop.yaml': `
uses: shopify
settings: { shop: test.myshopify.com }
receive: { secrets: ["\${SHOP_SECRET}", "\${SHOP_SECRET_PREVIOUS}"] }
`,
    'connectors/basic.yaml': httpConnector(
      url,
      `{ basic: { user: hub, password: "\${BASIC_PASSWORD}" } }`,
    ),
    'connectors/header.yaml': httpConnector(
      url,
      `{ header: { name: X-Api-Key, value: "\${HEADER_TOKEN}" } }`,
    ),
    'connectors/oauth.yaml': httpConnector(
      url,
      `{ oauth2: { tokenUrl: "${url}/token", clientId: hub, clientSecret: "\${OAUTH_SECRET}" } }`,
    ),
    'connectors/mail.yaml': `
kind: smtp
host: 127.0.0.1
port: 1
security: none
from: hub@example.com
auth: { user: hub, password: "\${SMTP_PASSWORD}" }
operations: { send: {} }
`,
    'flows/to-basic.yaml': flowTo('basic.send'),
    'flows/to-header.yaml': flowTo('header.send'),
    'flows/to-oauth.yaml': flowTo('oauth.send'),
    'flows/to-mail.yaml': flowTo('mail.send'),
  };
}

describe('nothing secret in logs, errors, Bull Board and the journal', () => {
  let hub: HubProcess;
  let echo: HttpTarget;
  let database: Awaited<ReturnType<typeof acquireTestDatabase>>;
  let project: Awaited<ReturnType<typeof createTestProject>>;
  let eventId: string;

  before(async () => {
    // The worst target: it says back whatever it was told, in body and headers, and never works.
    echo = await startHttpTarget((one, response) => {
      const said = JSON.stringify({ ...one.headers, body: one.body, access_token: 'short-lived' });
      const isToken = one.url.endsWith('/token');
      response.writeHead(isToken ? 401 : 503, {
        'content-type': 'application/json',
        'x-echo': String(one.headers.authorization ?? one.headers['x-api-key'] ?? 'none'),
      });
      response.end(said);
    });
    project = await createTestProject({ erpUrl: echo.url, files: files(echo.url) });
    database = await acquireTestDatabase();
    hub = await startHubProcess({
      folder: project.folder,
      variables: { ...canaries, DATABASE_URL: database.url, LOG_LEVEL: 'debug' },
    });
    const body = '{"id":1,"total_price":"1.00"}';
    const accepted = await postWebhook(hub.url, { body, headers: sentByVendor });
    ({ id: eventId } = (await accepted.json()) as { id: string });
    await postWebhook(hub.url, { body, secret: 'wrong', headers: sentByVendor });
    await waitUntil(
      'every delivery is dead, or its credentials are refused',
      async () => {
        const { deliveries } = await getEvent(hub.url, eventId);
        const isOver = deliveries.every(
          ({ flow, state, attempts }) => state === 'dead' || (flow === 'to-oauth' && attempts > 0),
        );
        return isOver ? true : undefined;
      },
      30_000,
    );
  });

  after(async () => {
    await hub.end('SIGTERM');
    await database.close();
    await project.remove();
    await echo.close();
  });

  function assertFree(where: string, text: string): void {
    const values = [...Object.values(canaries), ...Object.values(sentByVendor), adminToken];
    const encoded = values.flatMap((value) => [value, Buffer.from(value).toString('base64')]);
    const basic = Buffer.from(`hub:${canaries['BASIC_PASSWORD']}`).toString('base64');
    for (const value of [...encoded, basic]) {
      assert.ok(!text.includes(value), `${where} contains ${value}`);
    }
  }

  const admin = { authorization: `Bearer ${adminToken}` };

  async function shown(path: string, accept: string): Promise<string> {
    const response = await fetch(`${hub.url}${path}`, { headers: { ...admin, accept } });
    assert.equal(response.status, 200, path);
    return response.text();
  }

  test('the targets did get their credentials', () => {
    const told = echo.received.map((one) => JSON.stringify(one.headers)).join('\n');
    assert.ok(told.includes(`Bearer ${canaries['ERP_TOKEN']}`));
    assert.ok(told.includes(canaries['HEADER_TOKEN'] ?? ''));
    assert.ok(told.includes('Basic '));
  });

  test('the log has none', () => {
    assert.ok(hub.output().length > 0);
    assertFree('the log', hub.output());
  });

  test('the pages and the API have none', async () => {
    const event = await getEvent(hub.url, eventId);
    assert.equal(event.deliveries.length, 5);
    const paths = [
      `/events/${eventId}`,
      ...event.deliveries.map((delivery) => `/deliveries/${delivery.id}`),
    ];
    for (const path of paths) {
      assertFree(path, await shown(path, 'application/json'));
      assertFree(path, await shown(path, 'text/html'));
    }
    assertFree('/metrics', await shown('/metrics', '*/*'));
  });

  test('Bull Board has none, though it shows the failed jobs', async () => {
    const query = 'activeQueue=erp&status=failed&page=1&jobsPerPage=10';
    const text = await shown(`/queues/api/queues?${query}`, 'application/json');
    assert.match(text, /order-to-erp/);
    assertFree('Bull Board', text);
  });

  test('the journal has none in any table', async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      const { rows: tables } = await client.query<{ name: string }>(
        `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
         WHERE schemaname IN ('public', 'bullmq')`,
      );
      assert.ok(tables.length > 5);
      for (const { name } of tables) {
        const { rows } = await client.query<{ row: string }>(
          `SELECT t::text AS row FROM ${name} t`,
        );
        const text = rows.map(({ row }) => row + unhex(row)).join('\n');
        assertFree(name, text);
      }
    } finally {
      await client.end();
    }
  });
});

/** The text of the byte columns in a row. */
function unhex(row: string): string {
  const found = row.matchAll(/\\\\x([0-9a-f]+)/g);
  return [...found].map((match) => Buffer.from(match[1] ?? '', 'hex').toString()).join('\n');
}
