// Replays by query, for the command line and the API: the plan with its warnings, then run, watch,
// cancel. The work itself is the runner's (`replay-runner.ts`), in the processes that deliver.

import type { Journal } from '../journal/journal.ts';
import type { Problems } from '../journal/problems-port.ts';
import type {
  ReplayMember,
  ReplayQuery,
  ReplayRevision,
  Replays,
  ReplayTarget,
  ReplayView,
} from '../journal/replays-port.ts';
import { type DeliveryState, openStates } from '../model/delivery.ts';
import { CrossdockError } from '../model/errors.ts';
import type { Rate } from '../model/units.ts';
import { checkCode, describeEmptyPlan, type EmptyPlan } from './empty-plan.ts';
import type { ProjectNow } from './replay-again.ts';
import { cancelAllWaiting } from './replay-runner.ts';
import { findWarnings } from './replay-warnings.ts';

/** Deliveries a second, where nobody says otherwise: what a small target bears beside its day. */
export const REPLAY_RATE_DEFAULT: Rate = { count: 20, perMs: 1_000 };
export const REPLAY_RATE_MAX_PER_SECOND = 1_000;
/** Members that a plan shows. */
const SAMPLE = 5;

export interface ReplayPlan {
  readonly replay: ReplayView;
  /** The first of the list. */
  readonly sample: readonly ReplayMember[];
}

export interface ReplayProgress {
  readonly replay: ReplayView;
  /** Of the deliveries that it made. */
  readonly states: Readonly<Partial<Record<DeliveryState, number>>>;
  /** Of those, how many still have to go somewhere. */
  readonly open: number;
  /** Nothing more will come of it. */
  readonly isOver: boolean;
  /** Made so far, a second; absent before the first. */
  readonly madePerSecond?: number;
  /** Until the last one is made, at its rate; absent where it does not run. */
  readonly leftMs?: number;
}

export interface ReplayRequest {
  readonly query: ReplayQuery;
  readonly revision: ReplayRevision;
  /** @default REPLAY_RATE_DEFAULT */
  readonly rate?: Rate;
  readonly by: string;
  readonly reason?: string;
  /** Without the files, the plan says less. Needed for `unrouted` and for the current revision. */
  readonly now?: ProjectNow;
}

export interface ReplayControls {
  /**
   * Rejects `usage` for what cannot be planned, also for a code, flow or connector that there is not,
   * and `not-found` for a problem that is not there.
   */
  plan(request: ReplayRequest): Promise<ReplayPlan | EmptyPlan>;
  /** Rejects `not-found` or `state-conflict`, as `cancel` and the others do. */
  run(id: string, by: string): Promise<ReplayView>;
  /** Makes no more, and cancels what waits. Deliveries under way come to their end. */
  cancel(id: string, by: string): Promise<ReplayView>;
  show(id: string): Promise<ReplayPlan>;
  watch(id: string): Promise<ReplayProgress>;
  list: Replays['list'];
}

export function createReplayControls(ports: {
  readonly journal: Pick<Journal, 'listPauses'>;
  readonly problems: Pick<Problems, 'get'>;
  readonly replays: Replays;
}): ReplayControls {
  const { journal, problems, replays } = ports;
  const show = async (id: string): Promise<ReplayPlan> => {
    const replay = await replays.get(id);
    return { replay, sample: await replays.findMembers({ replay, from: 0, limit: SAMPLE }) };
  };
  return {
    async plan(request) {
      checkRequest(request);
      const { problem } = request.query;
      const query =
        problem === undefined
          ? request.query
          : { ...request.query, problem: (await problems.get(problem)).fingerprint };
      const { count, perMs } = request.rate ?? REPLAY_RATE_DEFAULT;
      const perSecond = (count / perMs) * 1_000;
      const planned = await replays.plan({ ...request, query, perSecond });
      if (planned.total === 0) {
        return describeEmptyPlan({ ...request, query, leftOut: planned.leftOut, replays });
      }
      const paused = new Set(
        (await journal.listPauses())
          .filter(({ scope }) => scope === 'connector')
          .map(({ name }) => name),
      );
      const warnings = findWarnings({ ...request, query, planned, paused });
      const expectedMs = expectedDurationMs(planned.targets, perSecond, request.now);
      await replays.describe(planned.id, { expectedMs, warnings });
      return show(planned.id);
    },
    async run(id, by) {
      await replays.start(id, by);
      return replays.get(id);
    },
    async cancel(id, by) {
      await replays.cancel(id, by);
      // A hub does the same; without one this is all there is.
      await cancelAllWaiting(replays, id);
      await replays.endCancelled(id);
      return replays.get(id);
    },
    show,
    watch: async (id) => progressOf(await replays.get(id), await replays.countStates(id)),
    list: (query) => replays.list(query),
  };
}

function checkRequest({ query, revision, rate, now }: ReplayRequest): void {
  checkCode(query);
  if (query.state === 'unrouted' && revision !== 'current') {
    throw new CrossdockError('usage', 'events that no flow took have no original revision', {
      todo: 'Plan them with the current revision: --revision current.',
    });
  }
  if (query.state === 'unrouted' && (query.code ?? query.problem) !== undefined) {
    throw new CrossdockError('usage', 'events that no flow took have no code and no problem', {
      todo: 'Leave these out of the query.',
    });
  }
  if (revision === 'current' && now === undefined) {
    throw new CrossdockError('usage', 'the current revision needs the files of the project');
  }
  const perSecond = rate === undefined ? 1 : (rate.count / rate.perMs) * 1_000;
  if (perSecond <= REPLAY_RATE_MAX_PER_SECOND) return;
  const most = `${REPLAY_RATE_MAX_PER_SECOND}/s`;
  throw new CrossdockError('usage', `a replay makes at most ${most}`, {
    todo: `Choose a rate up to ${most}.`,
  });
}

/** At the chosen rate, or at the one that the slowest lane allows. */
function expectedDurationMs(
  targets: readonly ReplayTarget[],
  perSecond: number,
  now: ProjectNow | undefined,
): number {
  const total = targets.reduce((sum, { count }) => sum + count, 0);
  const counts = new Map<string, number>();
  for (const { connector, count } of targets) {
    if (connector !== undefined) counts.set(connector, (counts.get(connector) ?? 0) + count);
  }
  const laneMs = [...counts].map(([connector, count]) => {
    const rate = now?.definitions.connectors.get(connector)?.limits.rate;
    return rate === undefined ? 0 : (count * rate.perMs) / rate.count;
  });
  return Math.ceil(Math.max((total / perSecond) * 1_000, ...laneMs));
}

function progressOf(replay: ReplayView, states: ReplayProgress['states']): ReplayProgress {
  const open = openStates.reduce((sum, state) => sum + (states[state] ?? 0), 0);
  const { state, startedAt, endedAt, made, total, taken, perSecond } = replay;
  const runMs =
    startedAt === undefined ? 0 : (endedAt ?? new Date()).getTime() - startedAt.getTime();
  return {
    replay,
    states,
    open,
    isOver: state === 'cancelled' || (state === 'done' && open === 0),
    ...(made > 0 && runMs > 0 ? { madePerSecond: (made / runMs) * 1_000 } : {}),
    ...(state === 'running' ? { leftMs: ((total - taken) / perSecond) * 1_000 } : {}),
  };
}
