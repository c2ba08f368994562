// Intake: from a request's bytes to a committed event, and nothing else. It waits for the journal
// only, never for an outside system, a lane or a mapping.

import type { IncomingHttpHeaders } from 'node:http';
import type { ConnectorDefinition } from '../definitions/definitions.ts';
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
import type { PublishedKeys } from './published-keys.ts';
import { createReceivers, type Receiver } from './receiver.ts';
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
   * one's id. Rejects `connector-unknown`, `signature-invalid`, `request-malformed`,
   * `key-unavailable`, or `journal-unavailable` when the journal did not take it in time.
   */
  accept(request: IntakeRequest): Promise<IntakeAnswer>;
}

/** A vendor waits a few seconds at most; past this it is told to come again. */
const APPEND_DEADLINE_MS = 2_000;

/** What identifies a person or a session at the sender is not kept. */
const unkeptHeaders = ['authorization', 'cookie', 'proxy-authorization'];

export function createIntake(ports: {
  readonly connectors: ReadonlyMap<string, ConnectorDefinition>;
  readonly routes: Routes;
  readonly journal: Journal;
  readonly lanes: Lanes;
  readonly meter: Meter;
  readonly log: Log;
  readonly keys: PublishedKeys;
}): Intake {
  const { routes, journal, lanes, meter, log } = ports;
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
      const { connector, body } = request;
      const { receive, verifier } = receiverOf(receivers, connector);
      const webhook = webhookOf(request);
      const { headers } = webhook;
      const reader = createRequestReader(webhook, { url: receive.url });
      const verdict = await verifier(reader, Date.now());
      if (verdict.kind === 'refused') {
        if (verdict.code === 'key-unavailable') throw keyUnavailable(connector, verdict.reason);
        throw new CrossdockError('signature-invalid', `connector ${connector}: ${verdict.reason}`);
      }
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

function receiverOf(receivers: ReadonlyMap<string, Receiver>, id: string): Receiver {
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

/** Not the sender's fault, so it is told to come again. */
function keyUnavailable(connector: string, reason: string): CrossdockError {
  return new CrossdockError('key-unavailable', `connector ${connector}: ${reason}`);
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
