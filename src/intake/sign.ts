// Signing a webhook as its sender would: the inverse of verification, for `crossdock send` and the
// demo. Pure; posting it is the caller's.

import type { ReceiveDefinition, VerifyDefinition } from '../definitions/definitions.ts';
import { CrossdockError } from '../model/errors.ts';
import type { Headers } from '../model/event.ts';
import { hmacText } from './verify.ts';

/** One webhook as its sender has it in hand. */
export interface OutgoingWebhook {
  readonly topic: string;
  /** The sender's id of this message: what the receiver keeps duplicates apart by. */
  readonly id: string;
  readonly shop?: string;
  readonly occurredAt?: Date;
  /** The exact bytes that will be posted. */
  readonly body: Buffer;
}

/**
 * The headers that make `receive` accept `webhook`, names in lower case: content type, topic, id,
 * shop, time and signature, each under the first header name that the definition reads, signed
 * with the newest secret. What the definition reads from nowhere (a fixed topic, a body hash) is
 * left out. Throws CrossdockError `usage` where a signature is asked for and there is no secret.
 */
export function signedHeaders(receive: ReceiveDefinition, webhook: OutgoingWebhook): Headers {
  const { topic, dedupe } = receive;
  return {
    'content-type': 'application/json',
    ...headerNamed('headers' in topic ? topic.headers : [], webhook.topic),
    ...headerNamed(dedupe === 'body' ? [] : dedupe.headers, webhook.id),
    ...headerNamed(receive.occurredAt, webhook.occurredAt?.toISOString()),
    ...headerNamed(receive.shop, webhook.shop),
    ...signature(receive.verify, receive.secrets, webhook.body),
  };
}

function headerNamed(names: readonly string[], value: string | undefined): Headers {
  const name = names[0];
  return name === undefined || value === undefined ? {} : { [name]: value };
}

function signature(verify: VerifyDefinition, secrets: readonly string[], body: Buffer): Headers {
  switch (verify.kind) {
    case 'none':
      return {};
    case 'hmac': {
      const secret = secrets[0];
      if (secret === undefined) {
        throw new CrossdockError('usage', 'cannot sign a webhook: its connector has no secret');
      }
      return headerNamed(verify.headers, `${verify.prefix}${hmacText(verify, secret, body)}`);
    }
  }
}
