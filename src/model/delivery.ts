/**
 * The states of a delivery, and no others.
 *
 * ```
 *  pending ──▶ active ──▶ delivered
 *     ▲          │ ├────▶ filtered      its `when` was false
 *     │          │ ├────▶ dead          rejected, or out of attempts
 *     │          │ └────▶ retrying ──▶ active …
 *     └──────────┘ handed back: the hub was leaving, or the error was its own
 *  held         waits for something named (a pause, an open breaker, an earlier delivery)
 *  superseded   a newer event of the same key made it pointless
 *  cancelled    a person removed it
 * ```
 */
export const deliveryStates = [
  'pending',
  'active',
  'retrying',
  'held',
  'delivered',
  'filtered',
  'dead',
  'superseded',
  'cancelled',
] as const;

export type DeliveryState = (typeof deliveryStates)[number];

/** States in which a delivery still has to go somewhere by itself or after a wait. */
export const openStates: readonly DeliveryState[] = ['pending', 'active', 'retrying', 'held'];

/**
 * The key that every attempt of one delivery carries, so that a target that honours it does the
 * work once. A replay is a new delivery of the same event and flow and keeps the key: the target
 * decides whether that is a repeat.
 */
export function idempotencyKey(eventId: string, flow: string): string {
  return `${eventId}:${flow}`;
}
