// What became of an event, gathered from the journal and told as JSON.

import { isUtf8 } from 'node:buffer';
import { textOf } from '../content/decode-text.ts';
import { findFault } from '../content/to-json.ts';
import { loadStory } from '../delivery/load-story.ts';
import { findShutGates, type ShutGates } from '../delivery/shown-state.ts';
import type { Story } from '../delivery/story.ts';
import type {
  AttemptView,
  ChangeView,
  ConflictView,
  DeliveryView,
  Journal,
} from '../journal/journal.ts';
import { type DeliveryState, openStates } from '../model/delivery.ts';
import { CrossdockError } from '../model/errors.ts';
import type { Event, Headers } from '../model/event.ts';
import { isId } from '../model/ids.ts';
import { decodeJson } from '../model/json-text.ts';

/** Newest first; replays of one event beyond this are left to `crossdock deliveries`. */
const DELIVERIES_SHOWN_MAX = 100;

/** `open`: something is still under way; `dead`: nothing is, and a delivery needs a person. */
export type EventState = 'unrouted' | 'open' | 'dead' | 'finished';

export interface DeliveryDetail {
  readonly delivery: DeliveryView;
  /** As people are told: `held` while the lane is paused, whatever the journal waits for. */
  readonly state: DeliveryState;
  readonly reason?: string;
  readonly attempts: readonly AttemptView[];
  readonly changes: readonly ChangeView[];
  readonly story: Story;
}

export interface EventDetail {
  readonly event: Event;
  /** Why its body cannot be read, in words: as intake said, or as it is seen now. */
  readonly unreadable?: string;
  readonly body: BodyText;
  readonly state: EventState;
  readonly deliveries: readonly DeliveryDetail[];
  /** What came under its id with another body. */
  readonly conflicts: readonly ConflictView[];
}

/** `json`: the text is valid JSON, exactly as it came. `base64`: the bytes are no text. */
export interface BodyText {
  readonly kind: 'json' | 'text' | 'base64';
  readonly text: string;
}

/** Rejects `not-found`. */
export async function loadEventDetail(journal: Journal, id: string): Promise<EventDetail> {
  const event = isId(id) ? await journal.getEvent(id) : undefined;
  if (event === undefined) throw new CrossdockError('not-found', 'there is no such event');
  const views = await journal.listDeliveries({ eventId: id, limit: DELIVERIES_SHOWN_MAX });
  const paused = await findShutGates(journal);
  const deliveries: DeliveryDetail[] = [];
  for (const view of views) deliveries.push(await detailOf(journal, view, paused));
  const conflicts = await journal.listConflicts(id);
  const body = bodyText(event.headers, event.body);
  const unreadable = event.unreadable ?? (await findFault(event.headers, event.body));
  const marks = unreadable === undefined ? {} : { unreadable };
  return { event, ...marks, body, state: stateOf(views), deliveries, conflicts };
}

/** Rejects `not-found`. */
export async function loadDeliveryDetail(journal: Journal, id: string): Promise<DeliveryDetail> {
  const view = isId(id) ? await journal.getDelivery(id) : undefined;
  if (view === undefined) throw new CrossdockError('not-found', 'there is no such delivery');
  return detailOf(journal, view, await findShutGates(journal));
}

export function eventJson(detail: EventDetail): string {
  const { event, body, state } = detail;
  const { id, source, topic, dedupeKey, shop, causeId, sha256, headers } = event;
  const head = {
    id,
    source,
    topic,
    key: dedupeKey,
    shop,
    causeId,
    receivedAt: event.receivedAt,
    occurredAt: event.occurredAt,
    bytes: event.body.length,
    sha256,
    state,
    headers,
    json: body.kind === 'json',
    ...(body.kind === 'base64' ? { encoding: 'base64' } : {}),
    unreadable: detail.unreadable,
    conflicts: detail.conflicts.length === 0 ? undefined : detail.conflicts.map(conflictJson),
  };
  const deliveries = `[${detail.deliveries.map(deliveryText).join(',')}]`;
  const text = body.kind === 'json' ? body.text : JSON.stringify(body.text);
  return withJson(withJson(JSON.stringify(head), 'deliveries', deliveries), 'body', text);
}

export function deliveryJson(detail: DeliveryDetail): string {
  const { eventId, source, topic, key } = detail.delivery;
  const event = JSON.stringify({ id: eventId, source, topic, key });
  return withJson(deliveryText(detail), 'event', event);
}

/** A JSON object's text with one more member, as it stands: parsing it would round its numbers. */
function withJson(object: string, name: string, json: string): string {
  return `${object.slice(0, -1)},${JSON.stringify(name)}:${json}}`;
}

/** `undefined` members are left out of the JSON. */
function deliveryText({
  delivery,
  state,
  reason,
  attempts,
  changes,
  story,
}: DeliveryDetail): string {
  const text = JSON.stringify({
    id: delivery.id,
    flow: delivery.flow,
    to: `${delivery.connector}.${delivery.operation}`,
    state,
    code: delivery.code,
    reason,
    attempts: delivery.attempts,
    dueAt: delivery.dueAt,
    idempotencyKey: delivery.idempotencyKey,
    replayOf: delivery.replayOf,
    revision: delivery.revision,
    createdAt: delivery.createdAt,
    updatedAt: delivery.updatedAt,
    attemptsLog: attempts,
    changes,
    story,
  });
  return delivery.result === undefined ? text : withJson(text, 'result', delivery.result);
}

/** Text in whatever charset the sender has it, as far as it is text. */
export function bodyText(headers: Headers, body: Buffer): BodyText {
  if (isUtf8(body)) {
    const text = decodeJson(body);
    return { kind: isJson(text) ? 'json' : 'text', text };
  }
  const text = textOf(headers, body);
  if (text === undefined) return { kind: 'base64', text: body.toString('base64') };
  return { kind: isJson(text) ? 'json' : 'text', text };
}

function conflictJson({ sha256, bytes, receivedAt, headers, body }: ConflictView) {
  const { kind, text } = bodyText(headers, body);
  const encoding = kind === 'base64' ? { encoding: kind } : {};
  return { sha256, bytes, receivedAt, ...encoding, body: text };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

async function detailOf(
  journal: Journal,
  delivery: DeliveryView,
  paused: ShutGates,
): Promise<DeliveryDetail> {
  const { shown, attempts, changes, story } = await loadStory(journal, delivery, paused);
  const { state, reason } = shown;
  return { delivery, state, attempts, changes, story, ...(reason === undefined ? {} : { reason }) };
}

function stateOf(deliveries: readonly DeliveryView[]): EventState {
  if (deliveries.length === 0) return 'unrouted';
  if (deliveries.some((delivery) => openStates.includes(delivery.state))) return 'open';
  return deliveries.some((delivery) => delivery.state === 'dead') ? 'dead' : 'finished';
}
