// What the hub itself says about the orders of the demo, over its API: asked only to know when
// nothing more can come, and why something did not.

import { setTimeout as sleep } from 'node:timers/promises';
import { countOf, print } from '../src/cli/terminal.ts';
import { type DeliveryStatus, readEventStatus } from './event-status.ts';
import type { OrderScore, Scoreboard } from './scoreboard.ts';
import type { Stage } from './stage.ts';

const STILL_DEADLINE_MS = 60_000;
const LOOK_EVERY_MS = 200;
/** For what is not supposed to come: a second mail, a second line. */
const LAST_LOOK_MS = 1_000;

/** Throws where the hub is gone. */
export function requireHub({ hub }: Stage): void {
  const end = hub.howItEnded();
  if (end !== undefined) throw new Error(`the hub ${end}`);
}

/** Whether each of these orders has a delivery that the hub will not try again. */
export async function areAllLost(stage: Stage, scores: readonly OrderScore[]): Promise<boolean> {
  for (const score of scores) {
    const ids = eventIdsOf([score]);
    const states = await Promise.all(ids.map((id) => readEventStatus(stage, id)));
    if (!states.some((status) => status?.state === 'dead')) return false;
  }
  return true;
}

/** Waits until nothing is on its way any more, so that nothing comes after the table. */
export async function waitUntilStill(
  scoreboard: Scoreboard,
  stage: Stage,
  leaving: AbortSignal,
): Promise<void> {
  const open = new Set(scoreboard.incomplete().length > 0 ? [] : eventIdsOf(scoreboard.scores));
  const deadline = Date.now() + STILL_DEADLINE_MS;
  while (open.size > 0 && Date.now() < deadline) {
    requireHub(stage);
    for (const id of open) {
      const status = await readEventStatus(stage, id);
      if (status?.state !== 'open') open.delete(id);
    }
    await sleep(LOOK_EVERY_MS, undefined, { signal: leaving });
  }
  await sleep(LAST_LOOK_MS, undefined, { signal: leaving });
  stage.lookAtArchive();
}

/** Prints what the hub says about orders that did not come through. */
export async function explainLost(stage: Stage, scores: readonly OrderScore[]): Promise<void> {
  for (const score of scores.filter(({ shown }) => !shown)) {
    for (const id of eventIdsOf([score])) {
      const status = await readEventStatus(stage, id);
      for (const line of status?.deliveries.map(describeDelivery) ?? []) {
        print(`  ${score.order.name} ${line}`);
      }
    }
  }
}

function describeDelivery({ flow, state, attempts, reason }: DeliveryStatus): string {
  const why = reason === undefined ? '' : `: ${reason}`;
  return `${flow} is ${state} after ${countOf(attempts, 'attempt')}${why}`;
}

/** The first event of the order that gave the ERP the most to do. */
export function mostEventful(scores: readonly OrderScore[]): string | undefined {
  const [score] = scores.toSorted((a, b) => b.erp.length - a.erp.length);
  return score === undefined ? undefined : eventIdsOf([score])[0];
}

function eventIdsOf(scores: readonly OrderScore[]): readonly string[] {
  const ids = scores.flatMap(({ posted }) =>
    (posted ?? []).flatMap(({ eventId }) => eventId ?? []),
  );
  return [...new Set(ids)];
}
