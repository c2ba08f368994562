// What people are told of a delivery's state: while its lane is paused, what would go out is held.

import type { DeliveryView, Journal } from '../journal/journal.ts';

/** Who paused it, by connector. */
export type PausedLanes = ReadonlyMap<string, string>;

/** The delivery as people are told of it; the journal's own state stays what it is. */
export function asShown<
  T extends Pick<DeliveryView, 'connector' | 'state'> &
    Partial<Pick<DeliveryView, 'code' | 'reason'>>,
>(delivery: T, paused: PausedLanes): T {
  const by = paused.get(delivery.connector);
  const waits = delivery.state === 'pending' || delivery.state === 'retrying';
  if (by === undefined || !waits) return delivery;
  const { code: _, ...rest } = delivery;
  return { ...rest, state: 'held', reason: `lane paused by ${by}` } as T;
}

/** The summary is asked for only where a lane is paused at all: it counts every open delivery. */
export async function findPausedLanes(
  journal: Pick<Journal, 'listPausedLanes' | 'summarizeLanes'>,
): Promise<PausedLanes> {
  const names = await journal.listPausedLanes();
  if (names.length === 0) return new Map();
  const by = new Map((await journal.summarizeLanes()).map((one) => [one.connector, one.pausedBy]));
  return new Map(names.map((name) => [name, by.get(name) ?? 'someone']));
}
