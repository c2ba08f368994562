// Events that no webhook brought: named by the same places, routed by the same flows, stored once.

import type { ReceiveDefinition } from '../definitions/receive.ts';
import type { Routes } from '../definitions/routes.ts';
import { identify } from '../intake/identify.ts';
import { createRequestReader } from '../intake/webhook-request.ts';
import type { Journal, NewEvent } from '../journal/journal.ts';
import { newId } from '../model/ids.ts';
import type { Log } from '../model/log.ts';
import { type Lanes, laneJobsOf } from '../queue/lanes.ts';

export interface StorePorts {
  readonly journal: Pick<Journal, 'append'>;
  readonly lanes: Pick<Lanes, 'add'>;
  readonly routes: Routes;
  readonly log: Log;
}

const headers = { 'content-type': 'application/json' };

/** The event that `body` is, by the places of `receive`. */
export function eventOf(
  { source, receive, body }: { source: string; receive: ReceiveDefinition; body: Buffer },
  routes: Routes,
): NewEvent {
  const request = { method: 'POST', target: '/', headers, repeated: new Set<string>(), body };
  const { topic, ...identity } = identify(receive, createRequestReader(request), { bytes: body });
  return {
    id: newId(),
    source,
    topic,
    ...identity,
    body,
    headers,
    deliveries: routes.route({ ...identity, source, topic, body }),
  };
}

/** Resolves after the commit with how many were new; what came before is left alone. */
export async function storeEvents(
  events: readonly NewEvent[],
  { journal, lanes, log }: StorePorts,
): Promise<number> {
  const appended = await Promise.all(events.map((event) => journal.append(event)));
  const stored = events.filter((_, index) => appended[index]?.kind === 'stored');
  const jobs = stored.flatMap(laneJobsOf);
  if (jobs.length > 0) {
    lanes.add(jobs).catch((error: unknown) => {
      log.debug({ err: error }, 'not scheduled; the sweep will do it');
    });
  }
  return stored.length;
}
