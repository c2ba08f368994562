import type { AttemptView, ChangeView, DeliveryView, Journal } from '../journal/journal.ts';
import { asShown, type ShutGates } from './shown-state.ts';
import { type Story, tellStory } from './story.ts';

/** A delivery with all that the journal knows of it. */
export interface ToldDelivery {
  /** As people are told of it. */
  readonly shown: DeliveryView;
  readonly attempts: readonly AttemptView[];
  readonly changes: readonly ChangeView[];
  readonly story: Story;
}

export async function loadStory(
  journal: Pick<Journal, 'listAttempts' | 'listChanges' | 'listLaneChanges'>,
  delivery: DeliveryView,
  paused: ShutGates,
): Promise<ToldDelivery> {
  const { id, connector, flow, operation, createdAt } = delivery;
  const [attempts, changes, laneChanges] = await Promise.all([
    journal.listAttempts(id),
    journal.listChanges(id),
    journal.listLaneChanges({ connector, flow, operation, since: createdAt }),
  ]);
  const shown = asShown(delivery, paused);
  const nowMs = Date.now();
  const story = tellStory({ delivery, shown, attempts, changes, laneChanges, nowMs });
  return { shown, attempts, changes, story };
}
