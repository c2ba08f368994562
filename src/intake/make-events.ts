// From an authentic request to its events. Nothing authentic is refused for its form: what cannot be
// read is an event too, marked with the reason, under a topic of its own where its topic stands in
// what cannot be read.

import { checkJson, looksWhole } from '../content/check-json.ts';
import { contentOf } from '../content/content.ts';
import { type JsonReading, toJson } from '../content/to-json.ts';
import type { Place, ReceiveDefinition } from '../definitions/receive.ts';
import type { Routes } from '../definitions/routes.ts';
import type { NewEvent } from '../journal/journal.ts';
import type { Headers } from '../model/event.ts';
import { newId } from '../model/ids.ts';
import { identify, idOf } from './identify.ts';
import { readPlace } from './read-place.ts';
import { type Part, splitBody } from './split-body.ts';
import { createRequestReader, type RequestReader } from './webhook-request.ts';

export interface MadeEvents {
  readonly events: readonly NewEvent[];
  /** The request is a list: its answer names every event. */
  readonly isSplit: boolean;
}

/**
 * The events of a request that `reader` reads. Throws `body-too-large` where it is a list of more
 * events than the connector takes.
 */
export async function makeEvents(
  from: {
    readonly source: string;
    readonly receive: ReceiveDefinition;
    readonly reader: RequestReader;
  },
  headers: Headers,
  routes: Routes,
): Promise<MadeEvents> {
  const { receive, reader } = from;
  const { body } = reader.request;
  const reading = await readJson(receive, reader);
  const make = { ...from, headers, routes };
  const { split } = receive;
  if (split === undefined || reading.kind === 'unreadable') {
    return { events: [wholeEvent(make, reading)], isSplit: false };
  }
  const isOne = readPlace(split.unless, reader) !== undefined;
  if (isOne) return { events: [wholeEvent(make, reading)], isSplit: false };
  const parts = splitBody(split, { reader, json: reading.json }, receive.limits);
  if (parts.kind === 'whole') {
    const whole = split.optional ? reading : { ...parts, kind: 'unreadable' as const };
    return { events: [wholeEvent(make, whole)], isSplit: false };
  }
  const ofParts = { ...make, headers: headersOfParts(headers, body) };
  const requestId = idOfRequest(receive, reader);
  const events = parts.parts.map((part, index) => {
    const event = partEvent(ofParts, part);
    const isShared = event.dedupeKey === requestId;
    return isShared ? { ...event, dedupeKey: `${requestId}#${index}` } : event;
  });
  return { events, isSplit: true };
}

/**
 * The body as JSON. To check its grammar costs as much as a tenth of a whole request, so that JSON of
 * which nothing is asked here is checked only where its ends do not belong together, as of a body
 * that was cut off or is an error page; the rest is found by whoever reads it.
 */
async function readJson(receive: ReceiveDefinition, reader: RequestReader): Promise<JsonReading> {
  const { headers, body } = reader.request;
  const { limits } = receive;
  const { kind } = contentOf(headers, body);
  if (kind === 'ndjson' && receive.split?.list.path.length === 0)
    return { kind: 'json', json: body };
  const reading = await toJson(headers, body, limits);
  if (reading.kind === 'unreadable') return reading;
  if (kind === 'json' && !looksInside(receive) && looksWhole(reading.json)) return reading;
  const reason = checkJson(reading.json, limits);
  return reason === undefined ? reading : { kind: 'unreadable', reason };
}

function looksInside({ split, topic, dedupe = [], occurredAt, shop }: ReceiveDefinition): boolean {
  return split !== undefined || [topic, dedupe, occurredAt, shop].some(isInJson);
}

function isInJson(place: Place): boolean {
  return place.some(({ from }) => from === 'json' || from === 'template');
}

interface Making {
  readonly source: string;
  readonly receive: ReceiveDefinition;
  readonly reader: RequestReader;
  readonly headers: Headers;
  readonly routes: Routes;
}

function wholeEvent(making: Making, reading: JsonReading): NewEvent {
  const { reader, receive } = making;
  const { body: bytes } = reader.request;
  if (reading.kind === 'unreadable') {
    return eventOf(making, { part: { bytes, unreadable: reading.reason }, reader, json: bytes });
  }
  const { json } = reading;
  // What is JSON already keeps the reader that may have parsed it for its signature.
  const inside =
    json === bytes ? reader : createRequestReader(reader.request, { url: receive.url, json });
  return eventOf(making, { part: { bytes }, reader: inside, json });
}

function partEvent(making: Making, part: Part): NewEvent {
  const { reader, receive } = making;
  const json = part.bytes;
  const inside = createRequestReader(reader.request, { url: receive.url, json });
  return eventOf(making, { part, reader: inside, json });
}

function eventOf(
  { source, receive, headers, routes }: Making,
  {
    part,
    reader,
    json,
  }: { readonly part: Part; readonly reader: RequestReader; readonly json: Buffer },
): NewEvent {
  const { bytes: body, unreadable } = part;
  const { topic, ...identity } = identify(receive, reader, part);
  return {
    id: newId(),
    source,
    topic,
    ...identity,
    body,
    headers,
    ...(unreadable === undefined ? {} : { unreadable }),
    deliveries: routes.route({ ...identity, source, topic, body: json }),
  };
}

/** The id that every part of a request would have, since it stands outside of them. */
function idOfRequest(receive: ReceiveDefinition, { request }: RequestReader): string | undefined {
  const json = Buffer.alloc(0);
  return idOf(receive, createRequestReader(request, { url: receive.url, json }));
}

/** Parts are JSON in UTF-8, whatever the body was that they stood in. */
function headersOfParts(headers: Headers, body: Buffer): Headers {
  const { kind, charset = 'utf-8' } = contentOf(headers, body);
  if (kind === 'json' && charset === 'utf-8') return headers;
  return { ...headers, 'content-type': 'application/json' };
}
