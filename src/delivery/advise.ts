// What a person can do about a delivery that does not go on by itself, in the words of commands.

import type { DeliveryView } from '../journal/journal.ts';
import type { DeliveryState } from '../model/delivery.ts';
import { DISABLED } from './shown-state.ts';

/** A delivery, and how people are told of it. */
interface Standing {
  readonly delivery: DeliveryView;
  readonly shown: { readonly state: DeliveryState; readonly reason?: string };
}

/** One sentence, or `undefined` where there is nothing to do and nothing to wait for. */
export function adviseOn({ delivery, shown }: Standing): string | undefined {
  switch (shown.state) {
    case 'pending':
    case 'retrying':
    case 'active':
      return 'nothing: it goes on by itself';
    case 'held':
      return heldAdvice(delivery, shown);
    case 'dead':
      return `${deadAdvice(delivery.code)}, then: crossdock replay ${delivery.id}`;
    case 'cancelled':
      return `to deliver it all the same: crossdock replay ${delivery.id}`;
    case 'delivered':
    case 'filtered':
    case 'superseded':
      return undefined;
  }
}

const frontId = /delivery ([0-9a-f-]{36})/;

const THEN = '; it then goes on by itself, in its place';

function heldAdvice(delivery: DeliveryView, { reason = '' }: Standing['shown']): string {
  const { heldBy = '', connector, flow, operation } = delivery;
  if (heldBy === 'order') {
    const front = frontId.exec(reason)?.[1] ?? '<id>';
    return `see the one in front: crossdock deliveries show ${front}; where that is dead, retry or cancel it${THEN}`;
  }
  const called = `${connector}.${operation}`;
  if (reason.startsWith(DISABLED)) {
    return `write its new address into the file of ${connector} and restart the hub, then crossdock resume --operation ${called}${THEN}`;
  }
  // The journal may not have set it aside yet.
  if (heldBy.startsWith('flow:') || reason.startsWith('flow paused')) {
    return `crossdock resume --flow ${flow}${THEN}`;
  }
  if (heldBy.startsWith('operation:') || reason.startsWith('operation paused')) {
    return `crossdock resume --operation ${called}${THEN}`;
  }
  if (reason.startsWith('lane paused')) return `crossdock resume ${connector}${THEN}`;
  return `nothing: the hub lets it go on when ${connector} answers again; crossdock resume ${connector} tries at once`;
}

/** What docs/errors.md says at length, in the few words that fit a line. */
const advice: Readonly<Record<string, string>> = {
  unauthorized: 'correct the credentials and restart the hub',
  rejected: 'read the answer of the target (--json), and correct the mapping or the data',
  redirected: 'write the final address into baseUrl',
  'message-invalid': 'correct the mapping: the reason names the field',
  'body-unreadable': 'ask the sender, or take the event by a flow without mapping',
  'mapping-failed': 'correct the expression that the reason names, and add a test case',
  'mapping-timed-out': 'look for a loop or a search inside a search in the mapping',
  'mapping-crashed': 'look for texts or lists that grow without bound in the mapping',
  'mapping-too-large': 'make less of it in the mapping',
  'input-invalid': 'correct the schema, or ask the sender',
  'output-invalid': 'correct the mapping or the schema, and add a test case',
  'operation-unknown': 'put the operation back into the files of the connector',
  'retries-exhausted': 'mend what kept the target from taking it',
  'process-crashed': 'find out what of it ends its process',
};

function deadAdvice(code: string | undefined): string {
  if (code === undefined) return 'mend the cause';
  return advice[code] ?? `mend the cause (docs/errors.md explains ${code})`;
}
