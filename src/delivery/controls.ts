// What people do to deliveries and lanes, from the CLI, the API or Bull Board. Each leaves its trace
// in the journal first; the lanes follow, and where they cannot the sweep mends it.

import type { DeliveryView, DueDelivery, Journal } from '../journal/journal.ts';
import { CrossdockError } from '../model/errors.ts';
import type { Log } from '../model/log.ts';
import type { LaneJob, Lanes } from '../queue/lanes.ts';

export interface Controls {
  /** Tries a dead or cancelled delivery again, now, with a fresh count of attempts. */
  retry(deliveryId: string, by: string): Promise<void>;
  /** Makes a waiting delivery due now. */
  promote(deliveryId: string, by: string): Promise<void>;
  /** Takes a delivery that waits or is dead out of the way for good. */
  cancel(deliveryId: string, by: string): Promise<void>;
  /** A new delivery of the same event through the same flow revision; resolves with its id. */
  replayDelivery(deliveryId: string, by: string): Promise<readonly string[]>;
  /** The same for every delivery the event first had. */
  replayEvent(eventId: string, by: string): Promise<readonly string[]>;
  /** Holds a lane until it is resumed, over restarts too. */
  pauseLane(connector: string, by: string): Promise<void>;
  resumeLane(connector: string, by: string): Promise<void>;
}

export function createControls(ports: {
  readonly journal: Journal;
  readonly lanes: Lanes;
  readonly log: Log;
}): Controls {
  const { journal, lanes, log } = ports;

  const schedule = async (due: readonly DueDelivery[]): Promise<void> => {
    try {
      await lanes.add(due.map(laneJobOf));
    } catch (error) {
      log.warn({ err: error, count: due.length }, 'lanes unavailable; the sweep will schedule');
    }
  };

  const replay = async (of: readonly DeliveryView[], by: string): Promise<readonly string[]> => {
    const due = await journal.replay({ of, by });
    await schedule(due);
    return due.map((delivery) => delivery.deliveryId);
  };

  const setPaused = async (connector: string, paused: boolean, by: string): Promise<void> => {
    await journal.setLanePaused({ connector, paused, by });
    try {
      await (paused ? lanes.pause(connector) : lanes.resume(connector));
    } catch (error) {
      log.warn({ err: error, connector }, 'lanes unavailable; the sweep will pause or resume it');
    }
  };

  return {
    async retry(deliveryId, by) {
      await schedule([await journal.reopen({ deliveryId, by })]);
    },
    async promote(deliveryId, by) {
      await schedule([await journal.promote({ deliveryId, by })]);
    },
    async cancel(deliveryId, by) {
      const { chain } = await journal.cancel({ deliveryId, by });
      if (chain !== undefined) await schedule(await journal.advance(chain));
    },
    async replayDelivery(deliveryId, by) {
      const delivery = await journal.getDelivery(deliveryId);
      if (delivery === undefined) {
        throw new CrossdockError('not-found', `there is no delivery ${deliveryId}`);
      }
      return replay([delivery], by);
    },
    async replayEvent(eventId, by) {
      const deliveries = await journal.listDeliveries({ eventId, limit: 500 });
      const first = deliveries.filter((delivery) => delivery.replayOf === undefined);
      if (first.length === 0) {
        throw new CrossdockError('not-found', `event ${eventId} has no deliveries to replay`);
      }
      return replay(first, by);
    },
    pauseLane: (connector, by) => setPaused(connector, true, by),
    resumeLane: (connector, by) => setPaused(connector, false, by),
  };
}

/** The lane job that stands for a due delivery. */
export function laneJobOf(due: DueDelivery): LaneJob {
  const { connector, ...rest } = due;
  return { lane: connector, ...rest };
}
