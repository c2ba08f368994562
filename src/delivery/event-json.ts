// The body of an event as a flow takes it: JSON for what it evaluates.

import { contentOf } from '../content/content.ts';
import { type JsonReading, toJson } from '../content/to-json.ts';
import type { Event } from '../model/event.ts';

type WithBody = Pick<Event, 'headers' | 'body' | 'unreadable'>;

/** What expressions see. An event that was marked at intake is not read again. Never rejects. */
export async function eventJson({ headers, body, unreadable }: WithBody): Promise<JsonReading> {
  if (unreadable !== undefined) return { kind: 'unreadable', reason: unreadable };
  return toJson(headers, body);
}

/** The JSON that routes read: of what cannot be read the bytes as they are, in which no path leads anywhere. */
export async function routedJson(event: WithBody): Promise<Buffer> {
  const reading = await eventJson(event);
  return reading.kind === 'json' ? reading.json : event.body;
}

/**
 * What a flow that changes nothing passes on: JSON and plain text byte for byte, also where they
 * cannot be read; a form, XML and bytes as the JSON that a mapping would see.
 */
export async function passedOn(event: WithBody): Promise<string> {
  const { kind } = contentOf(event.headers, event.body);
  if (kind === 'text') return event.body.toString();
  const reading = await eventJson(event);
  return (reading.kind === 'json' ? reading.json : event.body).toString();
}
