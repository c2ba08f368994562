// One connector that is asked for what is new: a turn lists page after page, stores every item as an
// event, and only then moves the cursor. A turn that breaks off anywhere is done again from where the
// last whole one ended; what was stored already is the same event and stays one.

import type { Connector, Message } from '../connectors/connector.ts';
import { contentOf } from '../content/content.ts';
import { toJson } from '../content/to-json.ts';
import { createJsonReader } from '../definitions/event-path.ts';
import type { PollDefinition, ReceiveDefinition } from '../definitions/receive.ts';
import { listElements } from '../intake/elements.ts';
import type { Pollers, PollerTurn } from '../journal/pollers-port.ts';
import { newId } from '../model/ids.ts';
import { sliceAt } from '../model/json-slices.ts';
import { laterCursor, sinceOf } from './cursor.ts';
import { eventOf, type StorePorts, storeEvents } from './store-events.ts';

/** Longer than one call may take with the commit of what it brought. */
const LEASE_MS = 300_000;
/** Failures in a row double the wait, up to this or to `every`, whichever is longer. */
const BACKOFF_MS_MAX = 3_600_000;

export interface PolledConnector {
  readonly id: string;
  readonly receive: ReceiveDefinition;
  readonly poll: PollDefinition;
  readonly connector: Connector;
}

export type PollerPorts = StorePorts & { readonly pollers: Pollers };

/** What a turn came to; `undefined` where it was not this process' turn. */
export type Polled =
  | { readonly kind: 'listed'; readonly items: number; readonly stored: number }
  | { readonly kind: 'failed'; readonly reason: string };

/** Takes a turn where one is due. Rejects only where the journal is away, or `leaving` aborts. */
export async function pollOnce(
  polled: PolledConnector,
  ports: PollerPorts,
  leaving: AbortSignal,
): Promise<Polled | undefined> {
  const { id: source, poll } = polled;
  const turn = await ports.pollers.take(source, LEASE_MS);
  if (turn === undefined) return undefined;
  try {
    const listed = await listAll(polled, { ports, turn, leaving });
    if ('reason' in listed) return await fail(polled, { turn, ports, reason: listed.reason });
    const { cursor, items, stored } = listed;
    const end = cursor === undefined ? {} : { cursor };
    await ports.pollers.end({ source, fence: turn.fence, nextInMs: poll.everyMs, ...end });
    return { kind: 'listed', items, stored };
  } catch (error) {
    // Nothing was lost: the next turn begins where this one did.
    await ports.pollers
      .end({ source, fence: turn.fence, nextInMs: 0, error: 'the turn was broken off' })
      .catch(() => false);
    throw error;
  }
}

interface Context {
  readonly ports: PollerPorts;
  readonly turn: PollerTurn;
  readonly leaving: AbortSignal;
}

interface Listed {
  readonly cursor?: string;
  readonly items: number;
  readonly stored: number;
}

interface Broken {
  readonly reason: string;
}

async function listAll(polled: PolledConnector, context: Context): Promise<Listed | Broken> {
  const { poll } = polled;
  const { turn } = context;
  const since = sinceOf(poll, turn.cursor, turn.now);
  // Before the first turn has found anything, the next one begins where it did.
  let reached = turn.cursor ?? (since === '' ? undefined : since);
  const sums = { items: 0, stored: 0 };
  let page: string | undefined = poll.next === 'count' ? '1' : '';
  for (let count = 1; page !== undefined; count++) {
    if (count > poll.pagesMax) {
      return { reason: `more than ${poll.pagesMax} pages in one turn; raise poll.pagesMax` };
    }
    const listed = await listPage(polled, { since, cursor: turn.cursor ?? '', page }, context);
    if ('reason' in listed) return listed;
    sums.items += listed.bodies.length;
    sums.stored += listed.stored;
    reached = later(poll, reached, listed.bodies);
    page = nextPage(poll, listed, count);
  }
  return reached === undefined ? sums : { ...sums, cursor: reached };
}

interface Page {
  readonly answer: Buffer;
  readonly bodies: readonly Buffer[];
  readonly stored: number;
}

interface Answer {
  readonly json: Buffer;
  readonly isXml: boolean;
}

interface Asked {
  readonly since: string;
  readonly cursor: string;
  readonly page: string;
}

async function listPage(
  polled: PolledConnector,
  asked: Asked,
  context: Context,
): Promise<Page | Broken> {
  const { ports, turn } = context;
  const lease = { source: polled.id, fence: turn.fence, leaseMs: LEASE_MS };
  const isOurs = await ports.pollers.extend(lease);
  if (!isOurs) return { reason: 'another process has taken the turn' };
  const answer = await ask(polled, asked, context);
  return 'reason' in answer ? answer : takeItems(polled, answer, context);
}

async function ask(
  { id, receive, poll, connector }: PolledConnector,
  asked: Asked,
  { turn, leaving }: Context,
): Promise<Answer | Broken> {
  const callId = newId();
  const now = turn.now.toISOString();
  const message: Message = {
    operation: poll.operation,
    body: JSON.stringify({ ...asked, now }),
    idempotencyKey: callId,
    deliveryId: callId,
    attempt: 1,
    event: { id: callId, source: id, topic: 'poll', key: callId, receivedAt: now, headers: {} },
  };
  const { outcome, responseBody } = await connector.send(message, leaving);
  if (outcome.kind !== 'delivered') return { reason: outcome.reason };
  if (responseBody === undefined) return { reason: 'the answer has no body' };
  const json = await toJson({}, responseBody, receive.limits);
  if (json.kind === 'unreadable') return { reason: json.reason };
  return { json: json.json, isXml: contentOf({}, responseBody).kind === 'xml' };
}

async function takeItems(
  { id: source, receive, poll }: PolledConnector,
  answer: Answer,
  { ports }: Context,
): Promise<Page | Broken> {
  const bodies = listElements(answer.json, poll.items) ?? fewElements(answer, poll.items);
  if (bodies === undefined) return { reason: `the answer has no list at ${poll.items.text}` };
  if (bodies.length > receive.limits.eventsMax) {
    return { reason: `a page has ${bodies.length} items; at most ${receive.limits.eventsMax}` };
  }
  const events = bodies.map((body) => eventOf({ source, receive, body }, ports.routes));
  return { answer: answer.json, bodies, stored: await storeEvents(events, ports) };
}

/** In what was XML a list of one is its element, and an empty one is not there. */
function fewElements(
  { json, isXml }: Answer,
  { path, item }: PollDefinition['items'],
): readonly Buffer[] | undefined {
  const text = json.toString();
  if (!isXml || sliceAt(text, path.slice(0, 1)) === undefined) return undefined;
  const one = sliceAt(text, [...path, ...item]);
  return one === undefined ? [] : [Buffer.from(text.slice(one.start, one.end))];
}

function later(
  { cursor }: PollDefinition,
  reached: string | undefined,
  bodies: readonly Buffer[],
): string | undefined {
  if (cursor === undefined) return undefined;
  return bodies.reduce(
    (latest, body) => laterCursor(cursor.unit, latest, createJsonReader(body)(cursor.path)),
    reached,
  );
}

function nextPage(
  { next }: PollDefinition,
  { answer, bodies }: Page,
  count: number,
): string | undefined {
  if (next === undefined || bodies.length === 0) return undefined;
  return next === 'count' ? String(count + 1) : createJsonReader(answer)(next)?.text;
}

async function fail(
  { id: source, poll }: PolledConnector,
  failure: { readonly turn: PollerTurn; readonly ports: PollerPorts; readonly reason: string },
): Promise<Polled> {
  const { turn, ports, reason } = failure;
  const longest = Math.max(BACKOFF_MS_MAX, poll.everyMs);
  const nextInMs = Math.min(longest, poll.everyMs * 2 ** Math.min(turn.failures, 10));
  await ports.pollers.end({ source, fence: turn.fence, nextInMs, error: reason.slice(0, 1_000) });
  return { kind: 'failed', reason };
}
