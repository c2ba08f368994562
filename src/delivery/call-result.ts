// The result of a call that worked, and the event that it becomes.

import type { MappingAnswer } from '../mapping/mapper.ts';
import type { FlowRevision } from '../model/flow-revision.ts';
import type { Outcome } from '../model/outcome.ts';
import type { Verdict } from './attempt.ts';
import { type Call, operationOf } from './call.ts';
import { type AnswerPorts, cutOff, patiently } from './evaluate-answer.ts';

/**
 * The verdict with its result: by the `result` of the operation that was called, or of the flow's
 * own. Whatever the answer is like, the delivery stays delivered. Resolves with nothing where the
 * result is to become an event and the mapper did not take it.
 */
export async function withResult(
  verdict: Verdict,
  call: Call,
  { revision, ports }: { readonly revision: FlowRevision; readonly ports: AnswerPorts },
): Promise<Verdict | undefined> {
  const { operations } = call.live.definition;
  const map =
    operations.get(call.message.operation)?.result ?? operations.get(revision.operation)?.result;
  const { emit } = revision;
  if (map === undefined && emit === undefined) return verdict;
  const { responseBody, cutAt } = call.sent;
  if (cutAt !== undefined) return withoutAny(verdict, cutOff(cutAt));
  const body = responseBody ?? Buffer.from('null');
  const { event, body: sent } = call.message;
  const program = map === undefined ? {} : { map };
  const id = `result:${operationOf(call)}:${map?.source ?? ''}`;
  const evaluate = () => ports.mapper.map(id, program, { body, event, sent, nowMs: ports.now() });
  const answer = await evaluateAtLast(evaluate);
  if (answer === undefined && emit !== undefined) return undefined;
  if (answer?.kind !== 'mapped') return withoutAny(verdict, whyNone(answer));
  const result = answer.output;
  return {
    ...verdict,
    result,
    ...(emit === undefined ? {} : { emits: { ...emit, body: result } }),
  };
}

function withoutAny(verdict: Verdict, why: string): Verdict {
  const reason = [verdict.reason, `delivered, but no result: ${why}`].filter(Boolean).join('; ');
  return { ...verdict, code: 'response-unusable', reason };
}

function whyNone(answer: MappingAnswer | undefined): string {
  if (answer === undefined) return 'the mapper did not take it';
  return answer.kind === 'failed' ? answer.message : 'it was empty';
}

/**
 * Nothing where the mapper does not take it. Nor is a bug thrown from here: the call was made, and
 * whatever happens after it must not make that forgotten.
 */
async function evaluateAtLast(
  evaluate: () => Promise<MappingAnswer>,
): Promise<MappingAnswer | undefined> {
  try {
    return await patiently(evaluate);
  } catch {
    return undefined;
  }
}

/**
 * A call that worked, whose result is to become an event and could not be made: the hub's own
 * trouble. It is worth another call with the same key, or a look where the operation has one.
 */
export function withoutResult(call: Call): Call {
  const { status, restMs } = call.sent.outcome;
  const { title, id } = call.live.definition;
  const answered = status === undefined ? 'answered' : `answered ${status}`;
  const outcome: Outcome = {
    kind: 'retry',
    code: 'hub-error',
    reason: `${title ?? id} ${answered}; its result, which becomes an event, was not taken by the mapper`,
    ambiguous: true,
    ...(status === undefined ? {} : { status }),
    ...(restMs === undefined ? {} : { restMs }),
  };
  return { ...call, sent: { ...call.sent, outcome } };
}
