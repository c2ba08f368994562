import type { ServerResponse } from 'node:http';
import type { IntakeAnswer } from '../intake/intake.ts';

const JSON_TYPE = 'application/json; charset=utf-8';
/** Whose answers end with their headers (RFC 9110 §15.3.5). */
const STATUS_NO_CONTENT = 204;

export function sendAnswer(response: ServerResponse, answer: IntakeAnswer): void {
  const { status, headers } = answer;
  const { type, body } = answer.text ?? { type: JSON_TYPE, body: JSON.stringify(answer.body) };
  if (body === '') {
    const length = status === STATUS_NO_CONTENT ? {} : { 'content-length': 0 };
    response.writeHead(status, { ...length, ...headers }).end();
    return;
  }
  response
    .writeHead(status, {
      'content-type': type,
      'content-length': Buffer.byteLength(body),
      ...headers,
    })
    .end(body);
}
