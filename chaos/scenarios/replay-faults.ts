// A replay of as many deliveries as a bad day leaves dead, while the shop goes on.

import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from '../../test/support/wait-until.ts';
import {
  copyAsDead,
  judgeReplay,
  type ReplayTally,
  readReplayed,
  removeCopies,
  tallyReplay,
} from '../bulk.ts';
import type { Finding } from '../checker.ts';
import { askHub } from '../hub-api.ts';
import { queryJournal } from '../journal-dump.ts';
import { createOrder } from '../orders.ts';
import { type RedisSight, watchRedis } from '../redis-watch.ts';
import type { Rig } from '../rig.ts';
import { LARGE_REPLAY_NEIGHBOUR_MS } from '../rules-times.ts';
import type { Scenario } from '../scenario.ts';

const FLOW = 'order-to-erp';
const SAMPLES = 5;
/** The most that a replay may ask for. */
const RATE = '1000/s';
/** Nothing in Redis may keep others for longer. */
const STALL_MS_MAX = 50;
/** With the lane resumed, before it is cancelled. */
const DELIVERED_MIN = 500;
const STEP_MS_MAX = 240_000;
const POLL_MS = 300;

const PROMISE = 'each is made once; intake and other lanes go on';

interface Seen {
  readonly tally: ReplayTally;
  readonly redis?: RedisSight;
}

const seen = new WeakMap<Rig, Seen>();

function largeReplay(count: number, where: Pick<Scenario, 'lanes' | 'quick'>): Scenario {
  const shown = count.toLocaleString('en-US');
  return {
    id: 'F41',
    variant: shown,
    title: `a replay of ${shown} dead deliveries at ${RATE} into a paused lane, which is then resumed; the replay is cancelled half way`,
    promise: where.lanes.includes('redis')
      ? `no command keeps Redis for more than ${STALL_MS_MAX} ms; ${PROMISE}`
      : PROMISE,
    ...where,
    once: true,
    alone: true,
    load: { idleMs: 3_000, faultMessagesMax: 10_000 },
    expect: { neighbour: 'crm', neighbourFloorMs: LARGE_REPLAY_NEIGHBOUR_MS },
    async prepare(rig) {
      await deliverSamples(rig);
      await copyAsDead(rig.databaseUrl, FLOW, count);
      rig.note(`${count} dead deliveries`);
    },
    async fault(rig) {
      const watch = rig.redis === undefined ? undefined : await watchRedis(rig.redis, STALL_MS_MAX);
      const run = await replayAndCancel(rig);
      const redis = await watch?.end();
      const tally = await takeTally(rig, run);
      await removeCopies(rig.databaseUrl);
      seen.set(rig, { tally, ...(redis === undefined ? {} : { redis }) });
    },
    measured: (rig) => measuredOf(seen.get(rig)),
    check: (rig) => judgeLargeReplay(seen.get(rig)),
  };
}

async function deliverSamples(rig: Rig): Promise<void> {
  for (let number = 0; number < SAMPLES; number += 1) {
    const draft = createOrder({ number: 800_000 + number, key: `sample-${number}`, sequence: 1 });
    await rig.producer.send(draft);
  }
  await waitUntil('the samples are delivered', async () => {
    const [row] = await queryJournal(
      rig.databaseUrl,
      `SELECT count(*)::int AS n FROM deliveries WHERE flow = '${FLOW}' AND state = 'delivered'`,
    );
    return row?.['n'] === SAMPLES ? true : undefined;
  });
}

/**
 * Resolves with the run's id when it is over. Jobs of what was cancelled may still be in the lane:
 * a call that one of them makes is a finding.
 */
async function replayAndCancel(rig: Rig): Promise<string> {
  await askHub(rig, 'PUT /pauses/connector/erp', { reason: 'until the replay waits in its lane' });
  const { replay } = await askHub(rig, 'POST /replays', {
    query: { state: 'dead', flow: FLOW },
    rate: RATE,
  });
  const run = (replay as { readonly id: string }).id;
  rig.note('planned');
  await askHub(rig, `POST /replays/${run}/run`);
  await waitFor(rig, run, ({ state, waitingFor }) => state === 'done' || waitingFor !== undefined);
  await askHub(rig, 'DELETE /pauses/connector/erp');
  await waitFor(rig, run, ({ delivered }) => delivered >= DELIVERED_MIN);
  await askHub(rig, `POST /replays/${run}/cancel`);
  await waitFor(rig, run, ({ state, open }) => state === 'cancelled' && open === 0);
  return run;
}

interface Progress {
  readonly state: string;
  readonly waitingFor?: string;
  readonly made: number;
  readonly open: number;
  readonly delivered: number;
}

async function waitFor(
  rig: Rig,
  run: string,
  isReached: (progress: Progress) => boolean,
): Promise<void> {
  const look = async (): Promise<true | undefined> => {
    await sleep(POLL_MS);
    const answer = await askHub(rig, `GET /replays/${run}/progress`);
    const { delivered = 0 } = answer['states'] as Readonly<Record<string, number>>;
    const open = Number(answer['open']);
    const progress = { ...(answer['replay'] as Progress), open, delivered };
    if (!isReached(progress)) return undefined;
    const { state, made, waitingFor = 'nothing' } = progress;
    rig.note(`the replay is ${state}: ${made} made, ${open} open, waits for ${waitingFor}`);
    return true;
  };
  await waitUntil('the replay goes on', look, STEP_MS_MAX);
}

async function takeTally(rig: Rig, run: string): Promise<ReplayTally> {
  const { replay } = await askHub(rig, `GET /replays/${run}`);
  const rows = await readReplayed(rig.databaseUrl, run);
  const sent = new Set(rig.producer.sent.flatMap(({ tries }) => tries.map((one) => one.eventId)));
  const isOther = (key: string): boolean => !sent.has(key.split(':')[0]);
  const calls = rig.erp.take(({ idempotencyKey }) => isOther(idempotencyKey));
  return tallyReplay(replay as { taken: number; made: number }, rows, calls);
}

function judgeLargeReplay(one: Seen | undefined): readonly Finding[] {
  if (one === undefined) return [{ rule: 'fault', message: 'the replay never ended', ids: [] }];
  const { tally, redis } = one;
  const slow = redis?.slow ?? [];
  return [
    ...judgeReplay(tally),
    ...(slow.length === 0
      ? []
      : [
          {
            rule: 'stall',
            message: `${slow.length} commands kept Redis for more than ${STALL_MS_MAX} ms`,
            ids: slow.slice(0, 5).map(({ what, tookMs }) => `${tookMs} ms: ${what}`),
          },
        ]),
  ];
}

function measuredOf(one: Seen | undefined): Readonly<Record<string, string>> {
  if (one === undefined) return {};
  const { tally, redis } = one;
  const told = { replayed: `${tally.made} made, ${tally.delivered} of them delivered` };
  if (redis === undefined) return told;
  const { slow, pings, pingP99Ms, pingMaxMs, ranMs, waitedMs, isFirst } = redis;
  const processor =
    ranMs === undefined ? '' : `; it ran for ${ranMs} ms and waited ${waitedMs} ms for a processor`;
  return {
    ...told,
    [`commands over ${STALL_MS_MAX} ms`]: `${slow.length}, by SLOWLOG`,
    'PING of Redis': `p99 ${pingP99Ms} ms, longest ${pingMaxMs} ms, of ${pings}${processor}`,
    ...(isFirst ? {} : { priority: 'Redis could not be put first: that takes root' }),
  };
}

export const replayFaults: readonly Scenario[] = [
  largeReplay(100_000, { lanes: ['redis'] }),
  largeReplay(10_000, { lanes: ['postgres'] }),
  largeReplay(5_000, { lanes: ['redis'], quick: 'only' }),
];
