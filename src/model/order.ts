/**
 * How deliveries of one flow and one key follow each other. The key is what a path of the event says
 * (`id`, `customer.id`, `$event.shop`); an event without it is delivered by itself, in no order.
 */
export interface OrderPolicy {
  /** A path, see `definitions/event-path.ts`. */
  readonly by: string;
  /** Only with `keep`: a path to a number or a time; of two events the greater one is the newer. */
  readonly version?: string;
  /** `latest`: an event for which a newer one is there is not sent. @default every event is sent */
  readonly keep?: 'latest';
  /**
   * What the later ones of a key do behind a dead one: wait for a person (`block`), die behind it,
   * to be replayed with it in order (`park`), or go on without it (`skip`). @default block
   */
  readonly dead: 'block' | 'park' | 'skip';
  /** With `keep: latest`: the least time between two calls for one key. @default 2 s */
  readonly settleMs: number;
}

/** Where a delivery stands in the order of its flow. */
export interface OrderPlace {
  /** At most `ORDER_KEY_MAX` characters. */
  readonly key: string;
  /** Decimal text; a time is milliseconds since the epoch. */
  readonly version?: string;
}

export const ORDER_KEY_MAX = 500;
