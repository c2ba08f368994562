/** What the later ones of a key do behind a dead one: see `OrderPolicy.dead`. */
export type BehindDead = 'block' | 'park' | 'skip';

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
   * to be replayed with it in order (`park`), or go on without it (`skip`). With `keep: latest`
   * always `skip`: what is dead waits for nobody, and a newer one makes it pointless.
   * @default block
   */
  readonly dead: BehindDead;
  /** Only with `keep: latest`: the least time between two calls for one key. @default 2 s */
  readonly settleMs: number;
}

/** Where a delivery stands in the order of its flow. */
export interface OrderPlace {
  /** At most `ORDER_KEY_MAX` characters. */
  readonly key: string;
  /** What it does behind a dead one of its key. */
  readonly dead: BehindDead;
  /** Decimal text; a time is milliseconds since the epoch. Only where the newest counts. */
  readonly version?: string;
  /** Where only the newest counts: the least time between two calls for its key. */
  readonly settleMs?: number;
}

/** Characters of a key; a longer one is replaced by its hash. */
export const ORDER_KEY_MAX = 500;

export const SETTLE_MS_DEFAULT = 2_000;
