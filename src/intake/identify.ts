import { createHash } from 'node:crypto';
import type { Place, ReceiveDefinition } from '../definitions/receive.ts';
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

/** The topic of a message that has none, or one that is longer than any. */
export const UNNAMED_TOPIC = 'unnamed';
/** The topic of a message that cannot be read, and has no topic elsewhere. */
export const UNREADABLE_TOPIC = 'unreadable';

/**
 * Names the event whose bytes are given; `from` reads the request with these bytes as its JSON. Never
 * throws: a message is not refused for what it is called.
 */
export function identify(
  receive: ReceiveDefinition,
  from: Readable,
  { bytes, unreadable }: { readonly bytes: Buffer; readonly unreadable?: string },
): Identity {
  const sha256 = sha256Of(bytes);
  const topic =
    value(receive.topic, from) ?? (unreadable === undefined ? UNNAMED_TOPIC : UNREADABLE_TOPIC);
  const shop = value(receive.shop, from);
  const occurredAt = timeOf(readPlace(receive.occurredAt, from));
  return {
    topic,
    // One body may be sent under two topics, and then it is two messages.
    dedupeKey: idOf(receive, from) ?? `${topic}:sha256:${sha256}`,
    sha256,
    ...(shop === undefined ? {} : { shop }),
    ...(occurredAt === undefined ? {} : { occurredAt }),
  };
}

/** An id too long for an index still tells messages apart by its hash. */
export function idOf({ dedupe }: ReceiveDefinition, from: Readable): string | undefined {
  const id = dedupe === undefined ? undefined : readPlace(dedupe, from);
  if (id === undefined || id.length <= VALUE_CHARACTERS_MAX) return id;
  return `sha256:${sha256Of(id)}`;
}

function value(place: Place, from: Readable): string | undefined {
  const found = readPlace(place, from);
  return found === undefined || found.length > VALUE_CHARACTERS_MAX ? undefined : found;
}

function sha256Of(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
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
