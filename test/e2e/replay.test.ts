// A replay by query on the real program: an outage, a plan, a hub that is killed in the middle of it.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { type HttpTarget, startHttpTarget } from '../support/http-target.ts';
import { startHubProcess } from '../support/hub-process.ts';
import { runCrossdock } from '../support/run-crossdock.ts';
import { postWebhook, sendOrders } from '../support/shop-sender.ts';
import {
  acquireTestDatabase,
  query,
  type TestDatabase,
  temporaryFolder,
} from '../support/test-journal-server.ts';
import { createTestProject } from '../support/test-project.ts';
import { waitUntil } from '../support/wait-until.ts';

const ORDERS = 120;
const DEADLINE_MS = 90_000;

let isMended = false;
const taken = new Set<string>();
let target: HttpTarget;
let database: TestDatabase;
let env: Record<string, string>;
let project: { readonly folder: string; remove(): Promise<void> };

before(async () => {
  target = await startHttpTarget(({ headers }, response) => {
    if (!isMended) {
      response.writeHead(422).end('{"error":"no such price list"}');
      return;
    }
    taken.add(String(headers['idempotency-key']));
    response.writeHead(201, { 'content-type': 'application/json' }).end('{}');
  });
  project = await createTestProject({ erpUrl: target.url });
  database = await acquireTestDatabase();
  env = {
    DATABASE_URL: database.url,
    CROSSDOCK_DATA_DIR: await temporaryFolder(),
    SHOP_SECRET: 'shop-secret-of-the-tests',
    ERP_TOKEN: 'token-of-the-erp',
  };
});
after(async () => {
  await target.close();
  await project.remove();
  // The sessions of a killed hub end a moment after it.
  await waitUntil('the sessions end', () =>
    database.close().then(
      () => true,
      () => undefined,
    ),
  );
});

async function cli<T>(...args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await runCrossdock([...args, '--json'], {
    env,
    project: project.folder,
  });
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as T;
}

async function text(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runCrossdock(args, { env, project: project.folder });
  assert.equal(code, 0, stderr);
  return `${stdout}${stderr}`;
}

interface Progress {
  readonly replay: { readonly state: string; readonly made: number; readonly taken: number };
  readonly states: Readonly<Record<string, number>>;
  readonly isOver: boolean;
}

interface Problem {
  readonly fingerprint: string;
  readonly state: string;
  readonly dead: number;
  readonly count: number;
}

test('an outage is one problem; its replay survives a kill -9, makes each once, and resolves it', async () => {
  const variables = { ...env };
  let hub = await startHubProcess({ folder: project.folder, variables });
  try {
    await sendOrders({ hubUrl: () => hub.url, count: ORDERS });
    await waitUntil(
      'all are dead',
      async () => (await count('dead')) === ORDERS || undefined,
      DEADLINE_MS,
    );
    const [problem, ...others] = await cli<Problem[]>('problems');
    assert.ok(problem);
    assert.deepEqual([problem.dead, problem.count, others], [ORDERS, ORDERS, []]);
    const short = problem.fingerprint.slice(0, 12);
    assert.match(await text('problems', 'show', short), /dead +120 deliveries now, 120 deaths/);

    const plan = await text('replays', 'plan', '--problem', short, '--rate', '20/s');
    assert.match(plan, /finds +120 dead deliveries/);
    assert.match(plan, /takes +about 6 s at 20\/s/);
    assert.match(plan, /nothing was done; crossdock replays run [0-9a-f-]{36} runs it/);
    const [id = ''] = /[0-9a-f-]{36} runs it/.exec(plan)?.[0].split(' ') ?? [];

    isMended = true;
    await cli<Progress>('replays', 'run', id);
    await waitUntil(
      'some are made',
      async () => (await count('replay_run IS NOT NULL')) >= 20 || undefined,
      DEADLINE_MS,
    );
    await hub.end('SIGKILL');
    const madeBefore = await count('replay_run IS NOT NULL');
    assert.ok(madeBefore < ORDERS, 'the hub was killed in the middle');
    hub = await startHubProcess({ folder: project.folder, variables });

    const watched = await cli<Progress>('replays', 'watch', id);
    assert.deepEqual([watched.replay.state, watched.replay.made], ['done', ORDERS]);
    assert.deepEqual(watched.states, { delivered: ORDERS });
    const [counted] = await query(
      database.url,
      `SELECT count(*)::int AS made, count(DISTINCT replay_of)::int AS originals
       FROM deliveries WHERE replay_run = '${id}'`,
    );
    assert.deepEqual(counted, { made: ORDERS, originals: ORDERS });
    assert.equal(taken.size, ORDERS);

    const resolved = `EXISTS (SELECT 1 FROM problems WHERE state = 'resolved')`;
    await waitUntil(
      'the problem resolves by itself',
      async () => (await count(resolved)) > 0 || undefined,
      DEADLINE_MS,
    );
    const [old] = await cli<{ state: string }[]>('deliveries', '--state', 'superseded');
    assert.equal(old?.state, 'superseded');
  } finally {
    await hub.end('SIGTERM');
  }
});

/** Deliveries for which this holds. */
async function count(condition: string): Promise<number> {
  const rows = await query(
    database.url,
    `SELECT count(*)::int AS count FROM deliveries WHERE ${condition}`,
  );
  return Number(rows[0]?.['count']);
}

test('without a hub: a run says that nothing happens, and is cancelled all the same', async () => {
  const plan = await cli<{ replay: { id: string; total: number } }>(
    'replays',
    'plan',
    '--state',
    'delivered',
  );
  assert.equal(plan.replay.total, ORDERS);
  const { id } = plan.replay;
  assert.match(await text('replays', 'run', id), /no hub that delivers has taken it up/);
  assert.match(await text('replays', 'cancel', id), /state +cancelled/);
  assert.match(await text('replays', 'watch', id), /made +0 of 120/);
  assert.match(await text('replays'), /cancelled .* 0 +120 +state delivered/);
  const misspelt = ['replays', 'plan', '--flow', 'order-to-epr'];
  const refused = await runCrossdock(misspelt, { env, project: project.folder });
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /did you mean "order-to-erp"/);
});

test('with an edited body, and of an event that no flow took', async () => {
  const hub = await startHubProcess({ folder: project.folder, variables: { ...env } });
  try {
    const response = await postWebhook(hub.url, { body: '{"id":9001}', topic: 'orders/paid' });
    const { id } = (await response.json()) as { id: string };
    const file = `${project.folder}/edited.json`;
    await writeFile(file, '{"id":9002,"total_price":"1.00"}');
    const none = await runCrossdock(['replay', id], { env, project: project.folder });
    assert.equal(none.code, 1);
    assert.match(none.stderr, /Replay it by the current revision/);
    const [one] = await cli<{ id: string }[]>('deliveries', '--state', 'delivered', '--limit', '1');
    const args = ['--revision', 'current', '--body', file];
    const { made: ids } = await cli<{ made: string[] }>('replay', one?.id ?? '', ...args);
    await waitUntil('it is delivered', () =>
      target.received.some(({ body }) => body.includes('SHOP-9002')) ? true : undefined,
    );
    assert.match(await text('deliveries', ids[0] ?? ''), /with an edited body of 32 bytes/);
    const wrong = await runCrossdock(['replays', 'paln'], { env, project: project.folder });
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /did you mean "plan"/);
  } finally {
    await hub.end('SIGTERM');
  }
});
