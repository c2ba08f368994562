// What the hub tells of itself, on a real journal, through the flows of a real project.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { createRoutes, type Routes } from '../../src/definitions/routes.ts';
import { type Alerts, createAlerts, type OpenedProblem } from '../../src/delivery/alerts.ts';
import { createLagTurn, LAG_MS_MAX } from '../../src/delivery/lag-watch.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { loadProject } from '../../src/load-project.ts';
import { hubTopics } from '../../src/model/hub-events.ts';
import { createBullmqLanes } from '../../src/queue/bullmq-lanes.ts';
import { createPostgresLaneBackend } from '../../src/queue/postgres-backend.ts';
import { readRepositoryFile } from '../support/markdown.ts';
import { runCrossdock } from '../support/run-crossdock.ts';
import { sampleEvent } from '../support/sample-event.ts';
import { openTestJournal } from '../support/test-journal.ts';
import { query, quietLog } from '../support/test-journal-server.ts';
import { createTestProject, shopSecret } from '../support/test-project.ts';

const slack = `kind: http
baseUrl: https://hooks.slack.example
operations: { post: { post: /services } }
`;

const files = {
  'connectors/slack.yaml': slack,
  'flows/alerts-to-slack.yaml': `from: { connector: crossdock, topics: [${hubTopics.join(', ')}] }
map: alert-to-slack
to: slack.post
`,
  'mappings/alert-to-slack.jsonata': '/* an alert; a message */ { "text": text }',
  'flows/alerts-to-slack.test.yaml': `- name: says what is wrong
  webhook:
    connector: crossdock
    topic: lag-high
    body: { text: "The lane erp does not keep up." }
  expect:
    state: delivered
    requests: [{ to: slack.post, body: { text: "The lane erp does not keep up." } }]
`,
};

const variables = { SHOP_SECRET: shopSecret, ERP_TOKEN: 'token-of-the-erp' };
const openedAt = new Date('2026-11-22T09:30:02.117Z');

describe('what the hub tells of itself', () => {
  let journal: Journal;
  let url: string;
  let alerts: Alerts;
  let folder: string;
  let routes: Routes;
  const closers: (() => Promise<unknown>)[] = [];

  before(async () => {
    const project = await createTestProject({ erpUrl: 'https://erp.example', files });
    closers.push(() => project.remove());
    folder = project.folder;
    const opened = await openTestJournal();
    closers.push(() => opened.close());
    ({ journal, url } = opened);
    const backend = await createPostgresLaneBackend({ url, workers: 0, onError: () => undefined });
    const lanes = createBullmqLanes({ backend, names: ['slack', 'erp'], log: quietLog });
    closers.push(() => lanes.close(3_000));
    const { definitions } = await loadProject({ folder, variables });
    assert.ok(definitions);
    routes = createRoutes(definitions);
    alerts = createAlerts({ journal, lanes, routes, log: quietLog });
  });
  after(async () => {
    for (const close of closers.reverse()) await close();
  });

  async function told(topic: string) {
    const events = await journal.listEvents({ source: 'crossdock', topic });
    return Promise.all(
      events.map(async ({ id }) => {
        const event = await journal.getEvent(id);
        const deliveries = await journal.listDeliveries({ eventId: id });
        return { body: JSON.parse(String(event?.body)) as Record<string, unknown>, deliveries };
      }),
    );
  }

  const problem: OpenedProblem = {
    fingerprint: '5f0c2a7be1d94c36',
    class: 'rejected',
    code: 'rejected',
    connector: 'erp',
    message: 'ERP refused the order: unknown SKU',
    openedAt,
  };
  const first = {
    deliveryId: '0199c0de-0000-7000-8000-000000000002',
    eventId: '0199c0de-0000-7000-8000-000000000001',
    source: 'shop',
    topic: 'orders/create',
    key: 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
    flow: 'order-to-erp',
    operation: 'createOrder',
    attempts: 1,
    reason: 'ERP refused the order: unknown SKU 4711',
  };

  test('is told once for a problem, whichever processes see it, and again when it is opened again', async () => {
    const saidSo = await Promise.all([1, 2, 3].map(() => alerts.problemOpened(problem, first)));
    assert.deepEqual(saidSo, [true, true, true]);
    const [opened, ...more] = await told('problem-opened');
    assert.deepEqual(more, []);
    assert.equal(
      opened?.body['text'],
      'New problem of erp, rejected: ERP refused the order: unknown SKU',
    );
    assert.deepEqual(
      opened?.deliveries.map(({ flow, connector }) => `${flow} ${connector}`),
      ['alerts-to-slack slack'],
    );
    assert.equal((await told('delivery-dead')).length, 1);
    await alerts.problemOpened({ ...problem, openedAt: new Date() }, first);
    assert.equal((await told('problem-opened')).length, 2);
  });

  test('is nothing where the dead delivery was an alert itself', async () => {
    const ofAlert = { ...problem, fingerprint: 'of-an-alert' };
    const count = (await told('problem-opened')).length;
    assert.equal(await alerts.problemOpened(ofAlert, { ...first, source: 'crossdock' }), false);
    assert.equal((await told('problem-opened')).length, count);
  });

  test('has not been told where nothing was stored, or no flow listens', async () => {
    const lanes = { add: async () => undefined };
    const parts = { lanes, log: quietLog };
    const away = await openTestJournal();
    await away.close();
    const deaf = createAlerts({ ...parts, journal, routes: { route: () => [] } });
    assert.equal(await deaf.problemOpened({ ...problem, fingerprint: 'unheard' }, first), false);
    const failing = createAlerts({ ...parts, journal: away.journal, routes });
    assert.equal(await failing.problemOpened({ ...problem, fingerprint: 'failed' }, first), false);
  });

  test('goes not through the lane that it is about', async () => {
    const code = 'connection-failed';
    const reason = 'no connection to erp.example:443 (ECONNREFUSED)';
    await alerts.laneOpened({ connector: 'slack', openedAt, code, reason });
    assert.deepEqual(await told('lane-opened'), []);
    await alerts.laneOpened({ connector: 'erp', openedAt, code, reason });
    assert.equal((await told('lane-opened')).length, 1);
    await alerts.laneClosed({ connector: 'slack', openedAt, closedAt: new Date() });
    assert.equal((await told('lane-closed')).length, 1);
  });

  test('is what the manual says of it', async () => {
    const closedAt = new Date('2026-11-22T09:31:35.204Z');
    await alerts.laneClosed({ connector: 'erp', openedAt, closedAt });
    const reason = 'ERP answered 410';
    const disabled = { connector: 'erp', operation: 'createOrder', disabledAt: openedAt, reason };
    await alerts.connectorDisabled(disabled);
    const since = new Date('2026-11-22T09:35:00.000Z');
    const oldestDueAt = new Date('2026-11-22T09:29:58.400Z');
    await alerts.lagHigh({ connector: 'erp', since, oldestDueAt, due: 1_250 });
    const conflict = { source: 'shop', topic: 'orders/create', key: '5d1e' };
    const eventId = '0199c0de-0000-7000-8000-000000000001';
    const sha256 = createHash('sha256').update('test').digest('hex');
    await alerts.eventConflict({ eventId, ...conflict, sha256 });
    await alerts.eventConflict({ eventId, ...conflict, sha256: 'another' });
    assert.equal((await told('event-conflict')).length, 1);
    const page = readRepositoryFile('docs/alerts.md');
    for (const topic of hubTopics) {
      const [, section = ''] = page.split(`### \`${topic}\``);
      const [, json = ''] = /```json\n([^`]*)```/.exec(section) ?? [];
      const shown = JSON.parse(json);
      const bodies = (await told(topic)).map(({ body }) => body);
      assert.ok(
        bodies.some((body) => JSON.stringify(body) === JSON.stringify(shown)),
        `${topic}: ${JSON.stringify(bodies)}`,
      );
    }
  });

  test('a lane that does not keep up is told once until it does, and one that is held never', async () => {
    const turn = createLagTurn({ journal, alerts });
    const watch = () => turn.run(new AbortController().signal);
    const count = async () => (await told('lag-high')).length;
    const before = await count();
    await watch();
    assert.equal(await count(), before);
    await journal.append(sampleEvent());
    const late = `UPDATE deliveries SET due_at = due_at - interval '${LAG_MS_MAX + 1_000} milliseconds'`;
    await query(url, `${late} WHERE connector = 'erp'`);
    await journal.pause({ scope: 'connector', name: 'erp', by: 'anna' });
    await watch();
    assert.equal(await count(), before);
    await journal.resume({ scope: 'connector', name: 'erp', by: 'anna' });
    await journal.rest({ connector: 'erp', ms: 60_000, reason: 'answered 429' });
    await watch();
    assert.equal(await count(), before);
    await query(url, 'UPDATE lane_gates SET rest_until = NULL');
    await watch();
    await watch();
    assert.equal(await count(), before + 1);
    await query(url, "UPDATE deliveries SET due_at = clock_timestamp() WHERE connector = 'erp'");
    await watch();
    await query(url, `${late} WHERE connector = 'erp'`);
    await watch();
    assert.equal(await count(), before + 2);
  });

  test('flows of it are checked and tested like any other', async () => {
    const checked = await runCrossdock(['check'], { project: folder, env: variables });
    assert.equal(checked.code, 0, checked.stdout + checked.stderr);
    const tested = await runCrossdock(['test'], { project: folder, env: variables });
    assert.match(tested.stdout, /✓ says what is wrong/);
    assert.equal(tested.code, 0, tested.stdout);
  });
});
