// Deliveries in whatever state a test needs, made by way of the journal.

import { sightDeath } from '../../src/delivery/problems.ts';
import type { AttemptRecord, DueDelivery, Journal, NewEvent } from '../../src/journal/journal.ts';
import { sampleEvent } from './sample-event.ts';

type NewRecord = Omit<AttemptRecord, 'deliveryId' | 'fence'> & {
  /** What is particular about its event. */
  readonly event?: Partial<NewEvent>;
};

/** Ids of new deliveries that were claimed and recorded as `recordOf` says. */
export async function makeRecorded(
  journal: Journal,
  count: number,
  recordOf: (index: number) => NewRecord,
): Promise<readonly string[]> {
  const ids: string[] = [];
  const one = async (index: number): Promise<void> => {
    const { event: fields, ...outcome } = recordOf(index);
    const event = sampleEvent(fields);
    await journal.append(event);
    const deliveryId = event.deliveries[0]?.id ?? '';
    ids[index] = deliveryId;
    await recordOne(journal, { deliveryId, round: 0 }, outcome);
  };
  for (let from = 0; from < count; from += 1_000) {
    const size = Math.min(1_000, count - from);
    await Promise.all(Array.from({ length: size }, (_, index) => one(from + index)));
  }
  return ids;
}

/** Claims a delivery and records what became of it. */
export async function recordOne(
  journal: Journal,
  { deliveryId, round }: Pick<DueDelivery, 'deliveryId' | 'round'>,
  outcome: Omit<NewRecord, 'event'>,
): Promise<void> {
  const claimed = await journal.claim({ deliveryId, round, leaseMs: 60_000 });
  if (claimed.kind !== 'claimed') throw new Error(`not claimed: ${claimed.kind}`);
  await journal.record({ ...outcome, deliveryId, fence: claimed.claim.fence });
}

/** Makes a replay of a delivery and records what became of that; resolves with its id. */
export async function recordReplayOf(
  journal: Journal,
  id: string,
  outcome: Omit<NewRecord, 'event'>,
): Promise<string> {
  const original = await journal.getDelivery(id);
  if (original === undefined) throw new Error(`there is no delivery ${id}`);
  const [due] = await journal.replay({ of: [original], by: 'a test' });
  if (due === undefined) throw new Error(`no replay was made of ${id}`);
  await recordOne(journal, due, outcome);
  return due.deliveryId;
}

/** A death by an answer of the ERP, in which only ids and numbers differ. */
export function deathOf(reason: string, connector = 'erp') {
  const death = { state: 'dead', code: 'rejected', reason } as const;
  return { ...death, problem: sightDeath(connector, death) };
}
