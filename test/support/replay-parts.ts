// Plans and runs of replays over a journal of a test, with today's flows as the test says.

import type { Definitions } from '../../src/definitions/definitions.ts';
import { createRoutes } from '../../src/definitions/routes.ts';
import type { EmptyPlan } from '../../src/delivery/empty-plan.ts';
import type { ProjectNow } from '../../src/delivery/replay-again.ts';
import {
  createReplayControls,
  type ReplayControls,
  type ReplayPlan,
  type ReplayRequest,
} from '../../src/delivery/replays.ts';
import type { PostgresJournal } from '../../src/journal/postgres-journal.ts';
import type { ReplayQuery } from '../../src/journal/replays-port.ts';
import type { LaneJob, Lanes } from '../../src/queue/lanes.ts';

/** One flow: orders of the shop to the ERP, by the revision `r2`. */
export function projectNow(flow = 'order-to-erp'): ProjectNow {
  const revision = {
    hash: 'r2',
    flow,
    connector: 'erp',
    operation: 'create',
    program: {},
    retry: { attempts: 3, firstMs: 1, maxMs: 1, horizonMs: 1 },
  };
  const from = { connector: 'shop', topics: ['orders/create'] };
  const definitions: Definitions = {
    folder: '/nowhere',
    connectors: new Map(),
    flows: new Map([[flow, { id: flow, from, revision }]]),
  };
  return { definitions, routes: createRoutes(definitions) };
}

export function controlsOf(journal: PostgresJournal): ReplayControls {
  const { problems, replays } = journal;
  return createReplayControls({ journal, problems, replays });
}

/** Lanes that keep what is added. */
export function keepingLanes(waiting = 0): Pick<Lanes, 'add' | 'count'> & {
  readonly jobs: readonly LaneJob[];
} {
  const jobs: LaneJob[] = [];
  return {
    jobs,
    async add(some) {
      jobs.push(...some);
    },
    count: async () => ({ waiting, active: 0, delayed: 0, failed: 0 }),
  };
}

/** As fast as a replay may go. */
const fast = { count: 1_000, perMs: 1_000 };

/** A plan that is to find something. */
export async function planOf(
  journal: PostgresJournal,
  query: Partial<ReplayQuery>,
  more: Partial<ReplayRequest> = {},
): Promise<ReplayPlan> {
  const plan = await askForPlan(journal, query, more);
  if ('nothing' in plan) throw new Error(plan.nothing);
  return plan;
}

export function askForPlan(
  journal: PostgresJournal,
  query: Partial<ReplayQuery>,
  more: Partial<ReplayRequest> = {},
): Promise<ReplayPlan | EmptyPlan> {
  return controlsOf(journal).plan({
    query: { state: 'dead', ...query },
    revision: 'original',
    rate: fast,
    by: 'a test',
    now: projectNow(),
    ...more,
  });
}
