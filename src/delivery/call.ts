// One call within an attempt: an operation, a message, what came back, and what that means by the
// files.

import type { Message, Sent } from '../connectors/connector.ts';
import type { AttemptRecord } from '../journal/journal.ts';
import type { OutcomeOverride } from '../model/outcome.ts';
import { applyOutcomes } from './apply-outcomes.ts';
import type { LiveConnector } from './attempt.ts';
import type { AnswerPorts } from './evaluate-answer.ts';

export interface Call {
  readonly live: LiveConnector;
  readonly message: Message;
  /** With the outcome as the files have it. */
  readonly sent: Sent;
  readonly durationMs: number;
}

export interface Calling {
  readonly live: LiveConnector;
  readonly message: Message;
  /** What the flow says about answers; the operation's own comes after it. */
  readonly outcomes?: readonly OutcomeOverride[];
}

/** Rejects only when `signal` aborted before anything was sent, or on a bug. */
export async function callOperation(
  { live, message, outcomes = [] }: Calling,
  ports: AnswerPorts,
  signal: AbortSignal,
): Promise<Call> {
  const startedMs = ports.now();
  const sent = await live.connector.send(message, signal);
  const durationMs = Math.max(0, Math.round(ports.now() - startedMs));
  const own = live.definition.operations.get(message.operation)?.outcomes ?? [];
  if (outcomes.length + own.length === 0) return { live, message, sent, durationMs };
  const outcome = await applyOutcomes({ sent, message }, [...outcomes, ...own], ports);
  return { live, message, sent: { ...sent, outcome }, durationMs };
}

/** `erp.createSalesOrder`. */
export function operationOf({ live, message }: Pick<Call, 'live' | 'message'>): string {
  return `${live.definition.id}.${message.operation}`;
}

/** The call as the journal keeps it. */
export function attemptOf({ sent, durationMs }: Call): NonNullable<AttemptRecord['attempt']> {
  const { outcome, exchange } = sent;
  return {
    durationMs,
    outcome: outcome.kind,
    ambiguous: isAmbiguous(sent),
    ...(outcome.status === undefined ? {} : { status: outcome.status }),
    request: JSON.stringify(exchange.request),
    ...(exchange.response === undefined ? {} : { response: JSON.stringify(exchange.response) }),
  };
}

export function isAmbiguous({ outcome }: Sent): boolean {
  return outcome.kind === 'retry' && outcome.ambiguous === true;
}
