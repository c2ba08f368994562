// What each state of a delivery means, for `crossdock explain`. docs/delivery.md says the same; a test
// holds them equal.

import type { DeliveryState } from './delivery.ts';

export interface StateExplanation {
  readonly meaning: string;
  /** Whether the hub goes on with it by itself; empty where there is nothing to go on with. */
  readonly comesAgain: string;
}

export const stateExplanations: Readonly<Record<DeliveryState, StateExplanation>> = {
  pending: { meaning: 'Due, or due at a time, and not tried yet.', comesAgain: 'yes' },
  active: { meaning: 'A process has it.', comesAgain: 'yes, also when that process dies' },
  retrying: { meaning: 'Tried, and due again at a time.', comesAgain: 'yes' },
  held: {
    meaning:
      'Waits for something named, which its reason says. Of a lane that is held the journal says `pending` or `retrying`, and pages show `held`.',
    comesAgain: 'yes, when that is over',
  },
  delivered: { meaning: 'The target took it.', comesAgain: '' },
  filtered: { meaning: "The flow's `when` was false.", comesAgain: '' },
  dead: { meaning: 'Will not be tried again by itself.', comesAgain: 'no' },
  superseded: {
    meaning: 'A newer event of its key, or a later delivery of the same event, made it pointless.',
    comesAgain: 'no',
  },
  cancelled: {
    meaning: 'A person removed it.',
    comesAgain: 'no',
  },
};
