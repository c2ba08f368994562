// What people do to deliveries and lanes, from the CLI, the API or Bull Board. Each leaves its trace
// in the journal first; the lanes follow, and where they cannot the sweep mends it.

import type { DueDelivery, Journal, Replayed } from '../journal/journal.ts';
import type { Log } from '../model/log.ts';
import type { LaneJob, Lanes } from '../queue/lanes.ts';
import type { ProjectNow } from './replay-again.ts';
import { findReplayed } from './replay-one.ts';

export interface Controls {
  /** Tries a dead or cancelled delivery again, now, with a fresh count of attempts. */
  retry(deliveryId: string, by: string): Promise<void>;
  /** Makes a waiting delivery due now. */
  promote(deliveryId: string, by: string): Promise<void>;
  /** Takes a delivery that waits or is dead out of the way for good. */
  cancel(deliveryId: string, by: string): Promise<void>;
  /** A new delivery of the same event through the same flow; resolves with its id. */
  replayDelivery(
    deliveryId: string,
    by: string,
    options?: ReplayOptions,
  ): Promise<readonly string[]>;
  /** The same for every delivery the event first had; anew: for all flows of today. */
  replayEvent(eventId: string, by: string, options?: ReplayOptions): Promise<readonly string[]>;
  /** Holds a lane until it is resumed, over restarts too. */
  pauseLane(connector: string, by: string): Promise<void>;
  resumeLane(connector: string, by: string): Promise<void>;
}

export interface ReplayOptions {
  /** Routes the event anew, by the files of today. @default false: by the revision of its day */
  readonly anew?: boolean;
  /** Goes out in place of the event's body. For one delivery only. */
  readonly body?: Buffer;
  /** The files of today: for `anew`, and for the largest body that the source takes. */
  readonly now?: ProjectNow;
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

  const replay = async (
    of: readonly Replayed[],
    by: string,
    body: Buffer | undefined,
  ): Promise<readonly string[]> => {
    const due = await journal.replay({ of, by, ...(body === undefined ? {} : { body }) });
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
    replayDelivery: async (deliveryId, by, options = {}) =>
      replay(await findReplayed(journal, { deliveryId }, options), by, options.body),
    replayEvent: async (eventId, by, options = {}) =>
      replay(await findReplayed(journal, { eventId }, options), by, options.body),
    pauseLane: (connector, by) => setPaused(connector, true, by),
    resumeLane: (connector, by) => setPaused(connector, false, by),
  };
}

/** The lane job that stands for a due delivery. */
export function laneJobOf(due: DueDelivery): LaneJob {
  const { connector, ...rest } = due;
  return { lane: connector, ...rest };
}
