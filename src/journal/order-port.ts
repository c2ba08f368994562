// The journal's part that keeps deliveries of one key in their order; see claim-ordered.ts.

import type { DeliveryState } from '../model/delivery.ts';
import type { DueDelivery } from './journal.ts';

export interface Chains {
  /**
   * Lets the next delivery of a chain go where nothing is in front of it any more; resolves with
   * those that need a lane job now. Does nothing where there is nothing to do, however often it is
   * asked. `chain` is what a claim names.
   */
  advance(chain: string): Promise<readonly DueDelivery[]>;
  /** Chains in which a delivery waits for another one, a page of at most `limit` such deliveries. */
  listWaitingChains(page: { readonly limit: number; readonly after?: string }): Promise<{
    readonly chains: readonly string[];
    /** Of the page's last delivery, where there may be more. */
    readonly last?: string;
  }>;
  /**
   * Frees the chains that an ended delivery still has, since a program that knows no order recorded
   * it; resolves with how many there were.
   */
  freeEnded(): Promise<number>;
  /** The delivery of the same key that is in front of this one now. */
  findInFront(deliveryId: string): Promise<InFront | undefined>;
}

export interface InFront {
  readonly deliveryId: string;
  readonly state: DeliveryState;
}
