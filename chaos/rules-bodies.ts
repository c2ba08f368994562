// What the targets got is what the mapping makes, under one key, and no more often than allowed.

import type { Rule } from './checker.ts';
import type { TargetCall } from './evidence.ts';
import { findingOf } from './finding.ts';
import { extraWorks, groupBy, type Story } from './stories.ts';

const bodyIsTheMapping: Rule = ({ stories, evidence }) => {
  const wrong = stories.flatMap(({ message, expected, deliveries, calls }) => {
    const revision = deliveries[0]?.revision ?? '';
    const body = expected.body(message, evidence.journal.revisions.get(revision));
    return calls.filter((call) => call.body !== body);
  });
  return findingOf('body', wrong, {
    message: 'a call whose body is not what the mapping makes of the webhook',
    id: callId,
  });
};

const oneBodyAKey: Rule = ({ evidence }) => {
  const changed = [...callsByKey(evidence.calls)].filter(
    ([, calls]) => new Set(calls.map(({ sha256 }) => sha256)).size > 1,
  );
  return findingOf('same body', changed, {
    message: 'a key that came with different bodies',
    id: ([key]) => key,
  });
};

/** A call under any other key is work that the target cannot recognise as done. */
const everyKeyIsKnown: Rule = ({ evidence, stories }) => {
  const known = new Set(stories.flatMap(({ calls }) => calls));
  return findingOf(
    'key',
    evidence.calls.filter((call) => !known.has(call)),
    { message: 'a call under a key that is not <event id>:<flow> of a message', id: callId },
  );
};

const duplicatesAreAllowed: Rule = ({ stories, expectations }) => {
  const { duplicates } = expectations;
  const { faults, targets } = duplicates ?? { faults: 0 };
  const allowed = (story: Story): number => {
    const isHit = targets === undefined || targets.includes(story.expected.target);
    const hits = typeof faults === 'number' ? faults : faults(story);
    return (isHit ? hits : 0) + (story.deliveries[0]?.ambiguous ?? 0);
  };
  return findingOf(
    'duplicates',
    stories.filter((story) => extraWorks(story.calls) > allowed(story)),
    {
      message: 'worked on more often than the fault explains',
      id: (story) => `${story.event?.id}:${story.expected.flow} (${story.calls.length} calls)`,
    },
  );
};

const orderIsKept: Rule = ({ stories, expectations }) => {
  const { orderedAt = [] } = expectations;
  const worked = stories
    .filter(({ expected }) => orderedAt.includes(expected.target))
    .flatMap(({ message, expected, calls }) => {
      const first = calls.find((call) => call.worked);
      return first === undefined ? [] : [{ message, expected, atMs: first.atMs, call: first }];
    });
  const place = new Map(stories.flatMap(({ calls }) => calls).map((call, at) => [call, at]));
  const byTime = worked.toSorted(
    (a, b) => a.atMs - b.atMs || (place.get(a.call) ?? 0) - (place.get(b.call) ?? 0),
  );
  const overtaken = [
    ...groupBy(byTime, ({ message, expected }) => `${expected.target} ${message.key}`).values(),
  ].flatMap((seen) =>
    seen.filter((one, at) => {
      const before = seen[at - 1];
      return before !== undefined && before.message.sequence > one.message.sequence;
    }),
  );
  return findingOf('order', overtaken, {
    message: 'seen after a later message of its key',
    id: ({ message }) => `${message.key}-${message.sequence}`,
  });
};

const nothingLeaks: Rule = ({ evidence }) =>
  findingOf('leak', evidence.leaks, {
    message: 'a secret or a person in what the hub prints or shows',
    id: ({ what, where }) => `${what} in ${where}`,
  });

function callsByKey(calls: readonly TargetCall[]): Map<string, TargetCall[]> {
  return groupBy(calls, (call) => `${call.target} ${call.idempotencyKey}`);
}

function callId(call: TargetCall): string {
  return `${call.target} ${call.idempotencyKey}`;
}

export const bodyRules: readonly Rule[] = [
  bodyIsTheMapping,
  oneBodyAKey,
  everyKeyIsKnown,
  duplicatesAreAllowed,
  orderIsKept,
  nothingLeaks,
];
