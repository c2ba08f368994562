// Intake: from a request's bytes to a committed event, and nothing else. It waits for the journal
// only, never for an outside system, a lane or a mapping.

import type { IncomingHttpHeaders } from 'node:http';
import type { ConnectorDefinition } from '../definitions/definitions.ts';
import type { Routes } from '../definitions/routes.ts';
import type { Appended, Journal, NewEvent } from '../journal/journal.ts';
import { CrossdockError } from '../model/errors.ts';
import type { Headers } from '../model/event.ts';
import type { Log } from '../model/log.ts';
import type { Meter } from '../model/meter.ts';
import { within } from '../model/within.ts';
import { type Lanes, laneJobsOf } from '../queue/lanes.ts';
import { type MadeEvents, makeEvents } from './make-events.ts';
import type { PublishedKeys } from './published-keys.ts';
import { createReceivers, type Receiver } from './receiver.ts';
import { verifyEither } from './verify-either.ts';
import {
  createRequestReader,
  plainHeaders,
  repeatedHeaders,
  type WebhookRequest,
} from './webhook-request.ts';

export interface IntakeRequest {
  readonly connector: string;
  readonly method: string;
  /** Path and query as they came. */
  readonly target: string;
  /** As Node gives them: names in lower case, repeated ones joined. */
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  /** The exact bytes that were received, decoded where they were compressed. */
  readonly body: Buffer;
  /** As they were sent, where that was compressed. */
  readonly sentBody?: Buffer;
}

export interface IntakeAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; a request that is a list names the event of each element in `ids`. */
  readonly body: { readonly id?: string; readonly ids?: readonly string[] };
}

export interface Intake {
  /** Bytes that a body of this connector may have; `undefined` where it receives nothing. */
  bodyBytesMax(connector: string): number | undefined;
  /**
   * Resolves with the event's id after its commit; for a message that came before, with the first
   * one's id. Rejects `connector-unknown`, `signature-invalid`, `body-too-large` (too many events),
   * or `journal-unavailable` when the journal did not take it in time.
   */
  accept(request: IntakeRequest): Promise<IntakeAnswer>;
}

/** A vendor waits a few seconds at most; past this it is told to come again. */
const APPEND_DEADLINE_MS = 2_000;

/** What identifies a person or a session at the sender is not kept. */
const unkeptHeaders = ['authorization', 'cookie', 'proxy-authorization'];

export interface IntakePorts {
  readonly connectors: ReadonlyMap<string, ConnectorDefinition>;
  readonly routes: Routes;
  readonly journal: Journal;
  readonly lanes: Lanes;
  readonly meter: Meter;
  readonly log: Log;
  readonly keys: PublishedKeys;
  /** Told of a message that came under the id of an event with another body. */
  onConflict?(conflict: MessageConflict): void;
}

export interface MessageConflict {
  /** Of the first one. */
  readonly eventId: string;
  readonly source: string;
  readonly topic: string;
  /** The dedupe key that both have. */
  readonly key: string;
  /** Of the body that came now. */
  readonly sha256: string;
}

export function createIntake(ports: IntakePorts): Intake {
  const { routes, journal, lanes, log } = ports;
  const receivers = createReceivers(ports.connectors, ports);

  const schedule = (event: NewEvent): void => {
    if (event.deliveries.length === 0) return;
    lanes.add(laneJobsOf(event)).catch((error: unknown) => {
      log.debug({ err: error, event: event.id }, 'not scheduled; the sweep will do it');
    });
  };

  return {
    bodyBytesMax: (connector) => receivers.get(connector)?.receive.limits.bytesMax,
    async accept(request) {
      const { connector, sentBody } = request;
      const { receive, verifier } = receiverOf(receivers, connector);
      const webhook = webhookOf(request);
      const reader = createRequestReader(webhook, { url: receive.url });
      const verdict = await verifyEither(verifier, { reader, sentBody, url: receive.url });
      if (verdict.kind === 'refused') {
        throw new CrossdockError('signature-invalid', `connector ${connector}: ${verdict.reason}`);
      }
      const headers = keptHeaders(webhook.headers, sentBody !== undefined);
      const made = await makeEvents({ source: connector, receive, reader }, headers, routes);
      const { events, isSplit } = made;
      const appended = await within(append(journal, made), APPEND_DEADLINE_MS, tooSlow);
      appended.forEach((one, index) => {
        const event = events[index];
        if (event === undefined) return;
        if (one.kind === 'stored') schedule(event);
        else tellOfRepeat(ports, event, one);
      });
      const ids = appended.map(({ id }) => id);
      const [id] = ids;
      const first = id === undefined ? {} : { id };
      return { status: 200, body: isSplit ? { ...first, ids } : first };
    },
  };
}

/** One event travels by itself; those of a list are all stored or none of them is. */
async function append(
  journal: Journal,
  { events, isSplit }: MadeEvents,
): Promise<readonly Appended[]> {
  const [event] = events;
  if (isSplit) return journal.appendTogether(events);
  return event === undefined ? [] : [await journal.append(event)];
}

function tellOfRepeat(
  { meter, log, onConflict }: Pick<IntakePorts, 'meter' | 'log' | 'onConflict'>,
  { source, topic, dedupeKey: key, sha256 }: NewEvent,
  { id, sameBody }: Extract<Appended, { readonly kind: 'duplicate' }>,
): void {
  meter.duplicate(source);
  if (sameBody) return;
  meter.conflict(source);
  log.warn({ source, event: id }, 'same id came with another body; it is kept beside the event');
  onConflict?.({ eventId: id, source, topic, key, sha256 });
}

function receiverOf(receivers: ReadonlyMap<string, Receiver>, id: string): Receiver {
  const receiver = receivers.get(id);
  if (receiver !== undefined) return receiver;
  throw new CrossdockError('connector-unknown', 'no connector of this name receives webhooks');
}

function webhookOf({ method, target, headers, rawHeaders, body }: IntakeRequest): WebhookRequest {
  return {
    method,
    target,
    headers: plainHeaders(headers),
    repeated: repeatedHeaders(rawHeaders),
    body,
  };
}

function tooSlow(): CrossdockError {
  const message = `the journal did not take the event within ${APPEND_DEADLINE_MS} ms`;
  return new CrossdockError('journal-unavailable', message);
}

/** A body that was decoded is not what its headers about bytes on the wire say any more. */
function keptHeaders(headers: Headers, wasEncoded: boolean): Headers {
  const left = wasEncoded
    ? [...unkeptHeaders, 'content-encoding', 'content-length']
    : unkeptHeaders;
  if (!left.some((name) => name in headers)) return headers;
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !left.includes(name)));
}
