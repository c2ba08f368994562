// The look before a message is sent once more: whether an earlier attempt, of which nobody knows what
// became, has done the work.

import type { Message } from '../connectors/connector.ts';
import type { LookupDefinition } from '../definitions/definitions.ts';
import type { Outcome } from '../model/outcome.ts';
import { ruleOf } from '../model/outcome-rules.ts';
import type { LiveConnector } from './attempt.ts';
import { type Call, callOperation, operationOf } from './call.ts';
import { type AnswerPorts, testAnswer } from './evaluate-answer.ts';

/** With the call as it is to be recorded; `failed`: nobody knows, so nothing may be sent. */
export type LookedUp =
  | { readonly kind: 'found' | 'failed'; readonly call: Call }
  | { readonly kind: 'absent' };

/** Rejects as `callOperation` does, or `overloaded` where the answer could not be tested. */
export async function lookUp(
  { operation, found }: LookupDefinition,
  {
    live,
    message,
    ports,
  }: { readonly live: LiveConnector; readonly message: Message; readonly ports: AnswerPorts },
  signal: AbortSignal,
): Promise<LookedUp> {
  const call = await callOperation({ live, message: { ...message, operation } }, ports, signal);
  const { outcome } = call.sent;
  // Of a look the plain "no" of HTTP is an answer.
  if (outcome.kind === 'rejected' && outcome.status === 404) return { kind: 'absent' };
  if (outcome.kind !== 'delivered') return failed(call, outcome);
  const tested = await testAnswer(found, call, ports);
  switch (tested.kind) {
    case 'true':
      return { kind: 'found', call: withOutcome(call, foundBy(call, outcome)) };
    case 'false':
      return { kind: 'absent' };
    case 'failed': {
      const { kind, reason: _, ...rest } = outcome;
      return failed(call, {
        ...rest,
        kind: 'retry',
        code: 'response-unusable',
        reason: tested.why,
      });
    }
  }
}

function foundBy(call: Call, outcome: Extract<Outcome, { kind: 'delivered' }>): Outcome {
  const reason = `${operationOf(call)} found it: an earlier attempt had worked, nothing was sent`;
  return { ...outcome, reason };
}

/** Even a refusal is only about the look: the message itself is tried again. */
function failed(call: Call, outcome: Exclude<Outcome, { kind: 'delivered' }>): LookedUp {
  const code = ruleOf(outcome.code) === 'dead' ? 'remote-error' : outcome.code;
  const reason = `${operationOf(call)} could not tell whether it is there, so nothing was sent: ${outcome.reason}`;
  // Nothing that changes the target was asked: the look itself leaves nothing in doubt.
  return {
    kind: 'failed',
    call: withOutcome(call, { ...outcome, kind: 'retry', code, reason, ambiguous: false }),
  };
}

function withOutcome(call: Call, outcome: Outcome): Call {
  return { ...call, sent: { ...call.sent, outcome } };
}
