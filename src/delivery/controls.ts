// What people do to deliveries and lanes, from the CLI, the API or Bull Board. Each leaves its trace
// in the journal first; the lanes follow, and where they cannot the sweep mends it.

import type { PauseTarget } from '../journal/gates-port.ts';
import type { DueDelivery, Journal, Replayed } from '../journal/journal.ts';
import type { Log } from '../model/log.ts';
import type { LaneJob, Lanes } from '../queue/lanes.ts';
import { applyGate } from './apply-gates.ts';
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
  /**
   * Holds a lane, a flow or an operation until it is resumed, over restarts too. What is under way
   * is finished. `false` where it was paused already.
   */
  pause(
    target: PauseTarget,
    by: { readonly by: string; readonly reason?: string },
  ): Promise<boolean>;
  /**
   * Lets it go on, oldest first, at the lane's limits; a lane also where its breaker or a rest holds
   * it. `false` where nothing did.
   */
  resume(target: PauseTarget, by: string): Promise<boolean>;
}

export interface ReplayOptions {
  /** Routes the event anew, by the files of today. @default false: by the revision of its day */
  readonly anew?: boolean;
  /** Goes out in place of the event's body. For one delivery only. */
  readonly body?: Buffer;
  /** The files of today: for `anew`, and for the largest body that the source takes. */
  readonly now?: ProjectNow;
}
/** One round trip to the journal and one to the lanes. */
const RELEASE_PAGE = 500;
/** What is held beyond these pages is released by the sweep. */
const RELEASE_PAGES_MAX = 40;

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

  const follow = async ({ scope, name }: PauseTarget): Promise<void> => {
    if (scope !== 'connector') return;
    try {
      await applyGate({ gates: journal, lanes }, name);
    } catch (error) {
      log.warn({ err: error, lane: name }, 'lanes unavailable; the sweep will pause or resume it');
    }
  };

  const pause: Controls['pause'] = async (target, { by, reason }) => {
    const why = reason === undefined ? {} : { reason };
    const changed = await journal.pause({ ...target, by, ...why });
    await follow(target);
    return changed;
  };

  const resume: Controls['resume'] = async (target, by) => {
    const changed = await journal.resume({ ...target, by });
    await follow(target);
    if (target.scope === 'connector') return changed;
    for (let pages = 0; pages < RELEASE_PAGES_MAX; pages += 1) {
      const released = await journal.releaseHeld({ limit: RELEASE_PAGE });
      await schedule(released);
      if (released.length < RELEASE_PAGE) break;
    }
    return changed;
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
    async pauseLane(connector, by) {
      await pause({ scope: 'connector', name: connector }, { by });
    },
    async resumeLane(connector, by) {
      await resume({ scope: 'connector', name: connector }, by);
    },
    pause,
    resume,
  };
}

/** The lane job that stands for a due delivery. */
export function laneJobOf(due: DueDelivery): LaneJob {
  const { connector, ...rest } = due;
  return { lane: connector, ...rest };
}
