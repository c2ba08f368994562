// Intake: from a request's bytes to a committed event, and nothing else. It waits for the journal
// only, never for an outside system, a lane or a mapping.

import type { IncomingHttpHeaders } from 'node:http';
import type { Routes } from '../definitions/routes.ts';
import type { Journal, NewEvent } from '../journal/journal.ts';
import { CrossdockError } from '../model/errors.ts';
import type { Headers } from '../model/event.ts';
import { newId } from '../model/ids.ts';
import type { Log } from '../model/log.ts';
import type { Meter } from '../model/meter.ts';
import { within } from '../model/within.ts';
import { type Lanes, laneJobsOf } from '../queue/lanes.ts';
import { identify } from './identify.ts';
import type { LiveReceiver, LiveReceivers } from './live-receivers.ts';
import { type Refusals, unnotedRefusals } from './refusals.ts';
import type { SecretCounter } from './secret-uses.ts';
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
  /** The exact bytes that were received. */
  readonly body: Buffer;
  /** Who sent it, and whether a trusted proxy says so. @default unknown, and none */
  readonly client?: { readonly address?: string; readonly viaTrustedProxy: boolean };
  /** It comes out of the quarantine, and was noted there; a trial stores nothing. */
  readonly again?: { readonly receivedAtMs: number; readonly isTrial: boolean };
}

export interface IntakeAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body: { readonly id: string };
}

export interface Intake {
  /** Bytes that a body of this connector may have; `undefined` where it receives nothing. */
  bodyBytesMax(connector: string): number | undefined;
  /**
   * Resolves with the event's id after its commit; for a message that came before, with the first
   * one's id. Rejects `connector-unknown`, `signature-invalid`, `too-many-refused`,
   * `request-malformed`, `key-unavailable`, or `journal-unavailable` when the journal did not take
   * it in time.
   */
  accept(request: IntakeRequest): Promise<IntakeAnswer>;
}

/** A vendor waits a few seconds at most; past this it is told to come again. */
const APPEND_DEADLINE_MS = 2_000;

/** What identifies a person or a session at the sender is not kept. */
const unkeptHeaders = ['authorization', 'cookie', 'proxy-authorization'];

export function createIntake(ports: {
  readonly receivers: Pick<LiveReceivers, 'get'>;
  readonly secrets: Pick<SecretCounter, 'matched'>;
  readonly routes: Routes;
  readonly journal: Journal;
  readonly lanes: Lanes;
  readonly meter: Meter;
  readonly log: Log;
  readonly refusals: Refusals;
}): Intake {
  const { receivers, secrets, routes, journal, lanes, meter, log } = ports;

  const schedule = (event: NewEvent): void => {
    if (event.deliveries.length === 0) return;
    lanes.add(laneJobsOf(event)).catch((error: unknown) => {
      log.debug({ err: error, event: event.id }, 'not scheduled; the sweep will do it');
    });
  };

  return {
    bodyBytesMax: (connector) => receivers.get(connector)?.receive.limits.bytesMax,
    async accept(request) {
      const { connector, body, again } = request;
      const { receive, verifier, marks } = receiverOf(receivers, connector);
      const webhook = webhookOf(request);
      const received = { connector, receive, request: webhook };
      const refusals = again === undefined ? ports.refusals : unnotedRefusals;
      refusals.admit(received);
      const { headers } = webhook;
      const reader = createRequestReader(webhook, { url: receive.url });
      const verdict = await verifier(reader, again?.receivedAtMs ?? Date.now());
      if (verdict.kind === 'refused') throw refusals.note(received, verdict);
      refusals.passed(received);
      const secret = verdict.secret === undefined ? undefined : marks.get(verdict.secret);
      if (secret !== undefined) secrets.matched(connector, secret);
      const { topic, ...identity } = identify(receive, reader, body);
      const event: NewEvent = {
        id: newId(),
        source: connector,
        topic,
        ...identity,
        body,
        headers: keptHeaders(headers),
        deliveries: routes.route({ ...identity, source: connector, topic, body }),
      };
      if (again?.isTrial === true) return { status: 200, body: { id: event.id } };
      const appended = await within(journal.append(event), APPEND_DEADLINE_MS, tooSlow);
      if (appended.kind === 'stored') {
        schedule(event);
        return { status: 200, body: { id: appended.id } };
      }
      meter.duplicate(connector);
      if (!appended.sameBody) {
        log.warn({ source: connector, event: appended.id }, 'same id came with another body');
      }
      return { status: 200, body: { id: appended.id } };
    },
  };
}

function receiverOf(receivers: Pick<LiveReceivers, 'get'>, id: string): LiveReceiver {
  const receiver = receivers.get(id);
  if (receiver !== undefined) return receiver;
  throw new CrossdockError('connector-unknown', 'no connector of this name receives webhooks');
}

function webhookOf(request: IntakeRequest): WebhookRequest {
  const { method, target, headers, rawHeaders, body, client } = request;
  return {
    method,
    target,
    headers: plainHeaders(headers),
    repeated: repeatedHeaders(rawHeaders),
    body,
    ...client,
  };
}

function tooSlow(): CrossdockError {
  const message = `the journal did not take the event within ${APPEND_DEADLINE_MS} ms`;
  return new CrossdockError('journal-unavailable', message);
}

function keptHeaders(headers: Headers): Headers {
  if (!unkeptHeaders.some((name) => name in headers)) return headers;
  const kept = Object.entries(headers).filter(([name]) => !unkeptHeaders.includes(name));
  return Object.fromEntries(kept);
}
