// A probe: finds out whether the target of a shut lane is back, by the delivery that is due first,
// whose attempt then does not count. Where the connector has a `check`, that has to be answered first.

import type { Gates } from '../journal/gates-port.ts';
import { newId } from '../model/ids.ts';
import type { OutcomeCode } from '../model/outcome.ts';
import { classOf } from '../model/outcome-rules.ts';
import type { LaneWork } from '../queue/lanes.ts';
import type { LiveConnector } from './attempt.ts';
import { laneJobOf } from './controls.ts';

export interface ProbeParts {
  readonly gates: Pick<Gates, 'findFirstDue'>;
  readonly live: LiveConnector;
  readonly work: LaneWork;
  /** How many answers of this target the process has seen so far. */
  answersSeen(): number;
  /** The code of what opened the breaker. */
  readonly openedBy: string;
  readonly signal: AbortSignal;
}

/** `tried`: a delivery was; what it came to is told where every attempt is. */
export type Probed = 'back' | 'away' | 'tried';

/** A check may be let in where deliveries are not: after one of these only a delivery tells. */
const refusals: ReadonlySet<string> = new Set<OutcomeCode>(['unauthorized', 'token-expired']);
/** How long one probe takes deliveries that come to no call, until one is really sent. */
const TAKE_MS_MAX = 5_000;
/** A claim takes what is due this soon. */
const DUE_SOON_MS = 10;

export async function probeTarget(parts: ProbeParts): Promise<Probed> {
  const { check } = parts.live.definition;
  if (check === undefined) return probeByDelivery(parts, 'away');
  if (await isUnanswered(parts, check)) return 'away';
  return probeByDelivery(parts, refusals.has(parts.openedBy) ? 'away' : 'back');
}

/** A check that is refused, or that fails, was answered: the target is there. */
async function isUnanswered({ live, signal }: ProbeParts, operation: string): Promise<boolean> {
  const message = checkMessage(live.definition.id, operation);
  const { outcome } = await live.connector.send(message, signal);
  return outcome.kind !== 'delivered' && isAway(outcome.code);
}

/** As lane-answer.ts has it: whoever answers is there, be it with a refusal. */
function isAway(code: OutcomeCode): boolean {
  return ['connection', 'timeout', 'token', 'auth'].includes(classOf(code));
}

function checkMessage(connector: string, operation: string) {
  const id = newId();
  return {
    operation,
    body: '{}',
    idempotencyKey: `${id}:check`,
    deliveryId: id,
    attempt: 1,
    event: {
      id,
      source: 'crossdock',
      topic: 'crossdock.check',
      key: connector,
      receivedAt: new Date().toISOString(),
      headers: {},
    },
  };
}

/** Without anything to deliver the lane is let go: the next delivery will tell. */
async function probeByDelivery(parts: ProbeParts, whereNoneIsDue: Probed): Promise<Probed> {
  const { gates, live, work, signal } = parts;
  const endMs = performance.now() + TAKE_MS_MAX;
  let last: string | undefined;
  while (!signal.aborted && performance.now() < endMs) {
    const due = await gates.findFirstDue(live.definition.id);
    if (due === undefined) return 'back';
    if (due.dueInMs > DUE_SOON_MS) return whereNoneIsDue;
    // It was not taken: another process is at it.
    if (due.deliveryId === last) return 'away';
    last = due.deliveryId;
    const before = parts.answersSeen();
    await work({ ...laneJobOf(due), probe: true }, signal);
    if (parts.answersSeen() > before) return 'tried';
  }
  return 'away';
}
