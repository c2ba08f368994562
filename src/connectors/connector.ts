// The port of outside systems that are called: one message in, one call, one of three answers.

import type { ConnectorDefinition, KindSchema } from '../definitions/definitions.ts';
import type { EventContext, Headers } from '../model/event.ts';
import type { Outcome } from '../model/outcome.ts';

/** One outgoing message: what the mapping made, and what it belongs to. */
export interface Message {
  readonly operation: string;
  /** JSON text (what the mapping made; without a mapping the event's own bytes as text). */
  readonly body: string;
  /** Stable over all attempts of the delivery. */
  readonly idempotencyKey: string;
  readonly deliveryId: string;
  /** 1-based. */
  readonly attempt: number;
  readonly event: EventContext;
}

/** What went over the wire, for the journal. Free of secrets; cut to `EXCHANGE_TEXT_MAX` characters. */
export interface Exchange {
  readonly request: {
    /** One line: `POST https://erp.example/api/sales-orders`, `mail to a@b.example`. */
    readonly summary: string;
    readonly headers?: Headers;
    readonly body?: string;
    readonly bytes: number;
  };
  readonly response?: {
    readonly status?: number;
    readonly headers?: Headers;
    readonly body?: string;
    readonly bytes: number;
  };
}

/** Characters of one request or response body that the journal keeps. */
export const EXCHANGE_TEXT_MAX = 16_384;

export interface Sent {
  readonly outcome: Outcome;
  readonly exchange: Exchange;
  /** The response body (within the kind's limit), of every answer that was not broken off. */
  readonly responseBody?: Buffer;
  /** For a body that goes on beyond the limit of the kind, in bytes: nothing is concluded from it. */
  readonly cutAt?: number;
}

export interface Connector {
  /**
   * Sends one message, once; retrying belongs to the delivery.
   *
   * Resolves with what the attempt came to; a timeout of the connector's own total deadline is an
   * outcome too. Rejects only on a bug, or with the signal's reason when `signal` aborts before the
   * request was written. An abort after the request was written lets the call run to its deadline.
   */
  send(message: Message, signal: AbortSignal): Promise<Sent>;
  /** Releases sockets and pools. Called once, after the last `send` has settled. */
  close(): Promise<void>;
}

/** What a kind may use of the house. */
export interface ConnectorContext {
  /** Absolute path of the project folder; relative paths in files are relative to it. */
  readonly folder: string;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** One kind of connector: its files' schema, and how to make one. Listed in `kinds.ts`. */
export interface ConnectorKind extends KindSchema {
  create(definition: ConnectorDefinition, context: ConnectorContext): Connector;
}
