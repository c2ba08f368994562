import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { createBodyMemory, readBody } from '../../src/http/read-body.ts';
import { listen } from '../../src/http/server.ts';
import type { LaneSummary } from '../../src/journal/journal.ts';
import { isCrossdockError } from '../../src/model/errors.ts';
import { type HubParts, startHttp } from '../support/http-hub.ts';
import { waitUntil } from '../support/wait-until.ts';

const away = () => Promise.reject(new Error('away'));
const here = {
  journal: { ping: async () => ({ clockAheadMs: 0 }) },
  lanes: { ping: async () => undefined },
};

async function ask(parts: HubParts, path: string): Promise<{ status: number; text: string }> {
  const hub = await startHttp(parts);
  try {
    const response = await fetch(`${hub.url}${path}`);
    return { status: response.status, text: await response.text() };
  } finally {
    await hub.server.close(1_000);
  }
}

test('/healthz asks neither the journal nor the lanes', async () => {
  const { status, text } = await ask(
    { journal: { ping: away }, lanes: { ping: away } },
    '/healthz',
  );
  assert.equal(status, 200);
  assert.equal(text, '{"status":"ok"}');
});

test('/readyz says 200 where both answer', async () => {
  const { status, text } = await ask(here, '/readyz');
  assert.equal(status, 200);
  assert.deepEqual(JSON.parse(text), { status: 'ready', journal: 'ready', lanes: 'ready' });
});

test('/readyz stays 200 without the lanes, because messages are still taken', async () => {
  const { status, text } = await ask({ ...here, lanes: { ping: away } }, '/readyz');
  assert.equal(status, 200);
  assert.deepEqual(JSON.parse(text), {
    status: 'degraded',
    journal: 'ready',
    lanes: 'unavailable',
  });
});

test('/readyz says which clock is wrong, and stays 200', async () => {
  const clock = () => ({ aheadMs: -61_250, isRight: false });
  const { status, text } = await ask({ ...here, clock }, '/readyz');
  assert.equal(status, 200);
  assert.deepEqual(JSON.parse(text), {
    status: 'degraded',
    journal: 'ready',
    lanes: 'ready',
    reason: "this machine's clock is 61.3 s behind the database's: no jobs are taken here",
  });
});

test('/readyz is 503 without the journal, also when it never answers', async () => {
  const silent = () => new Promise<never>(() => undefined);
  for (const ping of [away, silent]) {
    const { status, text } = await ask({ ...here, journal: { ping } }, '/readyz');
    assert.equal(status, 503);
    assert.equal(JSON.parse(text).journal, 'unavailable');
  }
});

test('/readyz is 503 from the moment the hub is leaving', async () => {
  const { status, text } = await ask({ ...here, isClosing: () => true }, '/readyz');
  assert.equal(status, 503);
  assert.equal(JSON.parse(text).status, 'closing');
});

const summary: LaneSummary = {
  connector: 'erp',
  open: 7,
  dead: 2,
  oldestDueMs: 1_500,
  pausedBy: 'cli',
};
const shut = { connector: 'erp', pause: { at: new Date(), by: 'cli' } };

test('/metrics shows depth, age, dead and the lane, asked once for scrapes that come together', async (context) => {
  let asked = 0;
  const hub = await startHttp({
    journal: {
      summarizeLanes: async () => {
        asked += 1;
        return [summary];
      },
      listShutLanes: async () => [shut],
    },
    lanes: { count: async () => ({ waiting: 3, active: 1, delayed: 4, failed: 5 }) },
  });
  context.after(() => hub.server.close(1_000));
  const pages = await Promise.all(
    [1, 2, 3].map(async () => (await fetch(`${hub.url}/metrics`)).text()),
  );
  for (const page of pages) {
    assert.match(page, /crossdock_deliveries_open\{connector="erp"\} 7/);
    assert.match(page, /crossdock_deliveries_dead\{connector="erp"\} 2/);
    assert.match(page, /crossdock_oldest_due_seconds\{connector="erp"\} 1\.5/);
    assert.match(page, /crossdock_lane_paused\{connector="erp"\} 1/);
    assert.match(page, /crossdock_lane_jobs\{connector="erp",state="delayed"\} 4/);
    assert.match(page, /crossdock_up\{part="journal"\} 1/);
    assert.match(page, /process_resident_memory_bytes/);
  }
  assert.equal(asked, 1);
});

test('/metrics shows a lane that nothing was ever sent to as empty', async () => {
  const { text } = await ask(
    {
      laneNames: ['erp', 'idle'],
      journal: { summarizeLanes: async () => [summary], listShutLanes: async () => [shut] },
      lanes: { count: away },
    },
    '/metrics',
  );
  for (const gauge of ['deliveries_open', 'deliveries_dead', 'oldest_due_seconds', 'lane_paused']) {
    assert.ok(text.includes(`\ncrossdock_${gauge}{connector="idle"} 0\n`), gauge);
  }
  assert.match(text, /crossdock_deliveries_open\{connector="erp"\} 7/);
});

test('/metrics answers while the journal hangs, and says that it does', async () => {
  const { status, text } = await ask(
    {
      journal: {
        summarizeLanes: () => new Promise<never>(() => undefined),
        listShutLanes: async () => [],
      },
      lanes: { count: away },
    },
    '/metrics',
  );
  assert.equal(status, 200);
  assert.match(text, /crossdock_up\{part="journal"\} 0/);
  assert.match(text, /crossdock_up\{part="lanes"\} 0/);
  assert.doesNotMatch(text, /crossdock_deliveries_open\{/);
});

test('every measure that the house reports is on the page', async (context) => {
  const hub = await startHttp({
    journal: { summarizeLanes: away, listShutLanes: away },
    lanes: { count: away },
  });
  context.after(() => hub.server.close(1_000));
  const { meter } = hub.metrics;
  meter.duplicate('shop');
  meter.attempt('erp', 'delivered', 120);
  meter.attempt('erp', 'filtered');
  meter.mapping('mapped', 2);
  meter.batch('append', 12);
  meter.swept('erp', 3);
  const page = await (await fetch(`${hub.url}/metrics`)).text();
  assert.match(page, /crossdock_intake_duplicates_total\{source="shop"\} 1/);
  assert.match(page, /crossdock_deliveries_total\{connector="erp",outcome="delivered"\} 1/);
  assert.match(page, /crossdock_deliveries_total\{connector="erp",outcome="filtered"\} 1/);
  assert.match(page, /crossdock_attempt_duration_seconds_sum\{connector="erp"\} 0\.12/);
  assert.match(page, /crossdock_attempt_duration_seconds_count\{connector="erp"\} 1/);
  assert.match(page, /crossdock_mapping_duration_seconds_count\{kind="mapped"\} 1/);
  assert.match(page, /crossdock_journal_batch_size_sum\{kind="append"\} 12/);
  assert.match(page, /crossdock_swept_total\{connector="erp"\} 3/);
});

test('the front page links to the queues, and an unknown path is a 404 problem', async (context) => {
  const hub = await startHttp();
  context.after(() => hub.server.close(1_000));
  const front = await fetch(`${hub.url}/`);
  assert.match(await front.text(), /href="\/queues"/);
  assert.match(String(front.headers.get('content-security-policy')), /default-src 'none'/);
  const unknown = await fetch(`${hub.url}/wp-login.php`);
  assert.equal(unknown.status, 404);
  assert.match(String(unknown.headers.get('content-type')), /application\/problem\+json/);
});

test('a hub without intake has no webhooks', async (context) => {
  const delivery = await startHttp();
  context.after(() => delivery.server.close(1_000));
  const response = await fetch(`${delivery.url}/webhooks/shop`, { method: 'POST', body: '{}' });
  assert.equal(response.status, 404);
});

test('a port that is taken is named, with what to do', async (context) => {
  const hub = await startHttp();
  context.after(() => hub.server.close(1_000));
  const { port } = hub.server;
  await assert.rejects(
    listen(() => undefined, { host: '127.0.0.1', port }),
    (error) =>
      isCrossdockError(error, 'port-taken') &&
      error.message.includes(String(port)) &&
      error.message.includes('PORT'),
  );
});

test('closing lets a request under way finish and is not kept up by silent connections', async () => {
  let arrived: () => void = () => undefined;
  const started = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  let release: () => void = () => undefined;
  const server = await listen(
    (_request, response) => {
      release = () => response.end('done');
      arrived();
    },
    { host: '127.0.0.1', port: 0 },
  );
  const silent = connect(server.port, '127.0.0.1');
  await once(silent, 'connect');
  const underWay = fetch(server.url);
  await started;
  const startedMs = performance.now();
  const closed = server.close(10_000);
  release();
  assert.equal(await (await underWay).text(), 'done');
  await closed;
  assert.ok(performance.now() - startedMs < 5_000);
  silent.destroy();
});

test('closing cuts off what is still there after its grace', async () => {
  let arrived: () => void = () => undefined;
  const started = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const server = await listen(() => arrived(), { host: '127.0.0.1', port: 0 });
  const underWay = fetch(server.url);
  underWay.catch(() => undefined);
  await started;
  await server.close(50);
  await assert.rejects(underWay);
});

test('a body that dribbles is cut off with 408 when the time for a request is over', async (context) => {
  const memory = createBodyMemory(1_000_000);
  const kinds: string[] = [];
  const server = await listen(
    async (request) => {
      kinds.push((await readBody(request, 1_000, memory)).kind);
    },
    { host: '127.0.0.1', port: 0 },
    { headersTimeout: 200, requestTimeout: 300, connectionsCheckingInterval: 50 },
  );
  context.after(() => server.close(1_000));
  const socket = connect(server.port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => undefined);
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n');
  const dribble = setInterval(() => socket.write('x'), 50);
  const startedMs = performance.now();
  await new Promise((resolve) => socket.once('close', resolve));
  clearInterval(dribble);
  assert.ok(performance.now() - startedMs < 5_000);
  assert.match(Buffer.concat(chunks).toString(), /^HTTP\/1\.1 408 /);
  assert.equal(await waitUntil('the body is given up', () => kinds[0]), 'aborted');
});

test('a connection over the limit is closed at once, and taken again when another has left', async (context) => {
  const server = await listen(
    (_request, response) => response.end('here'),
    { host: '127.0.0.1', port: 0 },
    { maxConnections: 2 },
  );
  context.after(() => server.close(1_000));
  const open = async () => {
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  };
  const first = await open();
  const second = await open();
  const third = await open();
  await new Promise((resolve) => third.once('close', resolve).resume());
  assert.equal(third.bytesRead, 0);
  first.destroy();
  const text = await waitUntil('a connection is free', async () => {
    const response = await fetch(server.url).catch(() => undefined);
    return response?.text();
  });
  assert.equal(text, 'here');
  assert.equal(second.destroyed, false);
  second.destroy();
});
