import { createHash } from 'node:crypto';
import type { ReceiveDefinition } from '../definitions/definitions.ts';
import { CrossdockError } from '../model/errors.ts';
import type { Headers } from '../model/event.ts';
import { firstHeader } from './first-header.ts';

/** What an event is called, and how it is recognised when it comes again. */
export interface Identity {
  readonly topic: string;
  readonly dedupeKey: string;
  /** Hex SHA-256 of the body. */
  readonly sha256: string;
  readonly occurredAt?: Date;
  readonly shop?: string;
}

/** Header values longer than this are no ids; an index entry must stay small. */
const VALUE_CHARACTERS_MAX = 512;

/** Throws `request-malformed` where the topic is missing or a value is too long. */
export function identify(receive: ReceiveDefinition, headers: Headers, body: Buffer): Identity {
  const sha256 = createHash('sha256').update(body).digest('hex');
  const topic = topicOf(receive, headers);
  const id = receive.dedupe === 'body' ? undefined : value(headers, receive.dedupe.headers);
  const shop = value(headers, receive.shop);
  const occurredAt = timeOf(firstHeader(headers, receive.occurredAt));
  return {
    topic,
    // One body may be sent under two topics, and then it is two messages.
    dedupeKey: id ?? `${topic}:sha256:${sha256}`,
    sha256,
    ...(shop === undefined ? {} : { shop }),
    ...(occurredAt === undefined ? {} : { occurredAt }),
  };
}

function topicOf(receive: ReceiveDefinition, headers: Headers): string {
  if ('fixed' in receive.topic) return receive.topic.fixed;
  const topic = value(headers, receive.topic.headers);
  if (topic !== undefined) return topic;
  throw new CrossdockError(
    'request-malformed',
    `the request names no topic: it needs a header ${receive.topic.headers.join(' or ')}`,
  );
}

function value(headers: Headers, names: readonly string[]): string | undefined {
  const found = firstHeader(headers, names);
  if (found === undefined || found.length <= VALUE_CHARACTERS_MAX) return found;
  throw new CrossdockError(
    'request-malformed',
    `a header (${names.join(' or ')}) is longer than ${VALUE_CHARACTERS_MAX} characters`,
  );
}

/** A time that nobody can read is no reason to refuse a message. */
function timeOf(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const time = new Date(/^\d{10}$/.test(text) ? Number(text) * 1_000 : text);
  const year = time.getUTCFullYear();
  return year >= 1970 && year < 10_000 ? time : undefined;
}
