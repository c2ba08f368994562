// Problems: what a death is counted for, what a later success settles, and the turn that mends what
// a vanished process left between two steps. The record itself counts deaths (`deliver.ts`).

import type { AttemptRecord, Journal } from '../journal/journal.ts';
import type { DeathPlace, Problems, ProblemView } from '../journal/problems-port.ts';
import { HUB_SOURCE } from '../model/hub-events.ts';
import type { Log } from '../model/log.ts';
import { outcomeRules } from '../model/outcome-rules.ts';
import { type ProblemSighting, sightProblem } from '../model/problem-fingerprint.ts';
import type { Settled } from './deliver.ts';
import type { Turn } from './housekeeping.ts';

/** Dead deliveries that one statement looks at. */
const PAGE = 500;
/** Pages of uncounted deaths in one turn; the next goes on. */
const PAGES_PER_TURN_MAX = 20;
/** Whoever saw the problem opened has told of it by then. */
const ANNOUNCE_GRACE_MS = 10_000;

const TURN_EVERY_MS = 10_000;
const RETENTION_EVERY_MS = 3_600_000;

/** The problem of a delivery to `connector` that died; `source` is that of its event. */
export function sightDeath(
  connector: string,
  { code = 'hub-error', reason = code }: Pick<AttemptRecord, 'code' | 'reason'>,
  source?: string,
): ProblemSighting {
  const { class: failure } = outcomeRules[code];
  const cause = causeOf(code, reason);
  const isAlert = source === HUB_SOURCE;
  return sightProblem({ class: failure, code, connector, reason: cause, isAlert });
}

/** Whether the attempts or the time gave out says nothing about the cause. */
function causeOf(code: string, reason: string): string {
  if (code !== 'retries-exhausted') return reason;
  return reason.replace(/; (?:given up after \d+ attempts|its time is up)$/, '');
}

/**
 * Told of each problem that opened, for the first time or anew, until it resolves with true: somebody
 * was told. Comes again for a day.
 */
export type OnProblemOpened = (
  problem: ProblemView,
  deliveryId: string,
) => Promise<boolean> | boolean;

export interface ProblemWatch {
  /** For `onSettled` of deliver. */
  onSettled(settled: Settled): Promise<void>;
  /** For the housekeeping; in one process at a time. */
  readonly turns: readonly Turn[];
}

export function createProblemWatch(ports: {
  readonly journal: Pick<Journal, 'whileLeader'>;
  readonly problems: Problems;
  readonly log: Log;
  readonly retentionDays: number;
  readonly onProblemOpened?: OnProblemOpened;
}): ProblemWatch {
  const { journal, problems, log, onProblemOpened } = ports;
  let place: DeathPlace | undefined;

  const announce = async (
    problem: ProblemView,
    delivery = problem.sampleDelivery,
  ): Promise<void> => {
    if (onProblemOpened === undefined) return;
    if (await onProblemOpened(problem, delivery)) await problems.markAnnounced(problem);
  };

  const turn = async (leaving: AbortSignal): Promise<void> => {
    await countAll(problems, leaving);
    await problems.settleOutdated(PAGE);
    place = await problems.settleMissed({ limit: PAGE, after: place });
    await problems.resolveEmpty();
    if (onProblemOpened === undefined) return;
    for (const problem of await problems.listUnannounced(ANNOUNCE_GRACE_MS))
      await announce(problem);
  };

  return {
    async onSettled({ claim, record, openedProblem }) {
      try {
        const { problem, state } = record;
        if (state === 'delivered' && claim.replayOf !== undefined) {
          await problems.settleOlder(claim.deliveryId);
        } else if (openedProblem === true && problem !== undefined) {
          log.warn(
            { problem: problem.fingerprint, connector: problem.connector, code: problem.code },
            'a problem opened: deliveries die of it',
          );
          // Alerts of alerts would go round in a circle.
          if (claim.event.source === HUB_SOURCE) return;
          await announce(await problems.get(problem.fingerprint), claim.deliveryId);
        }
      } catch (error) {
        log.warn(
          { err: error, delivery: claim.deliveryId },
          'problems fall behind; a turn mends it',
        );
      }
    },
    turns: [
      {
        task: 'problems',
        everyMs: TURN_EVERY_MS,
        run: (leaving) => journal.whileLeader('problems', () => turn(leaving)),
      },
      {
        task: 'retention of problems',
        everyMs: RETENTION_EVERY_MS,
        run: () => problems.deleteOld(ports.retentionDays * 86_400_000),
      },
    ],
  };
}

async function countAll(problems: Problems, leaving: AbortSignal): Promise<void> {
  for (let page = 0; page < PAGES_PER_TURN_MAX && !leaving.aborted; page += 1) {
    const deaths = await problems.findUncounted(PAGE);
    await problems.count(
      deaths.map(({ deliveryId, connector, source, ...death }) => ({
        deliveryId,
        problem: sightDeath(connector, death, source),
      })),
    );
    if (deaths.length < PAGE) return;
  }
}
