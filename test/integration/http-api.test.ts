// `/api/v1` over a real journal: what it takes, what it refuses, what it does, and its description.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createControls } from '../../src/delivery/controls.ts';
import { runReplays } from '../../src/delivery/replay-runner.ts';
import { apiRouters } from '../../src/http/api.ts';
import { openApi } from '../../src/http/openapi.ts';
import type { ApiPorts } from '../../src/http/ports.ts';
import type { PostgresJournal } from '../../src/journal/postgres-journal.ts';
import { newId } from '../../src/model/ids.ts';
import type { Lanes } from '../../src/queue/lanes.ts';
import { deathOf, makeRecorded } from '../support/dead-deliveries.ts';
import { asAdmin, type HttpHub, startHttp } from '../support/http-hub.ts';
import { controlsOf, keepingLanes, projectNow } from '../support/replay-parts.ts';
import { sampleEvent } from '../support/sample-event.ts';
import { openTestJournal } from '../support/test-journal.ts';
import { quietLog } from '../support/test-journal-server.ts';

let journal: PostgresJournal;
let closeJournal: () => Promise<void>;
let hub: HttpHub;
let ports: ApiPorts;
const lanes = keepingLanes();

before(async () => {
  ({ journal, close: closeJournal } = await openTestJournal());
  ports = {
    journal,
    controls: createControls({ journal, lanes: lanes as unknown as Lanes, log: quietLog }),
    problems: journal.problems,
    replays: controlsOf(journal),
    quarantine: journal.quarantine,
    release: releaseNothing,
    now: projectNow(),
    lanes: { count: async () => ({ waiting: 0, active: 0, delayed: 0, failed: 0 }) },
    laneRules: new Map([['erp', { concurrency: 4 }]]),
    pausable: { connector: ['erp'], flow: ['order-to-erp'], operation: ['erp.createOrder'] },
  };
  hub = await startHttp({ journal, api: ports });
});
after(async () => {
  await hub.server.close(1_000);
  await closeJournal();
});

/** Releases have tests of their own. */
const releaseNothing: ApiPorts['release'] = {
  one: () => Promise.reject(new Error('not asked here')),
  many: () => Promise.reject(new Error('not asked here')),
};

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the route answers
  readonly body: any;
}

async function ask(method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(`${hub.url}/api/v1${path}`, {
    method,
    headers: { ...asAdmin, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

interface Layer {
  readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> };
}

describe('the API', () => {
  test('its description has every route, and no other', async () => {
    const routes = apiRouters(ports)
      .flatMap((router) => router.stack as unknown as readonly Layer[])
      .flatMap(({ route }) =>
        route === undefined
          ? []
          : Object.keys(route.methods).map((method) => `${method} ${braced(route.path)}`),
      );
    const described = Object.entries(openApi['paths'] as Record<string, object>).flatMap(
      ([path, item]) =>
        Object.keys(item)
          .filter((key) => key !== 'parameters')
          .map((method) => `${method} ${path}`),
    );
    assert.ok(routes.length > 12);
    assert.deepEqual(described.toSorted(), routes.toSorted());
    const { status, body } = await ask('GET', '/openapi.json');
    assert.deepEqual([status, body.openapi], [200, '3.1.0']);
  });

  test('every schema that the description refers to is there', () => {
    const text = JSON.stringify(openApi);
    const { schemas } = openApi['components'] as { schemas: Record<string, object> };
    for (const [, name = ''] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      assert.ok(Object.hasOwn(schemas, name), name);
    }
  });

  test('needs the sign-in, refuses other sites, and says what is not there', async () => {
    const path = `${hub.url}/api/v1/problems`;
    assert.equal((await fetch(path, { headers: { accept: 'application/json' } })).status, 401);
    const forged = { ...asAdmin, cookie: 'a=b', origin: 'https://evil.example' };
    const response = await fetch(`${path}/abc`, { method: 'PATCH', headers: forged });
    assert.equal(response.status, 403);
    assert.equal((await ask('GET', '/nothing')).body.code, 'not-found');
    assert.equal((await ask('GET', `/deliveries/${newId()}`)).status, 404);
    assert.equal((await ask('POST', '/deliveries/x/retry')).status, 404);
    assert.equal((await ask('GET', '/replays/x')).status, 404);
    assert.equal((await ask('GET', '/problems/x')).status, 404);
  });

  test('names the field that is wrong', async () => {
    const wrong: readonly [string, string, unknown, RegExp][] = [
      [
        'POST',
        '/replays',
        { query: { state: 'alive' } },
        /^query\.state: it must be one of dead, /,
      ],
      [
        'POST',
        '/replays',
        { query: { state: 'dead', sku: 1 } },
        /^query: there is no field sku; it knows state, flow/,
      ],
      [
        'POST',
        '/replays',
        { query: { state: 'dead' }, rate: 'fast' },
        /^rate: it must be a rate such as 20\/s/,
      ],
      [
        'POST',
        '/replays',
        { query: { state: 'dead', since: 'now' } },
        /^query\.since: it must be a time such as 2/,
      ],
      ['POST', '/replays', { query: { code: 'rejectd' } }, /did you mean "rejected"\?$/],
      ['POST', '/replays', [], /^the request: it must be a JSON object$/],
      ['PUT', '/pauses/connector/erp', { reason: 7 }, /^reason: it must be a JSON string$/],
      ['POST', '/replays', {}, /the request: it must have required property 'query'/],
      ['GET', '/deliveries?state=alive', undefined, /^state: /],
      ['GET', '/deliveries?limit=0', undefined, /^limit: it must be a whole number from 1 to 500$/],
      ['GET', '/problems?limit=501', undefined, /^limit: it must be a whole number from 1 to 500$/],
      ['GET', '/deliveries?limt=5', undefined, /there is no field limt; did you mean "limit"\?$/],
      ['GET', '/replays?before=x', undefined, /^before: it must be an id$/],
      ['PUT', '/pauses/connector/erp', { reson: 'x' }, /did you mean "reason"\?$/],
      ['PUT', '/pauses/connector/erp', { reason: '' }, /^reason: /],
    ];
    for (const [method, path, body, detail] of wrong) {
      const refused = await ask(method, path, body);
      assert.equal(refused.status, 400, path);
      assert.equal(refused.body.code, 'request-malformed');
      assert.match(refused.body.detail, detail);
    }
  });

  test('says that a body is no JSON, without quoting it', async () => {
    const headers = { ...asAdmin, 'content-type': 'application/json' };
    const url = `${hub.url}/api/v1/replays`;
    const response = await fetch(url, { method: 'POST', headers, body: '{"query": secret' });
    assert.equal(response.status, 400);
    const { detail } = (await response.json()) as { detail: string };
    assert.equal(detail, 'The body is not valid JSON.');
  });

  test('lists, shows and changes problems', async () => {
    await makeRecorded(journal, 3, (index) => deathOf(`no stock for ${index}`));
    const { body } = await ask('GET', '/problems?state=open&connector=erp&limit=5');
    const [problem] = body.problems;
    assert.deepEqual([problem.count, problem.message], [3, 'no stock for …']);
    const short = `/problems/${problem.fingerprint.slice(0, 12)}`;
    assert.equal((await ask('GET', short)).body.fingerprint, problem.fingerprint);
    const changed = await ask('PATCH', short, { state: 'acknowledged' });
    assert.deepEqual([changed.body.state, changed.body.changedBy], ['acknowledged', 'api']);
    assert.equal((await ask('PATCH', short, { state: 'gone' })).status, 400);
    const dead = await ask('GET', `/deliveries?problem=${problem.fingerprint}`);
    assert.equal(dead.body.deliveries.length, 3);
  });

  test('plans, runs, tells and cancels a replay', async () => {
    await makeRecorded(journal, 4, () => deathOf('no price'));
    const request = { query: { state: 'dead', text: 'no price' }, rate: '100/s', reason: 'mended' };
    const plan = await ask('POST', '/replays', request);
    assert.deepEqual([plan.body.replay.total, plan.body.sample.length], [4, 4]);
    const { id } = plan.body.replay;
    assert.equal((await ask('POST', `/replays/${id}/run`)).body.state, 'running');
    assert.equal((await ask('POST', `/replays/${id}/run`)).status, 409);
    const parts = { replays: journal.replays, lanes, routes: ports.now.routes, log: quietLog };
    await runReplays(parts, new AbortController().signal);
    const progress = await ask('GET', `/replays/${id}/progress`);
    assert.deepEqual([progress.body.states, progress.body.open], [{ pending: 4 }, 4]);
    assert.equal((await ask('POST', `/replays/${id}/cancel`)).body.state, 'cancelled');
    const listed = await ask('GET', '/replays?limit=1');
    assert.deepEqual([listed.body.replays[0].id, listed.body.next], [id, id]);
  });

  test('plans dead ones where nobody says which, and keeps no plan of nothing', async () => {
    await makeRecorded(journal, 2, () => deathOf('no currency'));
    const plan = await ask('POST', '/replays', { query: { text: 'no currency' } });
    assert.deepEqual([plan.status, plan.body.replay.query.state], [200, 'dead']);
    const listed = (await ask('GET', '/replays')).body.replays.length;
    const empty = await ask('POST', '/replays', { query: { text: 'no such text' } });
    assert.equal(empty.status, 200);
    assert.match(
      empty.body.nothing,
      /^Nothing fits the query \(text no such text, state dead\)\. To find more/,
    );
    assert.equal((await ask('GET', '/replays')).body.replays.length, listed);
    const unknown = await ask('POST', '/replays', { query: { flow: 'order-to-rep' } });
    assert.equal(unknown.status, 400);
    assert.match(unknown.body.detail, /did you mean "order-to-erp"/);
  });

  test('tells how each lane is, and what its file allows', async () => {
    const { status, body } = await ask('GET', '/lanes');
    const erp = body.lanes.find(({ lane }: { lane: string }) => lane === 'erp');
    assert.deepEqual([status, erp.state, erp.limits], [200, 'going', { concurrency: 4 }]);
    assert.deepEqual(erp.jobs, { waiting: 0, active: 0, delayed: 0 });
  });

  test('pauses a connector, a flow and an operation, lists them, and resumes them', async () => {
    const names = ['connector/erp', 'flow/order-to-erp', 'operation/erp.createOrder'];
    for (const name of names) {
      const paused = await ask('PUT', `/pauses/${name}`, { reason: 'maintenance' });
      const [scope, what] = name.split('/');
      assert.deepEqual(paused.body, { scope, name: what, paused: true, changed: true });
      assert.equal((await ask('PUT', `/pauses/${name}`)).body.changed, false);
    }
    const { body } = await ask('GET', '/pauses');
    const shown = body.pauses.map((pause: Record<string, string>) => [
      `${pause['scope']}/${pause['name']}`,
      pause['by'],
      pause['reason'],
    ]);
    assert.deepEqual(
      shown,
      names.map((name) => [name, 'api', 'maintenance']),
    );
    const [lane] = (await ask('GET', '/lanes')).body.lanes;
    assert.equal(lane.state, 'paused');
    const event = sampleEvent();
    await journal.append(event);
    const held = await ask('GET', `/deliveries/${event.deliveries[0]?.id}`);
    assert.equal(held.body.state, 'held');
    assert.match(held.body.story.todo, /^crossdock resume erp; it then goes on by itself/);
    assert.match(lane.reason, /^lane paused by api since .*: maintenance$/);
    for (const name of names) {
      assert.equal((await ask('DELETE', `/pauses/${name}`)).body.changed, true);
      assert.equal((await ask('DELETE', `/pauses/${name}`)).body.changed, false);
    }
    assert.deepEqual((await ask('GET', '/pauses')).body.pauses, []);
  });

  test('refuses to pause what no file has, and says what is near', async () => {
    const unknown = await ask('PUT', '/pauses/flow/order-to-rep');
    assert.deepEqual([unknown.status, unknown.body.code], [404, 'not-found']);
    assert.match(
      unknown.body.detail,
      /there is no flow "order-to-rep"; did you mean "order-to-erp"/,
    );
    const scope = await ask('PUT', '/pauses/lane/erp');
    assert.equal(scope.body.detail, 'only connector, flow, operation can be paused');
    assert.equal((await ask('DELETE', '/pauses/connector/erq')).status, 404);
    assert.equal((await ask('POST', '/pauses/connector/erp')).status, 404);
  });

  test('retries, cancels and replays a delivery, also with an edited body', async () => {
    const [id = ''] = await makeRecorded(journal, 1, () => deathOf('bad body'));
    const edited = await ask('POST', `/deliveries/${id}/replay`, { body: '{"id":2}' });
    const [made] = edited.body.made;
    const claimed = await journal.claim({ deliveryId: made, round: 0, leaseMs: 1_000 });
    assert.equal(claimed.kind, 'claimed');
    assert.equal(
      String((claimed as { claim: { event: { body: Buffer } } }).claim.event.body),
      '{"id":2}',
    );
    const { body: story } = await ask('GET', `/deliveries/${made}`);
    assert.match(story.history.changes[0].reason, /^replay of .*, with an edited body of 8 bytes$/);
    assert.equal(story.history.changes[0].by, 'api');
    assert.equal((await ask('POST', `/deliveries/${id}/retry`)).body.state, 'pending');
    assert.equal((await ask('POST', `/deliveries/${id}/cancel`)).body.state, 'cancelled');
    const again = await ask('POST', `/deliveries/${id}/replay`);
    assert.equal(again.body.made.length, 1);
  });

  test('an event that no flow took goes through the flows of today', async () => {
    const event = sampleEvent({ deliveries: [] });
    await journal.append(event);
    const original = await ask('POST', `/events/${event.id}/replay`, {});
    assert.equal(original.body.code, 'not-found');
    const current = await ask('POST', `/events/${event.id}/replay`, { revision: 'current' });
    assert.equal(current.body.made.length, 1);
    const made = await ask('GET', `/deliveries/${current.body.made[0]}`);
    assert.deepEqual([made.body.flow, made.body.revision], ['order-to-erp', 'r2']);
  });
});

function braced(path: string): string {
  return path.replace(/:(\w+)/g, '{$1}');
}
