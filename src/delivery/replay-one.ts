// What a replay by hand makes again: one delivery, or an event through its flows.

import type { DeliveryView, Journal, Replayed } from '../journal/journal.ts';
import { CrossdockError } from '../model/errors.ts';
import type { Event } from '../model/event.ts';
import { routedJson } from './event-json.ts';
import { editedBodyBytesMax, type ProjectNow, replayedNow } from './replay-again.ts';

/** Deliveries of one event that are looked at. */
const DELIVERIES_MAX = 500;

interface Options {
  readonly anew?: boolean;
  readonly body?: Buffer;
  readonly now?: ProjectNow;
}

type Of = { readonly deliveryId: string } | { readonly eventId: string };
type Reads = Pick<Journal, 'getDelivery' | 'getEvent' | 'listDeliveries'>;

/**
 * Rejects `not-found`; `usage` for an edited body of several deliveries; `body-too-large`;
 * `state-conflict` where no flow of today takes the event.
 */
export async function findReplayed(
  journal: Reads,
  of: Of,
  options: Options,
): Promise<readonly Replayed[]> {
  const originals = await findOriginals(journal, of);
  const event = await findEvent(journal, of, originals);
  checkBody(event, options);
  const found =
    options.anew === true ? await routeAnew(event, of, { originals, options }) : originals;
  if (found.length === 0) {
    throw new CrossdockError('not-found', `event ${event.id} has no deliveries to replay`, {
      todo: 'Replay it by the current revision: through the flows of today.',
    });
  }
  if (options.body === undefined || found.length === 1) return found;
  throw new CrossdockError('usage', `an edited body is for one delivery, and these are several`, {
    todo: 'Name one of them.',
  });
}

async function findOriginals(journal: Reads, of: Of): Promise<readonly DeliveryView[]> {
  if ('deliveryId' in of) {
    const delivery = await journal.getDelivery(of.deliveryId);
    if (delivery !== undefined) return [delivery];
    throw new CrossdockError('not-found', `there is no delivery ${of.deliveryId}`);
  }
  const all = await journal.listDeliveries({ eventId: of.eventId, limit: DELIVERIES_MAX });
  return all.filter((delivery) => delivery.replayOf === undefined);
}

async function findEvent(
  journal: Reads,
  of: Of,
  originals: readonly DeliveryView[],
): Promise<Event> {
  const id = 'eventId' in of ? of.eventId : (originals[0]?.eventId ?? '');
  const event = await journal.getEvent(id);
  if (event !== undefined) return event;
  throw new CrossdockError('not-found', `there is no event ${id}`);
}

function checkBody({ source }: Event, { body, now }: Options): void {
  const bytesMax = editedBodyBytesMax(source, now);
  if (body === undefined || body.length <= bytesMax) return;
  throw new CrossdockError('body-too-large', `${source} takes bodies of at most ${bytesMax} bytes`);
}

async function routeAnew(
  event: Event,
  of: Of,
  { originals, options }: { originals: readonly DeliveryView[]; options: Options },
): Promise<readonly Replayed[]> {
  const { now } = options;
  if (now === undefined) {
    throw new CrossdockError('usage', 'the current revision needs the files of the project');
  }
  const { id: eventId, source, topic, shop } = event;
  const { unreadable, ...rest } = event;
  const marked = options.body === undefined ? event : { ...rest, body: options.body };
  const body = await routedJson(marked);
  const message = { eventId, source, topic, body, ...(shop === undefined ? {} : { shop }) };
  const flow = 'deliveryId' in of ? originals[0]?.flow : undefined;
  const found = replayedNow(now.routes, message, flow === undefined ? {} : { flow });
  if (found.length === 0) {
    const which = flow === undefined ? 'no flow' : `flow ${flow}, as it is`;
    const message = `${which} of today takes ${source} ${topic}`;
    throw new CrossdockError('state-conflict', message, { todo: 'Look at the files of flows/.' });
  }
  return found.map((one) => {
    const original = originals.find((delivery) => delivery.flow === one.flow);
    return original === undefined ? one : { ...one, id: original.id };
  });
}
