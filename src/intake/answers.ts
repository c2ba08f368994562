// What senders are answered: for an event as its connector says, for a question as its handshake does.

import type { AnswerDefinition } from '../definitions/receive.ts';
import type { Log } from '../model/log.ts';
import type { AnswerReply } from './handshakes/handshake.ts';
import type { Replied } from './handshakes.ts';
import type { IntakeAnswer } from './intake.ts';

export const EVENT_ID_HEADER = 'crossdock-event-id';
const TYPE_DEFAULT = 'text/plain';
/** Anybody can ask some of the questions: they must not fill the log. */
const LOG_EVERY_MS = 60_000;

/** `body` names the events; they are the same for a message that came before. */
export function eventAnswer(answer: AnswerDefinition, body: IntakeAnswer['body']): IntakeAnswer {
  const { status, body: text, type = TYPE_DEFAULT } = answer;
  if (text === undefined) return { status, body };
  // A sender of ours learns from it which event it was.
  const headers = body.id === undefined ? {} : { headers: { [EVENT_ID_HEADER]: body.id } };
  return { status, body, text: { type: withCharset(type), body: text }, ...headers };
}

/** The answer is written in UTF-8. */
function withCharset(type: string): string {
  return type.startsWith('text/') && !type.includes(';') ? `${type}; charset=utf-8` : type;
}

export function questionAnswer({ status, headers, type, body }: AnswerReply): IntakeAnswer {
  return {
    status,
    headers: { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', ...headers },
    body: {},
    text: { type, body },
  };
}

/** Logs that a handshake was answered, each once a minute. */
export function createHandshakeLog(
  log: Log,
): (source: string, handshake: Replied['handshake']) => void {
  const loggedMs = new Map<string, number>();
  return (source, handshake) => {
    const key = `${source} ${handshake}`;
    const nowMs = performance.now();
    if (nowMs - (loggedMs.get(key) ?? Number.NEGATIVE_INFINITY) < LOG_EVERY_MS) return;
    loggedMs.set(key, nowMs);
    log.info({ source, handshake }, 'a handshake was answered');
  };
}
