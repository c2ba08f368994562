// What the words of lists and alerts mean that are no codes, for `crossdock explain`: classes of
// outcomes, what holds a lane or a delivery, states of problems, topics of the hub's own events.
// docs/errors.md, replay.md and alerts.md say the same; a test holds them equal.

import type { HubTopic } from './hub-events.ts';
import type { OutcomeClass } from './outcome-rules.ts';
import type { ProblemState } from './problem-fingerprint.ts';

export const classTexts: Readonly<Record<OutcomeClass, string>> = {
  connection: 'There was no connection, or it broke.',
  timeout: 'No answer in time.',
  'rate-limited': 'Too many calls.',
  token: 'An access token that ran out.',
  auth: 'Credentials that are refused: every message would be.',
  'remote-error': 'The target cannot at the moment, or its answer is unusable.',
  rejected: 'The target refuses this message.',
  contract: 'A body or a message that does not fit.',
  mapping: 'The mapping fails.',
  configuration: 'The operation is not there, here or at the target.',
  hub: "The hub's own trouble.",
  poison: 'It ends the process that tries it.',
  exhausted: 'Tried long enough.',
};

export interface WordExplanation {
  readonly meaning: string;
  readonly todo?: string;
}

/** How `crossdock lanes` says that a lane is; and `order`, which holds one delivery. */
export const holdExplanations = {
  going: { meaning: 'Nothing holds the lane.' },
  paused: {
    meaning:
      'A person holds it, or the hub an operation that is gone: a connector with its lane, a flow, or an operation. What is under way is finished; what waits keeps its place and spends no attempt.',
    todo: '`crossdock resume <connector>`, or with `--flow` or `--operation`. It does not end by itself.',
  },
  'breaker-open': {
    meaning:
      'The target of the lane could not be reached five times in a row, or refused our credentials. The hub probes it; what waits spends no attempt.',
    todo: 'Nothing, if it passes: it ends by itself when the target answers. Otherwise mend the target, the address or the secret; `crossdock resume <connector>` tries at once.',
  },
  resting: {
    meaning: 'The target of the lane answered 429, and is left alone for as long as it asked.',
    todo: 'Nothing: it ends by itself. If it comes often, lower `limits.rate` or `limits.concurrency`.',
  },
  order: {
    meaning:
      'An earlier delivery of its key, in a flow that keeps an order, is not finished or is dead.',
    todo: 'Where the one in front is dead, retry or cancel that: `crossdock deliveries show <id>` names it.',
  },
} as const satisfies Readonly<Record<string, WordExplanation>>;

export const problemStateTexts: Readonly<Record<ProblemState, string>> = {
  open: 'Somebody has to look.',
  acknowledged: 'Somebody looks.',
  ignored: 'Known, and nothing will be done.',
  resolved: 'Over.',
};

export const topicTexts: Readonly<Record<HubTopic, string>> = {
  'problem-opened':
    'A delivery died of something that none before died of, or of a problem that had been resolved.',
  'delivery-dead':
    'With it: the delivery that died first. Those that die of the same afterwards are not told.',
  'lane-opened': 'The hub holds a lane, since its target cannot be reached.',
  'lane-closed': 'The lane goes on.',
  'connector-disabled':
    'An operation said that it is gone (410), or a connector was switched off for another reason of its own.',
  'lag-high':
    'The oldest delivery of a lane has been due for more than 5 minutes, though nobody holds the lane.',
  'event-conflict': 'A message came under the id of an event, with another body.',
};
