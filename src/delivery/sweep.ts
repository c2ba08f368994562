// The sweep: whatever the journal says is due and no lane holds gets a new lane job. It is what
// makes the lanes forgettable, keeps them to their gates and limits, and frees what no pause holds
// any more. One process at a time does it.

import type { DueDelivery, Journal } from '../journal/journal.ts';
import type { Log } from '../model/log.ts';
import type { Meter } from '../model/meter.ts';
import type { Lanes } from '../queue/lanes.ts';
import { verifyGates } from './apply-gates.ts';
import { laneJobOf } from './controls.ts';

export interface SweepPorts {
  readonly journal: Journal;
  readonly lanes: Lanes;
  /** The lanes that are kept to the journal's word and to their limits. */
  readonly laneNames: readonly string[];
  readonly meter: Meter;
  readonly log: Log;
}

/** A delivery overdue by less than this is most likely on its way. */
const GRACE_MS = 5_000;
const PAGE = 500;
/** One turn looks at this many pages; the next goes on where it ended. */
const PAGES_PER_TURN_MAX = 40;
/** A pause is written just after what it holds: younger ones may still get theirs. */
const HELD_MS_MIN = 10_000;

type Cursor = { readonly dueAt: string; readonly deliveryId: string };

/** Runs one turn; resolves with the number of deliveries that were put back. */
export function createSweep(ports: SweepPorts): (leaving: AbortSignal) => Promise<number> {
  let cursor: Cursor | undefined;

  const turnPage = async (without: readonly string[]): Promise<number> => {
    const page = { graceMs: GRACE_MS, limit: PAGE, without };
    const { due, last } = await ports.journal.findOverdue(
      cursor === undefined ? page : { ...page, after: cursor },
    );
    const count = await putBack(ports, due);
    cursor = due.length < PAGE ? undefined : last;
    return count;
  };

  return async (leaving) => {
    let count = 0;
    await ports.journal.whileLeader('sweep', async () => {
      const shut = await keepLanes(ports);
      await releaseHeld(ports, leaving);
      let pages = 0;
      do {
        count += await turnPage(shut);
        pages += 1;
      } while (cursor !== undefined && pages < PAGES_PER_TURN_MAX && !leaving.aborted);
    });
    return count;
  };
}

async function putBack(ports: SweepPorts, due: readonly DueDelivery[]): Promise<number> {
  if (due.length === 0) return 0;
  const missing = await ports.lanes.findMissing(due.map(laneJobOf));
  if (missing.length === 0) return 0;
  const renewed = await ports.journal.renewRounds(missing.map((job) => job.deliveryId));
  await ports.lanes.add(renewed.map(laneJobOf));
  for (const connector of new Set(renewed.map((delivery) => delivery.connector))) {
    const count = renewed.filter((delivery) => delivery.connector === connector).length;
    ports.meter.swept(connector, count);
    ports.log.info({ connector, count }, 'swept back into their lane');
  }
  return renewed.length;
}

/** Lanes that were emptied have forgotten their pause and their limit. */
async function keepLanes({ journal, lanes, laneNames }: SweepPorts): Promise<readonly string[]> {
  const shut = await verifyGates({ gates: journal, lanes }, laneNames);
  for (const lane of laneNames) await lanes.keepLimit(lane);
  return shut;
}

/** Whoever resumed it did not come to the end, or a claim set it aside in the same moment. */
async function releaseHeld({ journal, lanes }: SweepPorts, leaving: AbortSignal): Promise<void> {
  for (let pages = 0; pages < PAGES_PER_TURN_MAX && !leaving.aborted; pages += 1) {
    const released = await journal.releaseHeld({ limit: PAGE, heldMs: HELD_MS_MIN });
    await lanes.add(released.map(laneJobOf));
    if (released.length < PAGE) return;
  }
}
