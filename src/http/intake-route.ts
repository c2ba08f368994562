// `POST` and `PUT /webhooks/:connector`: the raw bytes, within the connector's limit, handed to
// intake. Nothing runs before this route and nothing is parsed here: signatures are over bytes.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestHandler } from 'express';
import type { Intake, IntakeRequest } from '../intake/intake.ts';
import { CrossdockError } from '../model/errors.ts';
import type { Meter } from '../model/meter.ts';
import type { Client } from './client-address.ts';
import { decodeBody, encodingOf } from './decode-body.ts';
import { type AnswerError, type Problem, renderProblem } from './errors.ts';
import { type BodyMemory, createBodyMemory, drain, readBody } from './read-body.ts';
import { sendAnswer } from './send-answer.ts';

/** Six bodies of the largest limit that a connector may have, or sixty-four of the default one. */
const HELD_BODY_BYTES_MAX = 64 * 1_024 * 1_024;
/** How much of a body that is refused is read and thrown away, so that the answer arrives. */
const drainLimits = { bytesMax: 8 * 1_024 * 1_024, ms: 2_000 };
/** What the meter is told when the client left before its body was whole; nothing is sent then. */
const STATUS_CLIENT_LEFT = 499;

export function intakeRoute(ports: {
  readonly intake: Intake;
  readonly meter: Meter;
  readonly answerError: AnswerError;
  readonly clientOf: (request: IncomingMessage) => Client;
  readonly heldBodyBytesMax?: number | undefined;
}): RequestHandler<{ connector: string }> {
  const { intake, meter, answerError, clientOf } = ports;
  const memory = createBodyMemory(ports.heldBodyBytesMax ?? HELD_BODY_BYTES_MAX);
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
    let heldBytes = 0;
    try {
      if (bytesMax === undefined) {
        throw new CrossdockError('connector-unknown', 'no connector of this name receives');
      }
      const encoding = encodingOf(request.headers['content-encoding']);
      const read = await readBody(request, bytesMax, memory);
      if (read.kind === 'whole') {
        heldBytes = read.body.length;
        const { method, originalUrl: target, headers, rawHeaders } = request;
        const decoded = await decode(read.body, { encoding, bytesMax, memory });
        heldBytes = decoded.heldBytes;
        const { bodies } = decoded;
        const answer = await intake.accept({
          ...{ connector, method, target, headers, rawHeaders },
          ...bodies,
          client: clientOf(request),
        });
        finished(answer.status);
        sendAnswer(response, answer);
      } else if (read.kind === 'aborted') {
        finished(STATUS_CLIENT_LEFT);
      } else {
        finished(answerError(bodyRefused(read.kind, bytesMax), response, sendAndClose));
      }
    } catch (error) {
      finished(answerError(error, response));
    } finally {
      memory.change(heldBytes, 0);
    }
  };
}

type Bodies = Pick<IntakeRequest, 'body' | 'sentBody'>;

/** Room for as much as the body may become is taken before it does; then for what it became. */
async function decode(
  sentBody: Buffer,
  limits: {
    readonly encoding: string | undefined;
    readonly bytesMax: number;
    readonly memory: BodyMemory;
  },
): Promise<{ readonly bodies: Bodies; readonly heldBytes: number }> {
  const { encoding, bytesMax, memory } = limits;
  const sentBytes = sentBody.length;
  if (encoding === undefined) return { bodies: { body: sentBody }, heldBytes: sentBytes };
  if (!memory.change(sentBytes, sentBytes + bytesMax)) {
    throw bodyRefused('overloaded', bytesMax);
  }
  let heldBytes = sentBytes;
  try {
    const body = await decodeBody(sentBody, encoding, bytesMax);
    heldBytes = sentBytes + body.length;
    return { bodies: { body, sentBody }, heldBytes };
  } finally {
    memory.change(sentBytes + bytesMax, heldBytes);
  }
}

function bodyRefused(kind: 'too-large' | 'overloaded', bytesMax: number): CrossdockError {
  return kind === 'too-large'
    ? new CrossdockError('body-too-large', `At most ${bytesMax} bytes are taken here.`)
    : new CrossdockError('overloaded', 'the bodies that are being read fill the memory for them');
}

/** For a request whose body is still on its way. */
function sendAndClose(response: ServerResponse, problem: Problem): void {
  const { headers, text } = renderProblem(problem);
  // The whole answer is written before the drain; the end of it closes the connection.
  response.writeHead(problem.status, { ...headers, connection: 'close' }).write(text);
  void drain(response.req, drainLimits).then(() => response.end());
}
