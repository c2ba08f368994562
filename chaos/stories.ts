// Joins the three logs: for each message its event, and for each flow its delivery and its calls.

import type {
  Evidence,
  JournalDelivery,
  JournalEvent,
  SentMessage,
  TargetCall,
} from './evidence.ts';

/** A flow that a scenario expects deliveries of. */
export interface ExpectedFlow {
  readonly flow: string;
  readonly topic: string;
  readonly target: string;
  /**
   * What the target must get for a message, given the document of the delivery's revision;
   * `undefined` where the flow makes nothing of it.
   */
  body(message: SentMessage, document: string | undefined): string | undefined;
}

/** One message on its way through one flow. */
export interface Story {
  readonly message: SentMessage;
  readonly expected: ExpectedFlow;
  readonly event?: JournalEvent;
  /** Of the event and flow; there should be one. */
  readonly deliveries: readonly JournalDelivery[];
  /** Calls at the flow's target that carried this story's key. */
  readonly calls: readonly TargetCall[];
}

export function tellStories(evidence: Evidence, flows: readonly ExpectedFlow[]): readonly Story[] {
  const events = new Map(evidence.journal.events.map((event) => [event.dedupeKey, event]));
  const deliveries = groupBy(evidence.journal.deliveries, (one) => `${one.eventId}:${one.flow}`);
  const calls = groupBy(evidence.calls, (call) => `${call.target} ${call.idempotencyKey}`);
  return evidence.sent.flatMap((message) => {
    const event = events.get(message.id);
    return flows
      .filter(({ topic }) => topic === message.topic)
      .map((expected) => {
        const key = `${event?.id}:${expected.flow}`;
        return {
          message,
          expected,
          ...(event === undefined ? {} : { event }),
          deliveries: deliveries.get(key) ?? [],
          calls: calls.get(`${expected.target} ${key}`) ?? [],
        };
      });
  });
}

export function groupBy<T>(list: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of list) {
    const key = keyOf(one);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return groups;
}

/** Works of a key beyond the first one. */
export function extraWorks(calls: readonly TargetCall[]): number {
  return Math.max(0, calls.filter((call) => call.worked).length - 1);
}
