// How long the hub may take to be itself again, and how much of a fault a neighbour may feel.

import type { Rule } from './checker.ts';

/** A neighbour's messages may take this many times as long as without the fault. */
export const NEIGHBOUR_TIMES_MAX = 2;
/**
 * A neighbour's p99 below this is never a finding: on a machine that does other things as well, two
 * windows without any fault differ by that much.
 */
export const NEIGHBOUR_FLOOR_MS = 150;
/**
 * The same under a large replay. At the highest rate the hub and PostgreSQL want both cores of a
 * small machine, and all wait for them: others have to go on, not to be as fast.
 */
export const LARGE_REPLAY_NEIGHBOUR_MS = 5_000;

const itRecovers: Rule = ({ figures, expectations }) => {
  const { recoveredMs } = figures;
  const { recoveryMsMax } = expectations;
  if (recoveredMs !== undefined && recoveredMs <= recoveryMsMax) return [];
  const message =
    recoveredMs === undefined
      ? 'not everything that was open, or nothing fresh, came to an end'
      : `recovered after ${recoveredMs} ms, more than ${recoveryMsMax}`;
  return [{ rule: 'recovery', message, ids: [] }];
};

const neighboursFeelLittle: Rule = ({ figures, expectations }) => {
  if (expectations.neighbour === undefined) return [];
  const { neighbourIdleP99Ms: idle, neighbourFaultP99Ms: during } = figures;
  if (idle === undefined || during === undefined) {
    return [{ rule: 'neighbour', message: 'the neighbour got too little to compare', ids: [] }];
  }
  const { neighbourFloorMs = NEIGHBOUR_FLOOR_MS } = expectations;
  const allowed = Math.max(neighbourFloorMs, idle * NEIGHBOUR_TIMES_MAX);
  if (during <= allowed) return [];
  const message = `the neighbour's p99 was ${during} ms during the fault, ${idle} ms before`;
  return [{ rule: 'neighbour', message, ids: [] }];
};

export const timeRules: readonly Rule[] = [itRecovers, neighboursFeelLittle];
