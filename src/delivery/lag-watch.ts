import type { Journal } from '../journal/journal.ts';
import type { Alerts } from './alerts.ts';
import type { Turn } from './housekeeping.ts';

/** A lane that keeps up has nothing that has been due for this long. */
export const LAG_MS_MAX = 300_000;
const TURN_EVERY_MS = 30_000;

/**
 * One turn: notes which lanes lag, and tells. A lane is told in each turn of its lag and heard once,
 * so that a process that dies in between is no loss.
 */
export function createLagTurn(ports: {
  readonly journal: Pick<Journal, 'whileLeader' | 'markLagging'>;
  readonly alerts: Pick<Alerts, 'lagHigh'>;
}): Turn {
  const { journal, alerts } = ports;
  const tell = async (): Promise<void> => {
    for (const lane of await journal.markLagging(LAG_MS_MAX)) await alerts.lagHigh(lane);
  };
  return { task: 'lag', everyMs: TURN_EVERY_MS, run: () => journal.whileLeader('lag', tell) };
}
