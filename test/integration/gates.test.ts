import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createLaneGates } from '../../src/delivery/lane-gates.ts';
import type { AttemptRecord, Claim, Journal } from '../../src/journal/journal.ts';
import { sampleDelivery, sampleEvent } from '../support/sample-event.ts';
import { openTestJournal } from '../support/test-journal.ts';
import { quietLog } from '../support/test-journal-server.ts';
import { waitUntil } from '../support/wait-until.ts';

let journal: Journal;
let close: () => Promise<void>;

before(async () => {
  ({ journal, close } = await openTestJournal());
});
after(() => close());

const gateOf = async (connector: string) =>
  (await journal.listShutLanes()).find((one) => one.connector === connector);
const away = { code: 'connection-failed', reason: 'refused' };

test('one of many that open a breaker does it, and one of many probes', async () => {
  const opened = await Promise.all(
    [1, 2, 3].map(() => journal.openBreaker({ connector: 'a', ...away })),
  );
  assert.equal(opened.filter((at) => at instanceof Date).length, 1);
  const probed = await waitUntil('a probe is due', async () => {
    const taken = await Promise.all([1, 2, 3].map(() => journal.takeProbe('a')));
    return taken.includes(true) ? taken : undefined;
  });
  assert.equal(probed.filter(Boolean).length, 1);
  assert.equal((await journal.closeBreaker('a'))?.probes, 1);
  assert.equal(await journal.closeBreaker('a'), undefined);
  assert.equal(await gateOf('a'), undefined);
});

test('a breaker that opens again soon goes on with the pace of its probes', async () => {
  await journal.openBreaker({ connector: 'b', ...away });
  await waitUntil('a probe', async () => ((await journal.takeProbe('b')) ? true : undefined));
  await journal.closeBreaker('b');
  await journal.openBreaker({ connector: 'b', ...away });
  const { probes, probeInMs = 0 } = (await gateOf('b'))?.breaker ?? {};
  assert.equal(probes, 1);
  assert.ok(probeInMs > 1_000, `${probeInMs} ms`);
});

test('nothing is probed while a person holds the lane', async () => {
  await journal.openBreaker({ connector: 'c', ...away });
  await journal.pause({ scope: 'connector', name: 'c', by: 'a test' });
  await waitUntil('it would be due', async () =>
    (await gateOf('c'))?.breaker?.probeInMs === 0 ? true : undefined,
  );
  assert.equal(await journal.takeProbe('c'), false);
  // Whoever resumes it wants it tried now.
  assert.equal(await journal.resume({ scope: 'connector', name: 'c', by: 'a test' }), true);
  assert.equal(await gateOf('c'), undefined);
});

test('a rest only grows', async () => {
  await journal.rest({ connector: 'd', ms: 60_000, reason: 'long' });
  await journal.rest({ connector: 'd', ms: 1_000, reason: 'short' });
  const { rest } = (await gateOf('d')) ?? {};
  assert.equal(rest?.reason, 'long');
  assert.ok((rest?.forMs ?? 0) > 50_000);
});

test('what a pause sets aside comes back oldest first, also when the resume broke off', async () => {
  const events = Array.from({ length: 12 }, () =>
    sampleEvent({ deliveries: [sampleDelivery({ connector: 'e', flow: 'slow' })] }),
  );
  for (const event of events) await journal.append(event);
  const ids = events.flatMap(({ deliveries }) => deliveries.map(({ id }) => id));
  const claim = (deliveryId: string) => journal.claim({ deliveryId, round: 0, leaseMs: 60_000 });
  const pause = { scope: 'flow', name: 'slow' } as const;
  await journal.pause({ ...pause, by: 'a test' });
  const answers = await Promise.all(ids.map(claim));
  assert.ok(answers.every((one) => one.kind === 'gone' && one.state === 'held'));
  assert.deepEqual(await journal.releaseHeld({ limit: 500 }), []);
  await journal.resume({ ...pause, by: 'a test' });
  // Here the process that resumed it would end; the sweep waits a little, then goes on with it.
  assert.deepEqual(await journal.releaseHeld({ limit: 500, heldMs: 60_000 }), []);
  const first = await journal.releaseHeld({ limit: 5 });
  const rest = await journal.releaseHeld({ limit: 500 });
  assert.deepEqual(
    [...first, ...rest].map(({ deliveryId, round }) => [deliveryId, round]),
    ids.map((id) => [id, 1]),
  );
  assert.equal((await claim(ids[0] ?? '')).kind, 'gone');
});

test('what holds a delivery is told of its lane, its flow and its operation, also from before it', async () => {
  const of = { connector: 'n', flow: 'told', operation: 'create' };
  const flow = { scope: 'flow', name: 'told', by: 'anna' } as const;
  const lane = { scope: 'connector', name: 'n', by: 'tom' } as const;
  await journal.pause({ ...lane, reason: 'over already' });
  await journal.resume(lane);
  await journal.pause({ ...lane, reason: 'maintenance' });
  await journal.openBreaker({ connector: 'n', ...away });
  await journal.pause({ scope: 'flow', name: 'another', by: 'anna' });
  const begunMs = Date.now();
  await waitUntil('the clock goes on', () => (Date.now() > begunMs + 1 ? true : undefined));
  const since = new Date();
  await journal.pause(flow);
  const operation = { scope: 'operation', name: 'n.create', by: 'hub' } as const;
  await journal.pause({ ...operation, reason: 'gone' });
  await journal.resume(lane);
  await journal.resume(flow);
  await journal.resume({ ...operation, by: 'anna' });
  const told = await journal.listLaneChanges({ ...of, since });
  assert.deepEqual(
    told.map(({ at, to, by, of: what = 'lane' }) => [at < since, to, by, what]),
    [
      [true, 'paused', 'tom', 'lane'],
      [true, 'opened', 'hub', 'lane'],
      [false, 'paused', 'anna', 'flow:told'],
      [false, 'paused', 'hub', 'operation:n.create'],
      [false, 'resumed', 'tom', 'lane'],
      [false, 'resumed', 'anna', 'flow:told'],
      [false, 'resumed', 'anna', 'operation:n.create'],
    ],
  );
  assert.equal(told[0]?.reason, 'maintenance');
});

test('the sweep leaves the deliveries of shut lanes where they are', async () => {
  const [here, there] = ['f', 'g'].map((connector) =>
    sampleEvent({ deliveries: [sampleDelivery({ connector })] }),
  );
  assert.ok(here && there);
  await journal.append(here);
  await journal.append(there);
  const { due } = await journal.findOverdue({ graceMs: -1, limit: 500, without: ['f'] });
  const lanes = due.map(({ connector }) => connector);
  assert.ok(lanes.includes('g') && !lanes.includes('f'));
});

const attempt = { durationMs: 1, outcome: 'retry', ambiguous: false } as const;
const record = (fields: Partial<AttemptRecord>): AttemptRecord => ({
  deliveryId: 'd',
  fence: '1',
  state: 'retrying',
  attempt,
  ...fields,
});

async function withGates(
  work: (settle: (lane: string, fields: Partial<AttemptRecord>) => Promise<void>) => Promise<void>,
  told: string[] = [],
): Promise<void> {
  const gates = createLaneGates({
    gates: journal,
    lanes: { pause: async () => undefined, resume: async () => undefined },
    connectors: new Map(),
    log: quietLog,
    onOpened: (lane) => told.push(`opened ${lane}`),
    onClosed: (lane) => told.push(`closed ${lane}`),
    onDisabled: (operation) => told.push(`disabled ${operation}`),
  });
  const claim = {} as Claim;
  try {
    await work((lane, fields) => gates.onSettled({ lane, claim, record: record(fields) }));
  } finally {
    await gates.close();
  }
}

test('five failures in a row open the breaker, an answer between them does not count as one', async () => {
  const told: string[] = [];
  await withGates(async (settle) => {
    for (const turn of [1, 2, 3, 4]) await settle('h', { code: 'timed-out', reason: `${turn}` });
    await settle('h', { code: 'remote-error', attempt: { ...attempt, status: 503 } });
    for (const turn of [1, 2, 3, 4]) await settle('h', { code: 'timed-out', reason: `${turn}` });
    assert.equal(await gateOf('h'), undefined);
    await settle('h', { code: 'connection-failed', reason: 'refused' });
    assert.equal((await gateOf('h'))?.breaker?.reason, 'refused');
    // One that was under way comes through after all.
    await settle('h', { state: 'delivered', attempt: { ...attempt, outcome: 'delivered' } });
    assert.equal(await gateOf('h'), undefined);
  }, told);
  assert.deepEqual(told, ['opened h', 'closed h']);
});

test('refused credentials open it at once, and a refused message never', async () => {
  await withGates(async (settle) => {
    await settle('i', { state: 'dead', code: 'forbidden' });
    assert.equal(await gateOf('i'), undefined);
    await settle('i', { code: 'unauthorized', attempt: { ...attempt, spends: false } });
    assert.equal((await gateOf('i'))?.breaker?.code, 'unauthorized');
  });
});

test('a target rests for as long as it asks, and longer each time where it does not say', async () => {
  await withGates(async (settle) => {
    await settle('j', { code: 'rate-limited', restMs: 30_000 });
    const asked = (await gateOf('j'))?.rest?.forMs ?? 0;
    assert.ok(asked > 20_000 && asked <= 30_000, `${asked} ms`);
    await settle('k', { code: 'rate-limited', restMs: 86_400_000 });
    assert.ok(((await gateOf('k'))?.rest?.forMs ?? 0) <= 3_600_000);
    await settle('l', { code: 'rate-limited' });
    // Refused together with the first: that is one refusal.
    await settle('l', { code: 'rate-limited' });
    assert.ok(((await gateOf('l'))?.rest?.forMs ?? 0) <= 1_000);
    await waitUntil('it is over', async () => ((await gateOf('l')) ? undefined : true));
    await settle('l', { code: 'rate-limited' });
    assert.ok(((await gateOf('l'))?.rest?.forMs ?? 0) > 1_000);
  });
});

test('an operation that its target no longer has is paused once, by the hub', async () => {
  const told: string[] = [];
  const gone = { state: 'held', heldBy: 'operation:m.create', reason: 'status 410' } as const;
  await withGates(async (settle) => {
    await settle('m', gone);
    await settle('m', gone);
  }, told);
  assert.deepEqual(told, ['disabled m.create']);
  const pause = (await journal.listPauses()).find(({ scope }) => scope === 'operation');
  assert.deepEqual([pause?.by, pause?.reason], ['hub', 'status 410']);
});
