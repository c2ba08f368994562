// The connector that a flow's test sends through. For `http` it is the real kind, pointed at the
// stand-in server, so that method, path, headers and body are what would go out; for any other
// kind one that writes the message down. Each call is a turn of the case.

import type { Connector, Message, Sent } from '../../connectors/connector.ts';
import { connectorKinds } from '../../connectors/kinds.ts';
import type { ConnectorDefinition } from '../../definitions/definitions.ts';
import type { LiveConnector } from '../../delivery/attempt.ts';
import type { JsonObject } from '../../model/json.ts';
import type { Outcome } from '../../model/outcome.ts';
import { parseRetryAfter } from '../../model/retry.ts';
import { formatExact } from '../exact-value.ts';
import type { Answer } from './cases.ts';
import { lowerCaseNames } from './cases.ts';
import type { StandInServer, Turn } from './stand-in-server.ts';

/** How long a call waits that will never be answered. */
const TIMEOUT_SHORT_MS = 400;
/** How long one waits that will be; only a very busy machine gets near it. */
const TIMEOUT_LONG_MS = 30_000;

export interface StandIn {
  readonly definition: ConnectorDefinition;
  /** Of `<connector>.<operation>`. */
  nextTurn(to: string): Turn;
  readonly server: StandInServer;
  readonly folder: string;
  now(): number;
}

export function createStandIn(standIn: StandIn): LiveConnector {
  const { definition } = standIn;
  const send = definition.kind === 'http' ? httpSend(standIn) : recordingSend(standIn);
  return { definition, connector: { send, close: async () => undefined } };
}

/** Each call has a connector of its own, since only some of them wait for a timeout. */
function httpSend({ definition, folder, now, server, nextTurn }: StandIn): Connector['send'] {
  const kind = connectorKinds.find((candidate) => candidate.kind === 'http');
  if (kind === undefined) throw new Error('the list of kinds has no http');
  return async (message, signal) => {
    const turn = nextTurn(toOf(definition, message));
    const redirected: ConnectorDefinition = {
      ...definition,
      fields: redirect(definition.fields, server),
      timeoutMs: turn.answer.error === 'timeout' ? TIMEOUT_SHORT_MS : TIMEOUT_LONG_MS,
    };
    server.play(turn);
    const connector = kind.create(redirected, { folder, now });
    try {
      return await connector.send(message, signal);
    } finally {
      await connector.close();
    }
  };
}

function toOf({ id }: ConnectorDefinition, { operation }: Message): string {
  return `${id}.${operation}`;
}

/** The same paths below another origin, and access tokens from there too. */
function redirect(fields: JsonObject, server: StandInServer): JsonObject {
  const { pathname } = new URL(String(fields['baseUrl']));
  const auth = (fields['auth'] ?? {}) as JsonObject;
  const oauth2 = auth['oauth2'] as JsonObject | undefined;
  return {
    ...fields,
    baseUrl: server.origin + pathname,
    ...(oauth2 === undefined
      ? {}
      : { auth: { ...auth, oauth2: { ...oauth2, tokenUrl: server.tokenUrl } } }),
  };
}

function recordingSend({ definition, now, nextTurn }: StandIn): Connector['send'] {
  return async (message): Promise<Sent> => {
    const turn = nextTurn(toOf(definition, message));
    turn.record({ to: turn.to, headers: {}, body: message.body });
    const bytes = Buffer.byteLength(message.body);
    const outcome = outcomeOf(turn.answer, now());
    const sent = { outcome, exchange: { request: { summary: `test of ${turn.to}`, bytes } } };
    const { body, error } = turn.answer;
    if (error !== undefined) return sent;
    return { ...sent, responseBody: Buffer.from(body === undefined ? '{}' : formatExact(body)) };
  };
}

/** Answers are written in the statuses of HTTP, whatever the kind speaks. */
function outcomeOf({ status, headers = {}, error }: Answer, nowMs: number): Outcome {
  if (error === 'timeout') {
    return { kind: 'retry', code: 'timed-out', reason: 'no answer in time', ambiguous: true };
  }
  if (error === 'connection') {
    return { kind: 'retry', code: 'connection-failed', reason: 'no connection' };
  }
  const number = Number(status?.text ?? 200);
  const reason = `answered ${number}`;
  if (number < 300) return { kind: 'delivered', status: number };
  if (number < 500 && ![408, 425, 429].includes(number)) {
    return { kind: 'rejected', code: 'rejected', reason, status: number };
  }
  const afterMs = parseRetryAfter(lowerCaseNames(headers)['retry-after'], nowMs);
  const code = number === 429 ? 'rate-limited' : 'remote-error';
  const retry = { kind: 'retry', code, reason, status: number } as const;
  return afterMs === undefined ? retry : { ...retry, afterMs };
}
