// What vanishes its process: tried apart, and dead after so many strikes. An innocent that was in
// flight beside it is tried apart once, succeeds, and is suspected no more.

import type { Claim } from '../journal/journal.ts';
import type { Verdict, Work } from './attempt.ts';
import type { SuspectLimits, Suspects } from './suspects.ts';

/** The first is a claim that vanished; the others were seen, with nobody else in the process. */
export const STRIKES_MAX = 3;
/** After a strike, or without a place, it comes again between these two. */
const AGAIN_MS_MIN = 1_000;
const AGAIN_MS_MAX = 3_000;

/** Rejects as `Suspects.attempt` does. */
export async function attemptApart(
  suspects: Suspects,
  suspect: { readonly claim: Claim; readonly work: Work },
  limits: SuspectLimits,
): Promise<Verdict> {
  const { claim, work } = suspect;
  const answer = await suspects.attempt(work, limits);
  switch (answer.kind) {
    case 'verdict':
      return answer.verdict;
    case 'died':
      return strike(claim, answer.how);
    case 'busy':
      return {
        ...again(claim),
        code: 'hub-error',
        reason: 'its process vanished: it waits to be tried apart',
      };
  }
}

function strike(claim: Claim, how: string): Verdict {
  const strikes = claim.strikes + 1;
  const code = 'process-crashed';
  if (strikes >= STRIKES_MAX) {
    const reason = `ends the process that it is tried in: ${how}; given up after ${strikes} strikes`;
    return { state: 'dead', code, reason };
  }
  const reason = `its process vanished, also when tried apart: ${how}; strike ${strikes} of ${STRIKES_MAX}`;
  return { ...again(claim), code, reason, strike: true };
}

function again(claim: Claim): Pick<Verdict, 'dueInMs'> & { state: 'retrying' | 'pending' } {
  return {
    state: claim.attempts > 0 ? 'retrying' : 'pending',
    dueInMs: AGAIN_MS_MIN + Math.random() * (AGAIN_MS_MAX - AGAIN_MS_MIN),
  };
}
