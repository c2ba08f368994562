// Questions of vendors that are answered without an event: one list, one file each.

import type { HandshakeName } from '../definitions/handshake-names.ts';
import type { ReceiveDefinition } from '../definitions/receive.ts';
import { createAdobeChallenge } from './handshakes/adobe-challenge.ts';
import { createCloudEventsOptions } from './handshakes/cloudevents-options.ts';
import { createEventGridValidation } from './handshakes/event-grid-validation.ts';
import { createGetOk } from './handshakes/get-ok.ts';
import type {
  CreateHandshake,
  Handshake,
  HandshakeReply,
  QuestionMethod,
} from './handshakes/handshake.ts';
import { createMandrillTest } from './handshakes/mandrill-test.ts';
import { createMetaChallenge } from './handshakes/meta-challenge.ts';
import { createSlackChallenge } from './handshakes/slack-challenge.ts';
import { createSnsConfirm } from './handshakes/sns-confirm.ts';
import { createValidationToken } from './handshakes/validation-token.ts';
import { createWoocommercePing } from './handshakes/woocommerce-ping.ts';
import { createXCrc } from './handshakes/x-crc.ts';
import { createZoomValidation } from './handshakes/zoom-validation.ts';
import type { RequestReader } from './webhook-request.ts';

/** In the order in which they are asked: `get-ok` takes every GET, and so comes last. */
const handshakes: Readonly<Record<HandshakeName, CreateHandshake>> = {
  'slack-challenge': createSlackChallenge,
  'meta-challenge': createMetaChallenge,
  'x-crc': createXCrc,
  'zoom-validation': createZoomValidation,
  'validation-token': createValidationToken,
  'event-grid-validation': createEventGridValidation,
  'cloudevents-options': createCloudEventsOptions,
  'sns-confirm': createSnsConfirm,
  'adobe-challenge': createAdobeChallenge,
  'woocommerce-ping': createWoocommercePing,
  'mandrill-test': createMandrillTest,
  'get-ok': createGetOk,
};

export interface Replied {
  readonly handshake: HandshakeName;
  readonly reply: HandshakeReply;
}

/** Those of one receiver. What none of them has is absent, and costs its requests nothing. */
export interface Handshakes {
  /** Beside POST and PUT. */
  readonly methods: readonly QuestionMethod[];
  /**
   * One of them signs what strangers ask. Compressed bytes may be such a text while what they hold
   * is none, so that a signature then counts over the body alone.
   */
  readonly signsForStrangers: boolean;
  /** Throws `request-malformed` where a question cannot be answered safely; so does `answerAfter`. */
  answerBefore?(reader: RequestReader): Replied | undefined;
  /** Of a request that was verified with the secret of this number. */
  answerAfter?(reader: RequestReader, secret: number | undefined): Replied | undefined;
}

type Named = Handshake & { readonly handshake: HandshakeName };

export function createHandshakes(receive: ReceiveDefinition): Handshakes {
  const named = Object.entries(handshakes).flatMap(([name, create]): Named[] => {
    const definition = receive.handshakes.find(({ kind }) => kind === name);
    if (definition === undefined) return [];
    return [{ ...create(definition, receive), handshake: definition.kind }];
  });
  const before = named.filter((one) => one.before !== undefined);
  const after = named.filter((one) => one.after !== undefined);
  return {
    methods: [...new Set(named.flatMap(({ methods }) => methods))],
    signsForStrangers: named.some((one) => one.signsForStrangers === true),
    ...(before.length === 0
      ? {}
      : { answerBefore: (reader) => firstOf(before, (one) => one.before?.(reader)) }),
    ...(after.length === 0
      ? {}
      : { answerAfter: (reader, secret) => firstOf(after, (one) => one.after?.(reader, secret)) }),
  };
}

function firstOf(
  list: readonly Named[],
  ask: (one: Named) => HandshakeReply | undefined,
): Replied | undefined {
  for (const one of list) {
    const reply = ask(one);
    if (reply !== undefined) return { handshake: one.handshake, reply };
  }
  return undefined;
}
