// How full the lanes are, asked of the journal and the lanes when Prometheus comes by.

import { Gauge, type Registry } from 'prom-client';
import type { ShutLane } from '../journal/gates-port.ts';
import type { Journal, LaneSummary } from '../journal/journal.ts';
import { within } from '../model/within.ts';
import type { LaneCounts, Lanes } from '../queue/lanes.ts';

/** A scrape waits no longer than this for either of the two. */
const ASK_DEADLINE_MS = 1_000;
/** Scrapers that come together, or anyone else, cost one question in this time. */
const ASK_EVERY_MS = 5_000;

export interface LaneGauges {
  /** Never rejects: what cannot be asked is missing from the page, and `crossdock_up` says so. */
  refresh(): Promise<void>;
}

export function createLaneGauges(ports: {
  readonly registry: Registry;
  readonly journal: Pick<Journal, 'summarizeLanes' | 'listShutLanes'>;
  readonly lanes: Pick<Lanes, 'count'>;
  readonly laneNames: readonly string[];
}): LaneGauges {
  const up = new Gauge({
    name: 'crossdock_up',
    help: '1 where the part answered the last question, else 0.',
    labelNames: ['part'],
    registers: [ports.registry],
  });
  const ask = async (part: string, question: () => Promise<void>): Promise<void> => {
    const answered = await within(question(), ASK_DEADLINE_MS, () => new Error('no answer')).then(
      () => 1,
      () => 0,
    );
    up.set({ part }, answered);
  };
  const askJournal = journalGauges(ports);
  const askLanes = laneGauges(ports);
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let asking: Promise<unknown> = Promise.resolve();

  return {
    async refresh() {
      if (performance.now() - askedAtMs >= ASK_EVERY_MS) {
        askedAtMs = performance.now();
        asking = Promise.all([ask('journal', askJournal), ask('lanes', askLanes)]);
      }
      await asking;
    },
  };
}

function journalGauges(ports: {
  readonly registry: Registry;
  readonly journal: Pick<Journal, 'summarizeLanes' | 'listShutLanes'>;
  readonly laneNames: readonly string[];
}): () => Promise<void> {
  const gauge = (name: string, help: string) =>
    new Gauge({ name, help, labelNames: ['connector'], registers: [ports.registry] });
  const open = gauge('crossdock_deliveries_open', 'Deliveries that still have to go somewhere.');
  const dead = gauge('crossdock_deliveries_dead', 'Deliveries that need a person.');
  const oldest = gauge('crossdock_oldest_due_seconds', 'How long the oldest has been due.');
  const paused = gauge('crossdock_lane_paused', '1 where a person holds the lane.');
  const breaker = gauge('crossdock_lane_breaker_open', '1 while the target cannot be reached.');
  const resting = gauge('crossdock_lane_resting', '1 while the target asked for a rest.');
  const all = [open, dead, oldest, paused, breaker, resting];
  const { journal, laneNames } = ports;

  const showSummary = (lane: LaneSummary): void => {
    const labels = { connector: lane.connector };
    open.set(labels, lane.open);
    dead.set(labels, lane.dead);
    oldest.set(labels, lane.oldestDueMs / 1_000);
  };
  const showGate = (lane: ShutLane): void => {
    const labels = { connector: lane.connector };
    paused.set(labels, Number(lane.pause !== undefined));
    breaker.set(labels, Number(lane.breaker !== undefined));
    resting.set(labels, Number(lane.rest !== undefined));
  };

  return async () => {
    for (const one of all) one.reset();
    const [lanes, shut] = await Promise.all([journal.summarizeLanes(), journal.listShutLanes()]);
    // The journal knows only lanes that have something in them, or that something holds.
    for (const connector of laneNames) for (const one of all) one.set({ connector }, 0);
    lanes.forEach(showSummary);
    shut.forEach(showGate);
  };
}

function laneGauges(ports: {
  readonly registry: Registry;
  readonly lanes: Pick<Lanes, 'count'>;
  readonly laneNames: readonly string[];
}): () => Promise<void> {
  const jobs = new Gauge({
    name: 'crossdock_lane_jobs',
    help: 'Jobs in the lane, as the queue counts them.',
    labelNames: ['connector', 'state'],
    registers: [ports.registry],
  });
  return async () => {
    jobs.reset();
    const { laneNames, lanes } = ports;
    const counts = await Promise.all(laneNames.map((lane) => lanes.count(lane)));
    const states: readonly (keyof LaneCounts)[] = ['waiting', 'active', 'delayed', 'failed'];
    counts.forEach((count, index) => {
      const connector = laneNames[index] ?? '';
      for (const state of states) jobs.set({ connector, state }, count[state]);
    });
  };
}
