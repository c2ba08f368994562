// The result of a call that worked, and the event that it becomes.

import type { MappingAnswer } from '../mapping/mapper.ts';
import type { FlowRevision } from '../model/flow-revision.ts';
import type { Verdict } from './attempt.ts';
import { type Call, operationOf } from './call.ts';
import { type AnswerPorts, patiently } from './evaluate-answer.ts';

/**
 * The verdict with its result: by the `result` of the operation that was called, or of the flow's
 * own. Whatever the answer is like, the delivery stays delivered.
 */
export async function withResult(
  verdict: Verdict,
  call: Call,
  { revision, ports }: { readonly revision: FlowRevision; readonly ports: AnswerPorts },
): Promise<Verdict> {
  const { operations } = call.live.definition;
  const map =
    operations.get(call.message.operation)?.result ?? operations.get(revision.operation)?.result;
  const { emit } = revision;
  if (map === undefined && emit === undefined) return verdict;
  const body = call.sent.responseBody ?? Buffer.from('null');
  const { event, body: sent } = call.message;
  const program = map === undefined ? {} : { map };
  const id = `result:${operationOf(call)}:${map?.source ?? ''}`;
  const evaluate = () => ports.mapper.map(id, program, { body, event, sent, nowMs: ports.now() });
  const answer = await evaluateAtLast(evaluate, emit !== undefined);
  if (answer.kind !== 'mapped') {
    const why = answer.kind === 'failed' ? answer.message : 'it was empty';
    const reason = [verdict.reason, `delivered, but no result: ${why}`].filter(Boolean).join('; ');
    return { ...verdict, code: 'response-unusable', reason };
  }
  const result = answer.output;
  return {
    ...verdict,
    result,
    ...(emit === undefined ? {} : { emits: { ...emit, body: result } }),
  };
}

/**
 * The call is not forgotten because the mapper is busy. Where it stays so, a result that becomes an
 * event is worth another call with the same key; any other is done without.
 */
async function evaluateAtLast(
  evaluate: () => Promise<MappingAnswer>,
  isNeeded: boolean,
): Promise<MappingAnswer> {
  try {
    return await patiently(evaluate);
  } catch (error) {
    if (isNeeded) throw error;
    return { kind: 'failed', code: 'mapping-crashed', message: 'the mapper did not take it' };
  }
}
