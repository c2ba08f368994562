import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { type RunningCrossdock, runCrossdock, spawnCrossdock } from '../support/run-crossdock.ts';
import {
  acquireTestDatabase,
  type TestDatabase,
  temporaryFolder,
} from '../support/test-journal-server.ts';
import { waitUntil } from '../support/wait-until.ts';

const START_DEADLINE_MS = 30_000;

/** An ERP that gives out tokens, answers orders, and holds those that it is told to hold. */
const held: string[] = [];
const erp = createServer((request, response) => {
  if (request.url === '/token') {
    response.setHeader('content-type', 'application/json');
    response.end('{"access_token":"a-token","expires_in":3600}');
  } else if (holding) {
    held.push(request.url ?? '');
  } else {
    response.writeHead(201, { 'content-type': 'application/json' }).end('{"number":"SO-1"}');
  }
});
let holding = false;
let database: TestDatabase;
let dataFolder: string;
let env: Record<string, string>;
let hub: RunningHub;

interface RunningHub {
  readonly child: RunningCrossdock;
  readonly url: string;
  readonly signInUrl: string | undefined;
  /** All lines of stdout so far. */
  readonly lines: readonly string[];
}

async function startHub(): Promise<RunningHub> {
  const child = spawnCrossdock(['start', '--json'], { env });
  const lines: string[] = [];
  createInterface(child.stdout).on('line', (line) => lines.push(line));
  child.stderr.resume();
  const line = await waitUntil(
    'the hub listens',
    () => {
      if (child.exitCode !== null) throw new Error(`the hub has ended: ${lines.join('\n')}`);
      return lines.find((one) => one.includes('"boardUrl"'));
    },
    START_DEADLINE_MS,
  );
  const { url, signInUrl } = JSON.parse(line) as { url: string; signInUrl?: string };
  return { child, url, signInUrl, lines };
}

async function answerOf<T>(args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await runCrossdock([...args, '--json'], { env });
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as T;
}

before(async () => {
  erp.listen(0, '127.0.0.1');
  await once(erp, 'listening');
  const erpUrl = `http://127.0.0.1:${(erp.address() as AddressInfo).port}`;
  database = await acquireTestDatabase();
  dataFolder = await temporaryFolder();
  env = {
    DATABASE_URL: database.url,
    CROSSDOCK_DATA_DIR: dataFolder,
    PORT: '0',
    SHOP_SECRET: 'a-shop-secret',
    ERP_URL: erpUrl,
    ERP_TOKEN_URL: `${erpUrl}/token`,
    ERP_CLIENT: 'client',
    ERP_SECRET: 'an-erp-secret',
    SMTP_HOST: '127.0.0.1',
    SMTP_PORT: '1',
    MAIL_FROM: 'hub@shop.example',
  };
  hub = await startHub();
});

after(async () => {
  hub.child.kill('SIGKILL');
  erp.closeAllConnections();
  erp.close();
  await rm(dataFolder, { recursive: true, force: true });
  await waitUntil('the sessions of the killed hub end', () =>
    database.close().then(
      () => true,
      () => undefined,
    ),
  );
});

interface Sent {
  readonly sent: number;
  readonly duplicates: number;
  readonly refused: number;
  readonly answers: readonly { id: string; duplicate?: boolean }[];
}

interface Delivery {
  readonly id: string;
  readonly eventId: string;
  readonly state: string;
  readonly flow: string;
  readonly replayOf?: string;
}

test('start makes an admin token and shows it once, as a link', () => {
  assert.match(hub.signInUrl ?? '', /^http:\/\/127\.0\.0\.1:\d+\/sign-in#[\w-]{16,}$/);
  const token = hub.signInUrl?.split('#')[1] ?? '';
  assert.equal(hub.lines.filter((line) => line.includes(token)).length, 1);
});

test('a webhook that is sent is taken, delivered, and found again', async () => {
  const { answers, refused } = await answerOf<Sent>([
    'send',
    'shop',
    'orders/paid',
    '--url',
    hub.url,
  ]);
  assert.equal(refused, 0);
  const [eventId = ''] = answers.map(({ id }) => id);
  const delivery = await waitUntil('the order is delivered', async () => {
    const found = await answerOf<Delivery[]>(['deliveries', '--flow', 'order-to-erp']);
    return found.find((one) => one.eventId === eventId && one.state === 'delivered');
  });
  const events = await answerOf<{ id: string }[]>(['events', '--source', 'shop', '--limit', '5']);
  assert.ok(events.some(({ id }) => id === eventId));
  const event = await answerOf<{ body: string; deliveries: Delivery[] }>(['events', eventId]);
  assert.match(event.body, /"id": 8209829\d{11}/);
  assert.deepEqual(
    event.deliveries.map(({ id }) => id),
    [delivery.id],
  );
  const one = await answerOf<{ history: { attempts: { outcome: string }[] } }>([
    'deliveries',
    delivery.id,
  ]);
  assert.deepEqual(
    one.history.attempts.map(({ outcome }) => outcome),
    ['delivered'],
  );
  const { code, stdout } = await runCrossdock(['deliveries', 'show', delivery.id], { env });
  assert.equal(code, 0);
  assert.match(
    stdout,
    / {2}came in from shop as orders\/\S+ \(event \S+\), goes to erp\.\S+ by flow/,
  );
  assert.match(stdout, / {2}attempt 1: erp took it \(201\) after /);
  assert.match(stdout, /\nnow {19}delivered\n$/);
  const { story } = await answerOf<{ story: { now: string; lines: unknown[] } }>([
    'deliveries',
    'show',
    delivery.id,
  ]);
  assert.deepEqual([story.now, story.lines.length], ['delivered', 2]);
});

test('one message that is sent three times is one event', async () => {
  const args = ['send', 'shop', 'orders/paid', '--url', hub.url, '--id', 'm-3', '--count', '3'];
  const { sent, duplicates, answers } = await answerOf<Sent>(args);
  assert.deepEqual([sent, duplicates, new Set(answers.map(({ id }) => id)).size], [3, 2, 1]);
  assert.deepEqual(
    answers.map(({ duplicate }) => duplicate),
    [undefined, true, true],
  );
});

test('a replay is shown first, and makes a new delivery of the old event then', async () => {
  const [of] = await answerOf<Delivery[]>(['deliveries', '--flow', 'order-to-erp', '--limit', '1']);
  assert.ok(of);
  const dry = await answerOf<{ plan: Delivery[]; made: string[] }>(['replay', of.id, '--dry-run']);
  assert.deepEqual([dry.plan[0]?.id, dry.made], [of.id, []]);
  const { made } = await answerOf<{ made: string[] }>(['replay', of.id]);
  assert.equal(made.length, 1);
  const again = await answerOf<Delivery>(['deliveries', made[0] ?? '']);
  assert.deepEqual([again.replayOf, again.eventId], [of.id, of.eventId]);
});

test('a delivery that waits in a paused lane is listed as held, with who paused it', async () => {
  const turn = async (change: 'pause' | 'resume') => {
    const { status } = await fetch(`${hub.url}/queues/api/queues/erp/${change}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${hub.signInUrl?.split('#')[1]}` },
    });
    assert.ok(status < 300, `${change}: ${status}`);
  };
  await turn('pause');
  const args = ['send', 'shop', 'orders/paid', '--url', hub.url, '--id', 'm-paused'];
  const { answers } = await answerOf<Sent>(args);
  const waiting = (await answerOf<Delivery[]>(['deliveries'])).find(
    ({ eventId }) => eventId === answers[0]?.id,
  );
  assert.equal(waiting?.state, 'held');
  const { stdout } = await runCrossdock(['deliveries', waiting.id], { env });
  assert.match(stdout, /^state +held$/m);
  assert.match(stdout, /^why +lane paused by bull-board since /m);
  const { stdout: event } = await runCrossdock(['events', 'show', answers[0]?.id ?? ''], { env });
  assert.match(event, /\nwhat you can do:\n {2}order-to-erp {2}held {2}crossdock resume erp; /);
  await turn('resume');
  await waitUntil('it is delivered after all', async () => {
    const { state } = await answerOf<Delivery>(['deliveries', waiting.id]);
    return state === 'delivered' || undefined;
  });
});

test('what is not there exits 1', async () => {
  const { code, stderr } = await runCrossdock(['replay', '01a204c4-0000-7000-8000-000000000000'], {
    env,
  });
  assert.equal(code, 1);
  assert.match(stderr, /^crossdock: not-found: there is no event and no delivery 01a204c4-/);
});

test('a webhook that the hub refuses exits 1, and a hub that is not there exits 3', async () => {
  const other = { ...env, SHOP_SECRET: 'not-the-shops' };
  const args = ['send', 'shop', 'orders/paid', '--url'];
  const refused = await runCrossdock([...args, hub.url], { env: other });
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /^refused with 401: /);
  const away = await runCrossdock([...args, 'http://127.0.0.1:1'], { env });
  assert.equal(away.code, 3);
  assert.match(away.stderr, /^crossdock: hub-unreachable: /);
});

test('send needs the secrets of its own connector only', async () => {
  const { DATABASE_URL: _database, ERP_URL: _erp, SMTP_HOST: _host, ...few } = env;
  const args = ['send', 'shop', 'orders/paid', '--url', hub.url];
  assert.equal((await runCrossdock(args, { env: few })).code, 0);
  const { SHOP_SECRET: _secret, ...none } = few;
  const { code, stderr } = await runCrossdock(args, { env: none });
  assert.equal(code, 1);
  assert.match(stderr, /variable-unset the variable SHOP_SECRET/);
});

test('migrate has nothing to do after start, and doctor is content', async () => {
  assert.deepEqual(await answerOf<object>(['migrate']), { applied: [] });
  const { findings } = await answerOf<{ findings: { what: string; verdict: string }[] }>([
    'doctor',
  ]);
  assert.deepEqual(
    findings.filter(({ verdict }) => verdict === 'fail'),
    [],
  );
  const names = findings.map(({ what }) => what);
  for (const name of ['journal', 'durability', 'clock', 'lanes'])
    assert.ok(names.includes(name), name);
});

test('start with mistakes in the files tells each on its line and exits 1', async () => {
  const { code, stderr } = await runCrossdock(['start'], { env, project: 'broken' });
  assert.equal(code, 1);
  assert.match(stderr, /^connectors\/erp\.yaml:3:1 unknown-field /);
  assert.match(stderr, /\ncrossdock: definitions-invalid: 3 errors in .*\n$/);
});

test('a port that is taken exits 3 and says which', async () => {
  const { port } = new URL(hub.url);
  const { code, stderr } = await runCrossdock(['start'], { env: { ...env, PORT: port } });
  assert.equal(code, 3);
  assert.match(stderr, new RegExp(`crossdock: port-taken: port ${port} .*PORT`));
});

test('SIGTERM lets the hub leave with 0; a second one ends it at once with 143', async () => {
  hub.child.kill('SIGTERM');
  assert.deepEqual(await once(hub.child, 'exit'), [0, null]);
  hub = await startHub();
  assert.equal(hub.signInUrl, undefined, 'the token of the first start is kept');
  holding = true;
  const before = held.length;
  await answerOf<Sent>(['send', 'shop', 'orders/paid', '--url', hub.url]);
  await waitUntil('a call is under way', () => held.length > before || undefined);
  const exit = once(hub.child, 'exit');
  hub.child.kill('SIGTERM');
  await waitUntil('the hub is leaving', () => hub.lines.find((one) => one.includes('"leaving')));
  const startedMs = Date.now();
  hub.child.kill('SIGTERM');
  assert.deepEqual(await exit, [143, null]);
  assert.ok(Date.now() - startedMs < 2_000);
});
