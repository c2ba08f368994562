import type { Message } from './connector.ts';
import { MessageInvalid } from './message-invalid.ts';

/** The message with where it came from; a message that is no JSON stands in `text` instead of `body`. */
export function envelopeLine({ body, event, idempotencyKey }: Message): string {
  const { id, source, topic, receivedAt } = event;
  const head = JSON.stringify({ id, key: idempotencyKey, source, topic, receivedAt });
  const tail = isJson(body) ? `"body":${onOneLine(body)}` : `"text":${JSON.stringify(body)}`;
  return `${head.slice(0, -1)},${tail}}`;
}

/** The message alone. */
export function bareLine({ body }: Message): string {
  if (!isJson(body)) throw new MessageInvalid('the message is not JSON');
  return onOneLine(body).trim();
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Only the text is touched, so every digit of every number stays. In valid JSON a line break never
 * stands inside a string, and never alone between two tokens.
 */
function onOneLine(json: string): string {
  return json.replace(/[\r\n]+[ \t]*/g, '');
}
