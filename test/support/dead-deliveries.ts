// Deliveries in whatever state a test needs, made by way of the journal.

import { sightDeath } from '../../src/delivery/problems.ts';
import type { AttemptRecord, Journal, NewEvent } from '../../src/journal/journal.ts';
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
    const claimed = await journal.claim({ deliveryId, round: 0, leaseMs: 60_000 });
    if (claimed.kind !== 'claimed') throw new Error(`not claimed: ${claimed.kind}`);
    const record = { ...outcome, deliveryId, fence: claimed.claim.fence };
    await journal.record(record);
  };
  for (let from = 0; from < count; from += 1_000) {
    const size = Math.min(1_000, count - from);
    await Promise.all(Array.from({ length: size }, (_, index) => one(from + index)));
  }
  return ids;
}

/** A death by an answer of the ERP, in which only ids and numbers differ. */
export function deathOf(reason: string, connector = 'erp') {
  const death = { state: 'dead', code: 'rejected', reason } as const;
  return { ...death, problem: sightDeath(connector, death) };
}
