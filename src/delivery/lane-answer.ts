import type { AttemptRecord } from '../journal/journal.ts';

/**
 * What an attempt tells of the target, whatever it means for the delivery:
 *
 * ```
 *  there     it answered, be it with a refusal: its lane may go on
 *  limited   it asks for fewer calls
 *  away      it could not be reached, or did not answer in time
 *  closed    it does not let us in, and no delivery is at fault
 *  nothing   nothing was called
 * ```
 */
export type LaneAnswer = 'there' | 'limited' | 'away' | 'closed' | 'nothing';

export function answerOf(record: Pick<AttemptRecord, 'state' | 'code' | 'attempt'>): LaneAnswer {
  const { state, code, attempt } = record;
  if (attempt === undefined) return 'nothing';
  switch (code) {
    case 'connection-failed':
    case 'timed-out':
      return 'away';
    case 'retries-exhausted':
      // The code of the last failure is lost here; without a status nobody answered.
      return attempt.status === undefined ? 'away' : 'there';
    case 'rate-limited':
      return 'limited';
    case 'unauthorized':
      return state === 'retrying' && attempt.spends === false ? 'closed' : 'there';
    default:
      return 'there';
  }
}
