// `/webhooks/:connector` with any method but POST and PUT: taken where a handshake of the connector
// is asked with it, and refused otherwise. Such requests have no body that anybody reads.

import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import type { Intake } from '../intake/intake.ts';
import type { Meter } from '../model/meter.ts';
import type { Client } from './client-address.ts';
import { type AnswerError, sendProblem } from './errors.ts';
import { sendAnswer } from './send-answer.ts';

const noBody = Buffer.alloc(0);

export function questionRoute(ports: {
  readonly intake: Intake;
  readonly meter: Meter;
  readonly answerError: AnswerError;
  readonly clientOf: (request: IncomingMessage) => Client;
}): RequestHandler<{ connector: string }> {
  const { intake, meter, answerError, clientOf } = ports;
  return async (request, response) => {
    const startedMs = performance.now();
    const { method, originalUrl: target, headers, rawHeaders } = request;
    const { connector } = request.params;
    // A body that comes all the same is not waited for.
    if (hasBody(request)) response.setHeader('connection', 'close');
    const methods = intake.questionMethods(connector);
    if (!methods.includes(method)) {
      const allowed = ['POST', 'PUT', ...methods];
      sendProblem(response, {
        status: 405,
        code: 'request-malformed',
        detail: 'Webhooks are sent with POST or PUT.',
        headers: { allow: allowed.join(', ') },
      });
      return;
    }
    const finished = (status: number): void =>
      meter.intake(connector, status, performance.now() - startedMs);
    try {
      const question = { connector, method, target, headers, rawHeaders, body: noBody };
      const answer = await intake.accept({ ...question, client: clientOf(request) });
      finished(answer.status);
      sendAnswer(response, answer);
    } catch (error) {
      finished(answerError(error, response));
    }
  };
}

function hasBody({ headers }: IncomingMessage): boolean {
  return 'transfer-encoding' in headers || Number(headers['content-length'] ?? 0) > 0;
}
