// Brings a lane to the journal's word: whatever shuts it (a person, its breaker, a rest), it is
// paused in the store of the lanes, and resumed when nothing does any more.

import type { Gates } from '../journal/gates-port.ts';
import type { Lanes } from '../queue/lanes.ts';

export interface GatePorts {
  readonly gates: Pick<Gates, 'listShutLanes'>;
  readonly lanes: Pick<Lanes, 'pause' | 'resume' | 'isPaused'>;
}

/** After a gate was changed: at once, without a look at how the lane is. */
export async function applyGate({ gates, lanes }: GatePorts, lane: string): Promise<void> {
  const shut = (await gates.listShutLanes()).some(({ connector }) => connector === lane);
  await setLanePaused(lanes, lane, shut);
}

/**
 * Looks at each lane and mends those that differ: a lane that was emptied has forgotten its pause,
 * or missed the end of one. Resolves with the lanes that are shut.
 */
export async function verifyGates(
  { gates, lanes }: GatePorts,
  laneNames: readonly string[],
): Promise<readonly string[]> {
  const shut = (await gates.listShutLanes()).map(({ connector }) => connector);
  for (const lane of laneNames) {
    const wanted = shut.includes(lane);
    if ((await lanes.isPaused(lane)) !== wanted) await setLanePaused(lanes, lane, wanted);
  }
  return shut;
}

export function setLanePaused(
  lanes: Pick<Lanes, 'pause' | 'resume'>,
  lane: string,
  paused: boolean,
): Promise<void> {
  return paused ? lanes.pause(lane) : lanes.resume(lane);
}
