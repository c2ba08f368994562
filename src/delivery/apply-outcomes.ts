// Outcomes as files override them: the flow's `outcomes` first, then the operation's; the first that
// matches counts. An answer that none of them is about costs nothing.

import type { Message, Sent } from '../connectors/connector.ts';
import { isCrossdockError } from '../model/errors.ts';
import type { Outcome, OutcomeCode, OutcomeOverride } from '../model/outcome.ts';
import { type OutcomeRule, ruleOf } from '../model/outcome-rules.ts';
import { type AnswerPorts, type Tested, testAnswer } from './evaluate-answer.ts';

interface Called {
  readonly sent: Sent;
  readonly message: Message;
}

/** The outcome of a call by the files. Only a whole answer is looked at, never a broken one. */
export async function applyOutcomes(
  called: Called,
  overrides: readonly OutcomeOverride[],
  ports: AnswerPorts,
): Promise<Outcome> {
  const { outcome, responseBody } = called.sent;
  if (responseBody === undefined) return outcome;
  const failures: string[] = [];
  for (const override of overrides) {
    const tested = await matches(override, called, ports);
    if (tested.kind === 'true') return overridden(outcome, override);
    if (tested.kind === 'busy') return undecided(outcome);
    if (tested.kind === 'failed') failures.push(tested.why);
  }
  return failures.length === 0 ? outcome : withNote(outcome, failures);
}

async function matches(
  { statuses, when }: OutcomeOverride,
  called: Called,
  ports: AnswerPorts,
): Promise<Tested | { readonly kind: 'busy' }> {
  const { status } = called.sent.outcome;
  if (statuses !== undefined && (status === undefined || !statuses.includes(status))) {
    return { kind: 'false' };
  }
  if (when === undefined) return { kind: 'true' };
  try {
    return await testAnswer(when, called, ports);
  } catch (error) {
    if (isCrossdockError(error)) return { kind: 'busy' };
    throw error;
  }
}

function overridden(outcome: Outcome, { then, when }: OutcomeOverride): Outcome {
  const where = when === undefined ? '' : ` (${when.file}:${when.line})`;
  const what = outcome.kind === 'delivered' ? answered(outcome) : outcome.reason;
  const { status, restMs } = outcome;
  const rest = {
    ...(status === undefined ? {} : { status }),
    ...(restMs === undefined ? {} : { restMs }),
  };
  if (then === 'delivered') {
    return { kind: 'delivered', ...rest, reason: `${what}; delivered by its outcomes${where}` };
  }
  if (then === 'dead') {
    const code = codeFor(outcome, ['dead'], 'rejected');
    return { kind: 'rejected', code, reason: `${what}; dead by its outcomes${where}`, ...rest };
  }
  const afterMs = outcome.kind === 'delivered' ? undefined : outcome.afterMs;
  return {
    kind: 'retry',
    code: codeFor(outcome, ['retry', 'rest'], 'remote-error'),
    reason: `${what}; tried again by its outcomes${where}`,
    ...rest,
    ...(afterMs === undefined ? {} : { afterMs }),
  };
}

/** Its own code where that leads to what the file says. */
function codeFor(
  outcome: Outcome,
  rules: readonly OutcomeRule[],
  otherwise: OutcomeCode,
): OutcomeCode {
  return outcome.kind !== 'delivered' && rules.includes(ruleOf(outcome.code))
    ? outcome.code
    : otherwise;
}

function answered({ status }: Outcome): string {
  return status === undefined ? 'answered' : `answered ${status}`;
}

/**
 * The mapper took none of it. That is the hub's own trouble: what the answer means is not guessed,
 * and no attempt is spent. A success may have been one, so it is in doubt.
 */
function undecided(outcome: Outcome): Outcome {
  const { status, restMs } = outcome;
  const what = outcome.kind === 'delivered' ? answered(outcome) : outcome.reason;
  return {
    kind: 'retry',
    code: 'hub-error',
    reason: `${what}; what that means by its outcomes could not be evaluated: the mapper is busy`,
    ...(status === undefined ? {} : { status }),
    ...(restMs === undefined ? {} : { restMs }),
    ...(outcome.kind === 'delivered' ? { ambiguous: true } : {}),
  };
}

function withNote(outcome: Outcome, failures: readonly string[]): Outcome {
  const note = `its outcomes could not be evaluated: ${failures.join('; ')}`;
  const reason = outcome.reason === undefined ? note : `${outcome.reason}; ${note}`;
  return { ...outcome, reason };
}
