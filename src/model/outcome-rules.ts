// What outcomes mean, in one table: each code has a class, each class one rule. The delivery decides
// by it, docs/errors.md says the same (a test holds them equal), and `crossdock explain` prints it.

import type { OutcomeCode } from './outcome.ts';

/** What kind of trouble it was. */
export type OutcomeClass =
  | 'connection'
  | 'timeout'
  | 'rate-limited'
  | 'token'
  | 'auth'
  | 'remote-error'
  | 'rejected'
  | 'contract'
  | 'mapping'
  | 'configuration'
  | 'hub'
  | 'poison'
  | 'exhausted';

/** What becomes of the delivery. */
export type OutcomeRule = 'retry' | 'rest' | 'refresh' | 'hold' | 'wait' | 'dead';

export const ruleTexts: Readonly<Record<OutcomeRule, string>> = {
  retry: "Tried again by the flow's retry; each time spends an attempt.",
  rest: 'Tried again when the lane has rested. No attempt is spent; the horizon still ends it.',
  refresh:
    'Tried again with fresh credentials after a second, once without spending an attempt; a second refusal in a row spends.',
  hold: 'Tried again when the lane is let on. No attempt is spent; the horizon still ends it.',
  wait: 'Waits for the hub or its files. No attempt is spent; the horizon still ends it, for errors of the hub only after 100 in a row.',
  dead: 'Not tried again by itself: a person has to act.',
};

export const classRules: Readonly<Record<OutcomeClass, OutcomeRule>> = {
  connection: 'retry',
  timeout: 'retry',
  'rate-limited': 'rest',
  token: 'refresh',
  auth: 'hold',
  'remote-error': 'retry',
  rejected: 'dead',
  contract: 'dead',
  mapping: 'dead',
  configuration: 'wait',
  hub: 'wait',
  poison: 'dead',
  exhausted: 'dead',
};

/** What a code means, and what the person who meets it does about it. */
export interface OutcomeEntry {
  readonly class: OutcomeClass;
  /** A few words. */
  readonly title: string;
  readonly meaning: string;
  readonly todo: string;
  /** It waits until its operation is used again: the delivery is held for that. */
  readonly holdsOperation?: true;
}

export const outcomeRules: Readonly<Record<OutcomeCode, OutcomeEntry>> = {
  'connection-failed': {
    class: 'connection',
    title: 'No connection',
    meaning:
      'There was no connection, or it ended before the answer did. In the second case the attempt is ambiguous: the target may have done the work.',
    todo: 'Look at the reason: name, port, firewall, certificate. Give the operation an `idempotency` header or a `lookup`.',
  },
  'timed-out': {
    class: 'timeout',
    title: 'No answer in time',
    meaning:
      "No complete answer within the connector's `timeout`. Ambiguous once the request was written.",
    todo: 'A slow target: raise `timeout` or lower `limits`.',
  },
  'rate-limited': {
    class: 'rate-limited',
    title: 'Too many calls',
    meaning:
      'The target answered 429. What it asks for in `Retry-After` or its rate limit headers is kept, up to one hour.',
    todo: 'Lower `limits.rate` or `limits.concurrency` to what the target allows.',
  },
  'remote-error': {
    class: 'remote-error',
    title: 'The target has trouble',
    meaning:
      'The target said that it cannot at the moment: 408, 425 or 5xx; a 4xx of a mail server; a disk that cannot be written. Or an outcome of a file says that this answer is to be tried again.',
    todo: 'Nothing, if it passes; otherwise ask the people of the target.',
  },
  'response-unusable': {
    class: 'remote-error',
    title: 'An answer nobody can use',
    meaning:
      'The answer was no HTTP, a token server gave no token, or the `found` of a lookup could not be evaluated. On a delivery that is *delivered*: the call worked, but `result` could not be made of the answer, so nothing was emitted.',
    todo: 'Compare `result` or `found` with the journaled answer.',
  },
  'token-expired': {
    class: 'token',
    title: 'The access token was refused',
    meaning:
      'The target answered 401 to an access token of OAuth2. The token is dropped, and the next attempt gets a new one.',
    todo: 'Nothing, if it passes.',
  },
  unauthorized: {
    class: 'auth',
    title: 'The credentials are refused',
    meaning:
      'The target refused the credentials: a 401, also to a fresh access token; a refusal by the token server; a failed sign-in to a mail server. It would refuse every message, so the lane is held.',
    todo: 'Correct the secret and restart the hub. What waits goes out then; no attempt was spent.',
  },
  forbidden: {
    class: 'rejected',
    title: 'Not allowed',
    meaning: 'The target answered 403: it knows who asks, and does not allow this message.',
    todo: 'Give the account of the hub the right it needs, then retry the dead deliveries.',
  },
  rejected: {
    class: 'rejected',
    title: 'Refused by the target',
    meaning:
      'The target understood and refused: another 4xx, a 5xx of a mail server to this mail, a 2xx that is not in `success`, or an answer that an outcome of a file calls dead.',
    todo: 'Read the journaled answer. Usually the mapping or the data are wrong; correct them and send the event again.',
  },
  redirected: {
    class: 'rejected',
    title: 'Sent elsewhere',
    meaning:
      'The target answered with a 3xx. Redirects are never followed: they would carry the message and its credentials elsewhere.',
    todo: 'Write the final address into `baseUrl`.',
  },
  'message-invalid': {
    class: 'contract',
    title: 'A message that cannot be sent',
    meaning:
      'The message does not fit the connector: a template finds no value, a mail has no recipient, a line is no JSON.',
    todo: 'Correct the mapping; the reason names the field.',
  },
  'body-unreadable': {
    class: 'contract',
    title: 'A body that cannot be read',
    meaning:
      "The event's body cannot be read as what it is (JSON, a form, XML, multipart), has not the list that `split` names, or is nested deeper than 100 levels or has an object of more than 10,000 keys, and the flow has an expression or a schema to evaluate. The event is kept as it came.",
    todo: 'Ask the sender, or take the event by a flow without mapping.',
  },
  'input-invalid': {
    class: 'contract',
    title: 'The body does not fit its schema',
    meaning:
      'The body does not fit `validate.input`. The reason names the place and the rule, not the value.',
    todo: 'Correct the schema, or ask the sender.',
  },
  'output-invalid': {
    class: 'contract',
    title: 'The message does not fit its schema',
    meaning: 'What the mapping made does not fit `validate.output`. Nothing was sent.',
    todo: 'Correct the mapping or the schema, add a test case.',
  },
  'mapping-failed': {
    class: 'mapping',
    title: 'The mapping failed',
    meaning:
      '`when` or the mapping failed; the reason names file, line and column and the code of JSONata. Or the result holds what JSON cannot: a function, or a number that is not finite, such as one divided by zero; the reason names where.',
    todo: 'Correct the expression, add a test case, send the event again.',
  },
  'mapping-timed-out': {
    class: 'mapping',
    title: 'The mapping took too long',
    meaning:
      "The evaluation took longer than it may (500 ms in the expression; in all 1.5 s of the processor's time, or 15 s on a machine that has none for it).",
    todo: 'Look for a loop or a search inside a search.',
  },
  'mapping-crashed': {
    class: 'mapping',
    title: 'The mapping ended its process',
    meaning:
      'The evaluation ended its process twice, most likely out of memory. Other deliveries were not touched.',
    todo: 'Look for texts or lists that grow without bound.',
  },
  'mapping-too-large': {
    class: 'mapping',
    title: 'Too large for the mapping',
    meaning: 'The body is larger than 10 MiB, or the mapping made more than 1 MiB.',
    todo: 'Make less of it.',
  },
  'operation-unknown': {
    class: 'configuration',
    title: 'No such operation',
    meaning:
      "The connector or the operation that the flow named when the event came in is not in this process' files: a deploy is under way, or it was removed. Nothing was sent.",
    todo: 'Nothing during a deploy. Otherwise put it back, or send the event again through a flow of today.',
  },
  'operation-gone': {
    class: 'configuration',
    title: 'The operation is gone',
    meaning:
      'The target answered 410 at the fixed address of the operation: it is not there any more, for any message. The operation is not called again, and its deliveries are held.',
    todo: "Write the new address into the connector's file and restart the hub, then `crossdock resume --operation <connector>.<operation>`.",
    holdsOperation: true,
  },
  'hub-error': {
    class: 'hub',
    title: 'The hub could not',
    meaning:
      "The hub itself could not: its process was leaving, the mapping processes were busy, or it met a bug. Dead only past the flow's `horizon` and after 100 of them in a row, or where the journal has lost the flow's revision.",
    todo: "Nothing, if it passes. If it stays: the log, `crossdock doctor`, and the machine's memory and processors; `crossdock map` shows whether mappings run at all. Then retry the dead ones.",
  },
  'order-parked': {
    class: 'rejected',
    title: 'Parked behind a dead one',
    meaning:
      'An earlier delivery of the same key is dead, and the flow says `order: { dead: park }`. It was never tried.',
    todo: 'Mend what the one in front died of, then retry or replay both: they go in their order.',
  },
  'process-crashed': {
    class: 'poison',
    title: 'It ends its process',
    meaning:
      "The delivery's process vanished while it was tried, and then the process in which it was tried alone ended too, or did not end within the lease: three strikes. Nobody knows whether the call was made. Other deliveries were not touched.",
    todo: "Look at the body and at what the connector makes of it, then at the machine's memory. Retried by hand, it is tried apart again.",
  },
  'retries-exhausted': {
    class: 'exhausted',
    title: 'Given up',
    meaning:
      "All attempts of the flow's `retry` are spent, or its `horizon` is over. The reason is that of the last attempt.",
    todo: 'Mend the cause, then retry the delivery.',
  },
};

/** All there are. */
export const outcomeCodes = Object.keys(outcomeRules) as readonly OutcomeCode[];

export function classOf(code: OutcomeCode): OutcomeClass {
  return outcomeRules[code].class;
}

export function ruleOf(code: OutcomeCode): OutcomeRule {
  return classRules[classOf(code)];
}
