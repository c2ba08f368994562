// `POST` and `PUT /webhooks/:connector`: the raw bytes, within the connector's limit, handed to
// intake. Nothing runs before this route and nothing is parsed here: signatures are over bytes.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestHandler } from 'express';
import type { Intake, IntakeAnswer } from '../intake/intake.ts';
import { CrossdockError } from '../model/errors.ts';
import type { Meter } from '../model/meter.ts';
import { type AnswerError, renderProblem, sendProblem } from './errors.ts';
import { drain, readBody } from './read-body.ts';

/** How much of a body that is too large is read and thrown away, so that the 413 arrives. */
const drainLimits = { bytesMax: 8 * 1_024 * 1_024, ms: 2_000 };
/** What the meter is told when the client left before its body was whole; nothing is sent then. */
const STATUS_CLIENT_LEFT = 499;

export function intakeRoute(ports: {
  readonly intake: Intake;
  readonly meter: Meter;
  readonly answerError: AnswerError;
}): RequestHandler<{ connector: string }> {
  const { intake, meter, answerError } = ports;
  return async (request, response) => {
    const startedMs = performance.now();
    const { connector } = request.params;
    const bytesMax = intake.bodyBytesMax(connector);
    const finished = (status: number): void =>
      meter.intake(
        bytesMax === undefined ? 'unknown' : connector,
        status,
        performance.now() - startedMs,
      );
    try {
      if (bytesMax === undefined) {
        throw new CrossdockError('connector-unknown', 'no connector of this name receives');
      }
      checkEncoding(request);
      const read = await readBody(request, bytesMax);
      if (read.kind === 'aborted') {
        finished(STATUS_CLIENT_LEFT);
      } else if (read.kind === 'too-large') {
        finished(413);
        await refuseLargeBody(request, response, bytesMax);
      } else {
        const { headers } = request;
        const answer = await intake.accept({ connector, headers, body: read.body });
        finished(answer.status);
        sendAnswer(response, answer);
      }
    } catch (error) {
      finished(answerError(error, response));
    }
  };
}

export const refuseMethod: RequestHandler = (_request, response) => {
  sendProblem(response, {
    status: 405,
    code: 'request-malformed',
    detail: 'Webhooks are sent with POST or PUT.',
    headers: { allow: 'POST, PUT' },
  });
};

function checkEncoding(request: IncomingMessage): void {
  const encoding = request.headers['content-encoding'];
  if (encoding === undefined || encoding.toLowerCase() === 'identity') return;
  throw new CrossdockError('encoding-unsupported', 'send the body without Content-Encoding');
}

function sendAnswer(response: ServerResponse, answer: IntakeAnswer): void {
  const text = JSON.stringify(answer.body);
  response
    .writeHead(answer.status, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(text),
      ...answer.headers,
    })
    .end(text);
}

async function refuseLargeBody(
  request: IncomingMessage,
  response: ServerResponse,
  bytesMax: number,
): Promise<void> {
  const { headers, text } = renderProblem({
    status: 413,
    code: 'body-too-large',
    detail: `At most ${bytesMax} bytes are taken here.`,
  });
  // The whole answer is written before the drain; the end of it closes the connection.
  response.writeHead(413, { ...headers, connection: 'close' }).write(text);
  await drain(request, drainLimits);
  response.end();
}
