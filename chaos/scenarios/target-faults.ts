// The outside system is away, slow, forgetful, or answers what it should not.

import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip as gzipCallback } from 'node:zlib';
import type { Finding } from '../checker.ts';
import { queryJournal } from '../journal-dump.ts';
import { createOrder, orderTopic } from '../orders.ts';
import { connectorFile, flowFile } from '../project.ts';
import type { Rig } from '../rig.ts';
import { oneDelivery, type Scenario, usualFlows } from '../scenario.ts';
import type { Story } from '../stories.ts';
import { type Behaviour, refuse } from '../target.ts';

const gzip = promisify(gzipCallback);

/** For a time, then as usual again. */
async function behaveFor(rig: Rig, ms: number, behaviour: Behaviour): Promise<void> {
  rig.erp.behave(behaviour);
  await sleep(ms);
  rig.erp.behave(undefined);
}

const targetDown: Scenario = {
  id: 'F16',
  title: 'the ERP refuses connections for 10 s',
  promise: "retried by the flow's schedule, drained on return; other lanes are not touched",
  lanes: ['redis', 'postgres'],
  soak: true,
  quick: true,
  alone: true,
  load: { ratePerSecond: 40, idleMs: 8_000 },
  rig: {
    files: () => ({
      'flows/order-to-erp.yaml': flowFile({
        topic: orderTopic,
        to: 'erp.createOrder',
        retry: 'first: 500ms, max: 5s, horizon: 1h',
      }),
    }),
  },
  expect: { neighbour: 'crm' },
  async fault(rig) {
    await rig.proxies.erp.set({ kind: 'refuse' });
    await sleep(10_000);
    await rig.proxies.erp.set({ kind: 'pass' });
  },
};

const CALL_MS_MAX = 4_000;

const targetDrips: Scenario = {
  id: 'F17',
  title: 'the ERP answers a byte every 300 ms and never ends',
  promise: "cut at the connector's timeout, tried again with the same key; neighbours flow",
  lanes: ['redis', 'postgres'],
  lanesAside: true,
  rig: oneDelivery,
  soak: true,
  fault: (rig) =>
    behaveFor(rig, 5_000, (call, response, earlier) => {
      if (earlier > 0) return true;
      call.worked = true;
      response.writeHead(200, { 'content-type': 'application/json' });
      const drip = setInterval(() => response.write(' '), 300);
      response.once('close', () => clearInterval(drip));
      return false;
    }),
  async check(rig) {
    const [row] = await queryJournal(
      rig.databaseUrl,
      'SELECT max(duration_ms)::int AS longest FROM attempts',
    );
    const longest = Number(row?.['longest']);
    if (longest < CALL_MS_MAX) return [];
    return [{ rule: 'cut', message: `a call took ${longest} ms, its timeout is 2 s`, ids: [] }];
  },
};

const RESETS = 40;

const answerLost: Scenario = {
  id: 'F18',
  title: `the ERP does the work and its answer is lost to a reset, ${RESETS} times`,
  promise: 'sent again with the same key and the same body; nothing else is repeated',
  lanes: ['redis', 'postgres'],
  lanesAside: true,
  rig: oneDelivery,
  soak: true,
  quick: true,
  async fault(rig) {
    await rig.proxies.erp.set({ kind: 'reset-after-request', times: RESETS });
    await sleep(3_000);
    await rig.proxies.erp.set({ kind: 'pass' });
  },
  check: (rig) =>
    rig.proxies.erp.resets > 0
      ? []
      : [{ rule: 'fault', message: 'no answer was turned into a reset', ids: [] }],
};

function wasRedirected({ calls }: Story): boolean {
  return calls.some(({ status = 0 }) => status >= 300 && status < 400);
}

const targetRedirects: Scenario = {
  id: 'F19',
  title: 'the ERP redirects to another host for 3 s (302, 307, 308)',
  promise: 'never followed: dead with the reason, and the other host sees nothing',
  lanes: ['redis'],
  rig: oneDelivery,
  quick: true,
  expect: {
    endings: (story) =>
      wasRedirected(story) ? [{ state: 'dead', code: 'redirected' }] : [{ state: 'delivered' }],
  },
  fault: (rig, random) =>
    behaveFor(rig, 3_000, (call, response) =>
      refuse(call, response, {
        status: random.pick([302, 307, 308]),
        headers: { location: `http://127.0.0.1:${rig.other.port}/createOrder` },
      }),
    ),
  check: (rig) =>
    rig.other.calls.length === 0
      ? []
      : [{ rule: 'redirect', message: 'a redirect was followed', ids: [] }],
};

const BOMB_BYTES = 100 * 1_024 * 1_024;
const GROWTH_MB_MAX = 150;

const targetBombs: Scenario = {
  id: 'F20',
  title: 'the ERP answers 100 MB of zeros in 100 kB of gzip, or without an end',
  promise: 'cut at 128 KiB and delivered by its status; memory stays as it was',
  lanes: ['redis'],
  rig: oneDelivery,
  soak: true,
  async fault(rig, random) {
    const bomb = await gzip(Buffer.alloc(BOMB_BYTES));
    const before = await largestMb(rig);
    let largest = before;
    const watch = setInterval(() => {
      void largestMb(rig).then((mb) => {
        largest = Math.max(largest, mb);
      });
    }, 200);
    await behaveFor(rig, 4_000, (call, response) => {
      call.worked = true;
      call.status = 200;
      if (random.next() < 0.5) {
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
        return false;
      }
      const chunk = Buffer.alloc(65_536);
      const pour = (): void => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', pour);
      pour();
      return false;
    });
    clearInterval(watch);
    rig.note(`the largest delivery process grew from ${before} to ${largest} MB`);
    growth.set(rig, largest - before);
  },
  check(rig): readonly Finding[] {
    const grown = growth.get(rig) ?? 0;
    if (grown < GROWTH_MB_MAX) return [];
    return [{ rule: 'memory', message: `a delivery process grew by ${grown} MB`, ids: [] }];
  },
};

const growth = new WeakMap<Rig, number>();

async function largestMb(rig: Rig): Promise<number> {
  const sizes = await Promise.all(
    rig.of('delivery').map(async ({ pid }) => {
      const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
      return Math.round(Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1_024);
    }),
  );
  return Math.max(...sizes);
}

const QUOTA_TOPIC = 'orders/cancelled';
const HOUR_MS = 3_600_000;
/** A job may come a blink early: its delay is counted on another clock than its due time. */
const EARLY_MS_MAX = 100;

interface Refusal {
  readonly key: string;
  readonly atMs: number;
  /** Until when the target asked to be left alone. */
  readonly untilMs: number;
}

const refusals = new WeakMap<Rig, Refusal[]>();

/** Who came back before the target wanted. */
function findEarly(rig: Rig): readonly Finding[] {
  const refused = refusals.get(rig) ?? [];
  if (refused.length === 0) {
    return [{ rule: 'fault', message: 'no call was asked to come later', ids: [] }];
  }
  const early = refused.filter(({ key, atMs, untilMs }) =>
    rig.erp.calls.some(
      (call) =>
        call.idempotencyKey === key && call.atMs > atMs && call.atMs < untilMs - EARLY_MS_MAX,
    ),
  );
  if (early.length === 0) return [];
  const message = 'called again before the time that Retry-After asks for';
  return [{ rule: 'manners', message, ids: early.map(({ key }) => key) }];
}

const targetLimits: Scenario = {
  id: 'F21',
  title:
    'the ERP answers 429 with Retry-After 2, as a date, -1 and nonsense; another asks for 30 years',
  promise: 'comes back when it was asked to, within an hour at the most; neighbours flow',
  lanes: ['redis', 'postgres'],
  rig: {
    ...oneDelivery,
    files: (ports) => ({
      'connectors/quota.yaml': connectorFile(ports.other, 'ask'),
      'flows/quota.yaml': flowFile({
        topic: QUOTA_TOPIC,
        to: 'quota.ask',
        map: 'order-to-crm',
        retry: 'first: 200ms, max: 2s, horizon: 30d',
      }),
    }),
  },
  expect: {
    flows: [
      ...usualFlows,
      {
        flow: 'quota',
        topic: QUOTA_TOPIC,
        target: 'other',
        body: (message) => usualFlows[1]?.body(message, undefined),
      },
    ],
    endings: ({ expected }) =>
      expected.flow === 'quota'
        ? [{ state: 'retrying' }, { state: 'pending' }, { state: 'held' }]
        : [{ state: 'delivered' }],
  },
  async fault(rig, random) {
    rig.other.behave((call, response) =>
      refuse(call, response, { status: 429, headers: { 'retry-after': '1000000000' } }),
    );
    await rig.producer.send(
      createOrder({ number: 500_000, key: 'quota', sequence: 1, topic: QUOTA_TOPIC }),
    );
    const refused: Refusal[] = [];
    refusals.set(rig, refused);
    await behaveFor(rig, 4_000, (call, response, earlier) => {
      if (earlier > 0 || random.next() < 0.5) return true;
      const inTwoSeconds = Date.now() + 2_000;
      const date = new Date(inTwoSeconds).toUTCString();
      const after = random.pick(['2', date, '-1', 'soon']);
      const asked = new Map([
        ['2', inTwoSeconds],
        [date, Date.parse(date)],
      ]);
      const untilMs = asked.get(after);
      if (untilMs !== undefined) {
        refused.push({ key: call.idempotencyKey, atMs: call.atMs, untilMs });
      }
      return refuse(call, response, { status: 429, headers: { 'retry-after': after } });
    });
  },
  async check(rig, { journal }) {
    const early = findEarly(rig);
    const late = journal.deliveries.filter(
      ({ flow, dueMs }) => flow === 'quota' && dueMs > Date.now() + HOUR_MS + 10_000,
    );
    if (late.length === 0) return early;
    const ids = late.map(({ id }) => id);
    return [...early, { rule: 'cap', message: 'parked for more than an hour', ids }];
  },
};

export const targetFaults: readonly Scenario[] = [
  targetDown,
  targetDrips,
  answerLost,
  targetRedirects,
  targetBombs,
  targetLimits,
];
