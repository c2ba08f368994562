// What was acknowledged is kept, routed once, and comes to an end.

import type { Ending, Rule } from './checker.ts';
import type { JournalDelivery, SentMessage } from './evidence.ts';
import { findingOf } from './finding.ts';
import type { Story } from './stories.ts';

const acknowledgedIsKept: Rule = ({ evidence }) => {
  const events = new Map(evidence.journal.events.map((event) => [event.dedupeKey, event]));
  const acknowledged = evidence.sent.filter((one) => one.acknowledgedMs !== undefined);
  const id = (one: SentMessage): string => one.id;
  const found = acknowledged.filter((one) => events.has(one.id));
  return [
    ...findingOf(
      'kept',
      acknowledged.filter((one) => !events.has(one.id)),
      { message: 'acknowledged, and the journal does not have it', id },
    ),
    ...findingOf(
      'kept',
      found.filter((one) => {
        const event = events.get(one.id);
        return event?.sha256 !== one.sha256 || event.storedSha256 !== one.sha256;
      }),
      { message: 'acknowledged, and the journal has other bytes', id },
    ),
    ...findingOf(
      'kept',
      found.filter((one) => {
        const told = one.tries.flatMap(({ eventId }) => eventId ?? []);
        return told.some((eventId) => eventId !== events.get(one.id)?.id);
      }),
      { message: 'acknowledged with an id that is not its event', id },
    ),
  ];
};

const oneEventAMessage: Rule = ({ evidence }) => {
  const sent = new Set(evidence.sent.map(({ id }) => id));
  const seen = new Set<string>();
  const again = evidence.journal.events.filter(({ dedupeKey }) => {
    const isAgain = seen.has(dedupeKey);
    seen.add(dedupeKey);
    return isAgain;
  });
  return [
    ...findingOf('one event', again, {
      message: 'one message, several events',
      id: (event) => event.dedupeKey,
    }),
    ...findingOf(
      'one event',
      evidence.journal.events.filter(({ dedupeKey }) => !sent.has(dedupeKey)),
      { message: 'an event that nobody sent', id: (event) => event.id },
    ),
  ];
};

const everythingIsAcknowledged: Rule = ({ evidence, expectations }) => {
  if (expectations.unacknowledgedAllowed === true) return [];
  return findingOf(
    'acknowledged',
    evidence.sent.filter((one) => one.acknowledgedMs === undefined),
    { message: 'never acknowledged, however often it was sent', id: (one) => one.id },
  );
};

/** A vendor is told 2xx, or to come again; what it gets instead of an answer is nobody's promise. */
const refusalsAskForMore: Rule = ({ evidence }) => {
  const refused = evidence.sent.flatMap(({ id, tries }) =>
    tries
      .filter((one) => one.status !== undefined && one.eventId === undefined)
      .filter(({ status, retryAfter }) => status !== 503 || !(Number(retryAfter) > 0))
      .map(({ status }) => ({ id, status })),
  );
  return findingOf('refusal', refused, {
    message: 'refused otherwise than by 503 with Retry-After',
    id: ({ id, status }) => `${id} (${status})`,
  });
};

const oneDeliveryAFlow: Rule = ({ stories }) =>
  findingOf(
    'one delivery',
    stories.filter((story) => story.event !== undefined && story.deliveries.length !== 1),
    {
      message: 'an event without exactly one delivery of its flow',
      id: (story) => `${story.event?.id}:${story.expected.flow}`,
    },
  );

const delivered: readonly Ending[] = [{ state: 'delivered' }];

const everythingEnds: Rule = ({ stories, expectations }) => {
  const offenders = stories.filter((story) => {
    const endings = expectations.endings?.(story) ?? delivered;
    return story.deliveries.some((delivery) => !isOneOf(delivery, endings));
  });
  return findingOf('ends', offenders, {
    message: 'a delivery that did not end as it should',
    id: ({ deliveries: [delivery] }) => endingText(delivery),
  });
};

function isOneOf(delivery: JournalDelivery, endings: readonly Ending[]): boolean {
  return endings.some(
    ({ state, code }) => delivery.state === state && (code === undefined || delivery.code === code),
  );
}

function endingText(delivery: JournalDelivery | undefined): string {
  if (delivery === undefined) return 'none';
  const { id, flow, state, code, reason } = delivery;
  return `${id} (${flow}: ${state}${code === undefined ? '' : ` ${code}`}${
    reason === undefined ? '' : `, ${reason}`
  })`;
}

/** Whoever is told "delivered" and whoever did the work are the same. */
const deliveredIsSeen: Rule = ({ stories }) => {
  const isDelivered = (story: Story): boolean => story.deliveries[0]?.state === 'delivered';
  const wasWorked = (story: Story): boolean => story.calls.some((call) => call.worked);
  const id = (story: Story): string => `${story.event?.id}:${story.expected.flow}`;
  return [
    ...findingOf(
      'seen',
      stories.filter((story) => isDelivered(story) && !wasWorked(story)),
      { message: 'delivered by the journal, and the target never had it', id },
    ),
    ...findingOf(
      'seen',
      stories.filter((story) => story.calls.length > 0 && story.deliveries.length === 0),
      { message: 'the target had it, and the journal knows of no delivery', id },
    ),
  ];
};

/** What the target left unanswered counts by right; an error of the hub's own never does. */
const attemptsAreNotSpent: Rule = ({ stories, expectations }) => {
  const { spentMax } = expectations;
  if (spentMax === undefined) return [];
  return findingOf(
    'spent',
    stories
      .flatMap(({ deliveries }) => deliveries)
      .filter(({ spent, ambiguous }) => spent - ambiguous > spentMax),
    {
      message: `a delivery that spent more than ${spentMax} attempts`,
      id: (delivery) => `${delivery.id} (${delivery.spent})`,
    },
  );
};

export const keepingRules: readonly Rule[] = [
  acknowledgedIsKept,
  oneEventAMessage,
  everythingIsAcknowledged,
  refusalsAskForMore,
  oneDeliveryAFlow,
  everythingEnds,
  deliveredIsSeen,
  attemptsAreNotSpent,
];
