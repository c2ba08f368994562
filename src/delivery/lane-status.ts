// How the lanes are, for people: what the journal says, what the lanes count, what the files allow.

import type { ShutLane } from '../journal/gates-port.ts';
import type { Journal, LaneSummary } from '../journal/journal.ts';
import { isCrossdockError } from '../model/errors.ts';
import type { Rate } from '../model/units.ts';
import type { LaneCounts, Lanes } from '../queue/lanes.ts';
import { shutWords } from './shown-state.ts';

/** What a connector's file allows. */
export interface LaneRules {
  readonly concurrency: number;
  readonly rate?: Rate;
  readonly fairBy?: string;
}

export interface LaneStatus {
  readonly lane: string;
  /** `going`, or the first of the things that hold it. */
  readonly state: 'going' | 'paused' | 'breaker-open' | 'resting';
  /** One sentence where it is not going. */
  readonly reason?: string;
  /** Deliveries that still have to go somewhere, and those that need a person. */
  readonly open: number;
  readonly dead: number;
  readonly oldestDueMs: number;
  /** Absent where the lanes cannot be asked. */
  readonly jobs?: Omit<LaneCounts, 'failed'>;
  /** Absent where no file has the connector. */
  readonly limits?: LaneRules;
}

/** Every lane of `rules`, and those that only the journal still knows. */
export async function describeLanes(ports: {
  readonly journal: Pick<Journal, 'listShutLanes' | 'summarizeLanes'>;
  readonly lanes: Pick<Lanes, 'count'>;
  readonly rules: ReadonlyMap<string, LaneRules>;
}): Promise<readonly LaneStatus[]> {
  const { journal, lanes, rules } = ports;
  const [shut, summaries] = await Promise.all([journal.listShutLanes(), journal.summarizeLanes()]);
  const gates = new Map(shut.map((gate) => [gate.connector, gate]));
  const sums = new Map(summaries.map((one) => [one.connector, one]));
  const names = [...new Set([...rules.keys(), ...sums.keys(), ...gates.keys()])].sort();
  return Promise.all(
    names.map(async (lane) =>
      statusOf(lane, {
        gate: gates.get(lane),
        summary: sums.get(lane),
        limits: rules.get(lane),
        counts: rules.has(lane) ? await countOrNothing(lanes, lane) : undefined,
      }),
    ),
  );
}

async function countOrNothing(
  lanes: Pick<Lanes, 'count'>,
  lane: string,
): Promise<LaneCounts | undefined> {
  try {
    return await lanes.count(lane);
  } catch (error) {
    if (isCrossdockError(error, 'lanes-unavailable')) return undefined;
    throw error;
  }
}

function statusOf(
  lane: string,
  parts: {
    readonly gate: ShutLane | undefined;
    readonly summary: LaneSummary | undefined;
    readonly limits: LaneRules | undefined;
    readonly counts: LaneCounts | undefined;
  },
): LaneStatus {
  const { gate, summary, limits, counts } = parts;
  return {
    lane,
    state: stateOf(gate),
    ...(gate === undefined ? {} : { reason: shutWords(gate) }),
    open: summary?.open ?? 0,
    dead: summary?.dead ?? 0,
    oldestDueMs: summary?.oldestDueMs ?? 0,
    ...(counts === undefined
      ? {}
      : { jobs: { waiting: counts.waiting, active: counts.active, delayed: counts.delayed } }),
    ...(limits === undefined ? {} : { limits }),
  };
}

function stateOf(gate: ShutLane | undefined): LaneStatus['state'] {
  if (gate === undefined) return 'going';
  if (gate.pause !== undefined) return 'paused';
  return gate.breaker === undefined ? 'resting' : 'breaker-open';
}
