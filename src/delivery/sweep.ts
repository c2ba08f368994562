// The sweep: whatever the journal says is due and no lane holds gets a new lane job. It is what
// makes the lanes forgettable. One process at a time does it.

import type { DueDelivery, Journal } from '../journal/journal.ts';
import type { Log } from '../model/log.ts';
import type { Meter } from '../model/meter.ts';
import type { Lanes } from '../queue/lanes.ts';
import { laneJobOf } from './controls.ts';

export interface SweepPorts {
  readonly journal: Journal;
  readonly lanes: Lanes;
  /** The lanes whose pauses are kept to the journal's word. */
  readonly laneNames: readonly string[];
  readonly meter: Meter;
  readonly log: Log;
}

/** A delivery overdue by less than this is most likely on its way. */
const GRACE_MS = 5_000;
const PAGE = 500;
/** One turn looks at this many pages; the next goes on where it ended. */
const PAGES_PER_TURN_MAX = 40;

type Cursor = { readonly dueAt: string; readonly deliveryId: string };

/** Runs one turn; resolves with the number of deliveries that were put back. */
export function createSweep(ports: SweepPorts): (leaving: AbortSignal) => Promise<number> {
  let cursor: Cursor | undefined;

  const turnPage = async (): Promise<number> => {
    const page = { graceMs: GRACE_MS, limit: PAGE };
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
      await applyPauses(ports);
      let pages = 0;
      do {
        count += await turnPage();
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

/** A pause is the journal's: a lane that was emptied has forgotten it, or missed its end. */
async function applyPauses({ journal, lanes, laneNames }: SweepPorts): Promise<void> {
  const paused = new Set(await journal.listPausedLanes());
  for (const lane of laneNames) {
    const wanted = paused.has(lane);
    if ((await lanes.isPaused(lane)) === wanted) continue;
    await (wanted ? lanes.pause(lane) : lanes.resume(lane));
  }
}
