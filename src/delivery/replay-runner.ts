// Goes on with the replays by query that run: a chunk at a time, at their rate, over any number of
// processes. How far a run has come is in the journal, so whoever is there goes on with it.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Routes } from '../definitions/routes.ts';
import type { DueDelivery, Replayed } from '../journal/journal.ts';
import {
  REPLAY_CHUNK_MAX,
  type ReplayMember,
  type Replays,
  type ReplayView,
} from '../journal/replays-port.ts';
import type { Log } from '../model/log.ts';
import type { Lanes } from '../queue/lanes.ts';
import { laneJobOf } from './controls.ts';
import { routedJson } from './event-json.ts';
import type { Turn } from './housekeeping.ts';
import { replayedNow } from './replay-again.ts';

/** Lane jobs that may wait in a lane before a replay adds no more to it. */
export const LANE_BACKLOG_MAX = 50_000;
/** How soon a chunk follows another, at the earliest: also how fine the rate is. */
const CHUNK_EVERY_MS = 250;
const IDLE_MS = 2_000;
const RUNS_AT_ONCE_MAX = 4;
/** Members of one chunk whose bodies are loaded, to be routed anew. */
const ROUTED_CHUNK_MAX = 50;
/** After a lane was too far behind or away. */
const POSTPONED_MS = 5_000;
/** For deliveries of a cancelled run that are under way. */
const CANCELLING_MS = 2_000;
const CANCELLED_AT_ONCE = 500;
/**
 * Lane jobs of one add. Redis does nothing else meanwhile: 500 kept it for 100 ms on a machine with
 * work to do.
 */
const ADDED_AT_ONCE_MAX = 50;
const RETENTION_EVERY_MS = 3_600_000;

export interface ReplayRunnerPorts {
  readonly replays: Replays;
  readonly lanes: Pick<Lanes, 'add' | 'count'>;
  readonly routes: Routes;
  readonly log: Log;
  readonly retentionDays: number;
  /** @default LANE_BACKLOG_MAX */
  readonly laneBacklogMax?: number;
}

export interface ReplayRunner {
  /** For the housekeeping. */
  readonly turns: readonly Turn[];
  /** Ends; resolves when no chunk is under way. */
  close(): Promise<void>;
}

export function startReplayRunner(ports: ReplayRunnerPorts): ReplayRunner {
  const leaving = new AbortController();
  const { signal } = leaving;
  const running = repeat();

  async function repeat(): Promise<void> {
    for (;;) {
      const steps = await runReplays(ports, signal).catch((error: unknown) => {
        ports.log.warn({ err: error }, 'replays could not be looked for; the next turn does');
        return 0;
      });
      const waitMs = steps > 0 ? CHUNK_EVERY_MS : IDLE_MS;
      const waited = await sleep(waitMs, true, { signal, ref: false }).catch(() => false);
      if (!waited) return;
    }
  }

  return {
    turns: [
      {
        task: 'retention of replays',
        everyMs: RETENTION_EVERY_MS,
        run: () => ports.replays.deleteOld(ports.retentionDays * 86_400_000),
      },
    ],
    async close() {
      leaving.abort();
      await running;
    },
  };
}

type Ports = Omit<ReplayRunnerPorts, 'retentionDays'>;

/** One step of each run that is due; resolves with how many there were. */
export async function runReplays(ports: Ports, leaving: AbortSignal): Promise<number> {
  const due = await ports.replays.findDue(RUNS_AT_ONCE_MAX);
  for (const replay of due) {
    if (leaving.aborted) break;
    const step = replay.state === 'cancelling' ? cancelOne : makeOne;
    await step(ports, replay).catch((error: unknown) => {
      ports.log.warn({ err: error, replay: replay.id }, 'a replay could not go on; it tries again');
      return ports.replays.postpone(replay.id, POSTPONED_MS, 'the hub: its log says what failed');
    });
  }
  return due.length;
}

async function makeOne(ports: Ports, replay: ReplayView): Promise<void> {
  const { replays, lanes, log } = ports;
  const { id, taken } = replay;
  const isRouted = replay.revision === 'current';
  const limit = chunkSize(replay, isRouted ? ROUTED_CHUNK_MAX : REPLAY_CHUNK_MAX);
  const members = await replays.findMembers({ replay, from: taken, limit, bodies: isRouted });
  const { of, count } = isRouted
    ? await routeMembers(ports.routes, replay, { members, limit })
    : { of: members.flatMap(sameOf), count: limit };
  const waitingFor = await findObstacle(ports, of);
  if (waitingFor !== undefined) return replays.postpone(id, POSTPONED_MS, waitingFor);
  const due = await replays.makeChunk({ id, from: taken, count, of, by: replay.createdBy });
  // Another process was faster, or the run was cancelled.
  if (due === undefined || due.length === 0) return;
  await addInPieces(lanes, due).catch((error: unknown) => {
    log.warn({ err: error, replay: id, count: due.length }, 'lanes away; the sweep will schedule');
  });
}

async function addInPieces(
  lanes: ReplayRunnerPorts['lanes'],
  due: readonly DueDelivery[],
): Promise<void> {
  for (let from = 0; from < due.length; from += ADDED_AT_ONCE_MAX) {
    await lanes.add(due.slice(from, from + ADDED_AT_ONCE_MAX).map(laneJobOf));
  }
}

/** What goes out in a second, but for the last ones. */
function chunkSize({ perSecond, total, taken }: ReplayView, max: number): number {
  return Math.min(max, Math.max(1, Math.floor(perSecond)), total - taken);
}

/** A lane that is away or far behind gets no more: what waits there would only grow. */
async function findObstacle(
  { lanes, laneBacklogMax = LANE_BACKLOG_MAX }: Ports,
  of: readonly Replayed[],
): Promise<string | undefined> {
  for (const lane of new Set(of.map(({ connector }) => connector))) {
    const counts = await lanes.count(lane).catch(() => undefined);
    if (counts === undefined) return 'the lanes, which cannot be reached';
    const jobs = counts.waiting + counts.delayed;
    if (jobs >= laneBacklogMax) return `the lane of ${lane}, in which ${jobs} jobs wait`;
  }
  return undefined;
}

function sameOf(member: ReplayMember): readonly Replayed[] {
  const { deliveryId: id, eventId, flow, connector, operation, revision } = member;
  if (id === undefined || flow === undefined || connector === undefined) return [];
  if (operation === undefined || revision === undefined) return [];
  return [{ id, eventId, flow, connector, operation, revision }];
}

/** Up to the first member whose body did not fit into the page any more. */
async function routeMembers(
  routes: Routes,
  { query, taken }: ReplayView,
  { members, limit }: { readonly members: readonly ReplayMember[]; readonly limit: number },
): Promise<{ readonly of: readonly Replayed[]; readonly count: number }> {
  const of: Replayed[] = [];
  for (const member of members) {
    const { place, eventId, source, topic, shop, deliveryId, headers = {} } = member;
    if (member.body === undefined) return { of, count: place - taken };
    const body = await routedJson({ headers, body: member.body });
    const message = { eventId, source, topic, body, ...(shop === undefined ? {} : { shop }) };
    const only = deliveryId === undefined ? wantedOf(query) : { flow: member.flow ?? '' };
    const original = deliveryId === undefined ? {} : { original: deliveryId };
    of.push(...replayedNow(routes, message, { ...only, ...original }));
  }
  return { of, count: limit };
}

/** For events: which of today's flows the query asks for. */
function wantedOf({ flow, connector }: ReplayView['query']) {
  return {
    ...(flow === undefined ? {} : { flow }),
    ...(connector === undefined ? {} : { connector }),
  };
}

async function cancelOne({ replays }: Ports, { id }: ReplayView): Promise<void> {
  await cancelAllWaiting(replays, id);
  if (await replays.endCancelled(id)) return;
  await replays.postpone(id, CANCELLING_MS, 'deliveries that are under way');
}

/** All of a run's deliveries that wait, piece by piece. */
export async function cancelAllWaiting(replays: Replays, id: string): Promise<void> {
  let after: string | undefined;
  do {
    after = await replays.cancelWaiting({ id, limit: CANCELLED_AT_ONCE, after });
  } while (after !== undefined);
}
