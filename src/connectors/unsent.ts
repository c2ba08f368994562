// Answers of a connector that never got as far as a call.

import type { Message, Sent } from './connector.ts';
import type { MessageInvalid } from './message-invalid.ts';

export function unknownOperation(name: string, message: Message): Sent {
  const reason = `${name} has no operation "${message.operation}"`;
  return {
    outcome: { kind: 'rejected', code: 'operation-unknown', reason },
    exchange: { request: { summary: `nothing sent to ${name}`, bytes: 0 } },
  };
}

export function invalidMessage(name: string, message: Message, error: MessageInvalid): Sent {
  const reason = `The message for ${name}.${message.operation} cannot be sent: ${error.message}`;
  return {
    outcome: { kind: 'rejected', code: 'message-invalid', reason },
    exchange: { request: { summary: `nothing sent to ${name}`, bytes: 0 } },
  };
}
