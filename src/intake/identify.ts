import { createHash } from 'node:crypto';
import type { Place, ReceiveDefinition } from '../definitions/receive.ts';
import { CrossdockError } from '../model/errors.ts';
import { type Readable, readPlace } from './read-place.ts';
import { parseTimeMs } from './timestamp.ts';

/** What an event is called, and how it is recognised when it comes again. */
export interface Identity {
  readonly topic: string;
  readonly dedupeKey: string;
  /** Hex SHA-256 of the body. */
  readonly sha256: string;
  readonly occurredAt?: Date;
  readonly shop?: string;
}

/** Values longer than this are no ids; an index entry must stay small. */
const VALUE_CHARACTERS_MAX = 512;

/**
 * Names the event whose bytes are `body`; `from` reads the request with these bytes as its JSON.
 * Throws `request-malformed` where the topic is missing or a value is too long.
 */
export function identify(receive: ReceiveDefinition, from: Readable, body: Buffer): Identity {
  const sha256 = createHash('sha256').update(body).digest('hex');
  const topic = topicOf(receive, from);
  const id = receive.dedupe === undefined ? undefined : value(receive.dedupe, from);
  const shop = value(receive.shop, from);
  const occurredAt = timeOf(readPlace(receive.occurredAt, from));
  return {
    topic,
    // One body may be sent under two topics, and then it is two messages.
    dedupeKey: id ?? `${topic}:sha256:${sha256}`,
    sha256,
    ...(shop === undefined ? {} : { shop }),
    ...(occurredAt === undefined ? {} : { occurredAt }),
  };
}

function topicOf(receive: ReceiveDefinition, from: Readable): string {
  const topic = value(receive.topic, from);
  if (topic !== undefined) return topic;
  throw new CrossdockError(
    'request-malformed',
    `the request names no topic: it needs a ${placesOf(receive.topic)}`,
  );
}

function value(place: Place, from: Readable): string | undefined {
  const found = readPlace(place, from);
  if (found === undefined || found.length <= VALUE_CHARACTERS_MAX) return found;
  throw new CrossdockError(
    'request-malformed',
    `a value (${placesOf(place)}) is longer than ${VALUE_CHARACTERS_MAX} characters`,
  );
}

/** `header x-topic or json type`, for people. */
export function placesOf(place: Place): string {
  return place.map((step) => `${step.from} ${'name' in step ? step.name : step.text}`).join(' or ');
}

/** A time that nobody can read is no reason to refuse a message. */
function timeOf(text: string | undefined): Date | undefined {
  const ms = text === undefined ? undefined : parseTimeMs(text);
  if (ms === undefined) return undefined;
  const time = new Date(ms);
  const year = time.getUTCFullYear();
  return year >= 1970 && year < 10_000 ? time : undefined;
}
