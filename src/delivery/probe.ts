// A probe: finds out whether the target of a shut lane is back, by the connector's `check`, or by
// the delivery that is due first, whose attempt then does not count.

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
  readonly signal: AbortSignal;
}

/** `tried`: a delivery was; what it came to is told where every attempt is. */
export type Probed = 'back' | 'away' | 'tried';

/** Deliveries that one probe takes until one of them is really sent. */
const DELIVERIES_MAX = 5;
/** A claim takes what is due this soon. */
const DUE_SOON_MS = 10;

export async function probeTarget(parts: ProbeParts): Promise<Probed> {
  const { check } = parts.live.definition;
  return check === undefined ? probeByDelivery(parts) : probeByCheck(parts, check);
}

/** A check that is refused, or that fails, was answered: the target is there. */
async function probeByCheck({ live, signal }: ProbeParts, operation: string): Promise<Probed> {
  const { outcome } = await live.connector.send(
    checkMessage(live.definition.id, operation),
    signal,
  );
  switch (outcome.kind) {
    case 'delivered':
      return 'back';
    case 'retry':
    case 'rejected':
      return isAway(outcome.code) ? 'away' : 'back';
  }
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
async function probeByDelivery(parts: ProbeParts): Promise<Probed> {
  const { gates, live, work, signal } = parts;
  for (let tries = 0; tries < DELIVERIES_MAX && !signal.aborted; tries += 1) {
    const due = await gates.findFirstDue(live.definition.id);
    if (due === undefined) return 'back';
    if (due.dueInMs > DUE_SOON_MS) return 'away';
    const before = parts.answersSeen();
    await work({ ...laneJobOf(due), probe: true }, signal);
    if (parts.answersSeen() > before) return 'tried';
  }
  return 'away';
}
