import type { AttemptRecord } from '../journal/journal.ts';
import { classOf } from '../model/outcome-rules.ts';

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

export function answerOf({
  code,
  cause = code,
  attempt,
}: Pick<AttemptRecord, 'code' | 'cause' | 'attempt'>): LaneAnswer {
  if (attempt === undefined) return 'nothing';
  if (cause === undefined) return 'there';
  switch (classOf(cause)) {
    case 'connection':
    case 'timeout':
      return 'away';
    case 'rate-limited':
      return 'limited';
    case 'auth':
      return 'closed';
    default:
      return 'there';
  }
}
