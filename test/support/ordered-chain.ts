// Ordered deliveries as tests make them: appended, claimed and recorded without lanes.

import type {
  AttemptRecord,
  Claim,
  Claimed,
  DueDelivery,
  Journal,
} from '../../src/journal/journal.ts';
import { newId } from '../../src/model/ids.ts';
import type { OrderPlace } from '../../src/model/order.ts';
import { sampleDelivery, sampleEvent } from './sample-event.ts';

export const plainPlace: OrderPlace = { key: 'k', dead: 'block' };

export function latestPlace(version: number | string, settleMs = 0): OrderPlace {
  return { key: 'k', dead: 'skip', version: String(version), settleMs };
}

export interface OrderedDelivery {
  readonly id: string;
  readonly eventId: string;
}

/** One chain of its own: its key is this test's. */
export function createChain(journal: Journal, flow = `flow-${newId()}`) {
  const rounds = new Map<string, number>();
  const chain = `${flow}:k`;
  const claim = async (id: string, leaseMs = 30_000): Promise<Claimed> =>
    journal.claim({ deliveryId: id, round: rounds.get(id) ?? 0, leaseMs });
  return {
    flow,
    chain,
    claim,
    async append(place: OrderPlace = plainPlace): Promise<OrderedDelivery> {
      const delivery = sampleDelivery({ flow, order: place });
      const event = sampleEvent({ deliveries: [delivery] });
      await journal.append(event);
      return { id: delivery.id, eventId: event.id };
    },
    /** The claim, which must be given. */
    async take(id: string, leaseMs?: number): Promise<Claim> {
      const answer = await claim(id, leaseMs);
      if (answer.kind !== 'claimed') throw new Error(`not claimed: ${JSON.stringify(answer)}`);
      return answer.claim;
    },
    async record(of: Claim, fields: Partial<AttemptRecord> = {}): Promise<boolean> {
      const outcome = fields.state === 'dead' ? 'rejected' : 'delivered';
      const attempt = { durationMs: 1, outcome, ambiguous: false } as const;
      const base = { deliveryId: of.deliveryId, fence: of.fence, state: 'delivered' } as const;
      return (await journal.record({ ...base, attempt, ...fields })).accepted;
    },
    /** Lets the next one go; the ids of those that need a lane job now. */
    async advance(): Promise<readonly string[]> {
      const due = await journal.advance(chain);
      for (const one of due) rounds.set(one.deliveryId, one.round);
      return due.map((one) => one.deliveryId);
    },
    /** What a lane job of a newer round would know. */
    note(due: { readonly deliveryId: string; readonly round: number }): string {
      rounds.set(due.deliveryId, due.round);
      return due.deliveryId;
    },
    async state(id: string): Promise<string> {
      return (await journal.getDelivery(id))?.state ?? 'unknown';
    },
  };
}

export async function replayOf(
  journal: Journal,
  ...ids: readonly string[]
): Promise<readonly DueDelivery[]> {
  const of = await Promise.all(ids.map((id) => journal.getDelivery(id)));
  return journal.replay({ of: of.flatMap((one) => one ?? []), by: 'test' });
}
