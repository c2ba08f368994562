// The kind `http`: one message becomes one HTTP call. Puts together the request, the credentials,
// the call, the outcome, and what of all that is journaled.

import type { ConnectorDefinition } from '../definitions/definitions.ts';
import { type CallGuard, CallStopped, guardCall } from './call-guard.ts';
import type { Connector, ConnectorContext, ConnectorKind, Sent } from './connector.ts';
import { type Credentials, createHttpAuth, type HttpAuth } from './http-auth.ts';
import { createHttpCaller, type HttpAnswer, type HttpRequest } from './http-call.ts';
import { checkHttp } from './http-check.ts';
import { sentOf } from './http-exchange.ts';
import {
  type HttpConnectorFields,
  type HttpOperationFields,
  httpConnectorSchema,
  httpNamedSecrets,
  httpOperationSchema,
  httpSecretFields,
} from './http-fields.ts';
import { outcomeOf } from './http-outcome.ts';
import { createHttpOperation, type HttpOperation } from './http-request.ts';
import { MessageInvalid } from './message-invalid.ts';
import { createRedactor } from './redact.ts';
import { invalidMessage, unknownOperation } from './unsent.ts';

export const httpKind: ConnectorKind = {
  kind: 'http',
  connectorSchema: httpConnectorSchema,
  operationSchema: httpOperationSchema,
  secretFields: httpSecretFields,
  namedSecrets: httpNamedSecrets,
  check: checkHttp,
  create: createHttpConnector,
};

function createHttpConnector(
  definition: ConnectorDefinition,
  context: ConnectorContext,
): Connector {
  const fields = definition.fields as unknown as HttpConnectorFields;
  const name = definition.title ?? definition.id;
  const { timeoutMs } = definition;
  const operations = new Map<string, HttpOperation>();
  for (const operation of definition.operations.values()) {
    const operationFields = operation.fields as HttpOperationFields;
    operations.set(operation.name, createHttpOperation(fields, operationFields));
  }
  const secrets = [
    ...definition.secrets,
    ...[...operations.values()].flatMap((operation) => operation.secrets),
  ];
  const redactor = createRedactor(secrets);
  const caller = createHttpCaller({ concurrency: definition.limits.concurrency });
  const auth = createHttpAuth(fields.auth, caller, { name, timeoutMs, secrets, now: context.now });

  async function callOnce(operation: HttpOperation, request: HttpRequest, guard: CallGuard) {
    const credentials = await credentialsWithin(auth, guard);
    if (credentials === undefined) {
      const reason = `${name} was not called: there was no access token within ${timeoutMs} ms`;
      const outcome = { kind: 'retry', code: 'timed-out', reason } as const;
      return sentOf({ operation, request, outcome, redactor });
    }
    if (credentials.kind === 'none') {
      return sentOf({ operation, request, outcome: credentials.outcome, redactor });
    }
    const answer = await caller.call(withCredentials(request, credentials), guard);
    const tokenRenewed = isRenewed(answer, credentials, auth);
    const outcome = outcomeOf(answer, guard, {
      name,
      timeoutMs,
      nowMs: context.now(),
      tokenRenewed,
      addressFixed: operation.addressFixed,
      ...(operation.success === undefined ? {} : { success: operation.success }),
    });
    return sentOf({ operation, request, answer, outcome, redactor: credentials.redactor });
  }

  return {
    async send(message, signal): Promise<Sent> {
      const operation = operations.get(message.operation);
      if (operation === undefined) return unknownOperation(name, message);
      signal.throwIfAborted();
      const guard = guardCall(timeoutMs, signal);
      try {
        const result = await callOnce(operation, operation.build(message), guard);
        if (guard.stop === 'aborted') throw signal.reason;
        return result;
      } catch (error) {
        if (error instanceof MessageInvalid) return invalidMessage(name, message, error);
        throw error;
      } finally {
        guard.close();
      }
    },
    async close() {
      caller.close();
    },
  };
}

/** Tells the sign-in how its credentials fared; whether a refusal is cured by new ones. */
function isRenewed(answer: HttpAnswer, credentials: Credentials, auth: HttpAuth): boolean {
  if (answer.kind === 'failed') return false;
  if (answer.status === 401) return auth.refused(credentials);
  auth.taken(credentials);
  return false;
}

async function credentialsWithin(auth: HttpAuth, guard: CallGuard) {
  const current = auth.current();
  if (!(current instanceof Promise)) return current;
  try {
    return await guard.wait(current);
  } catch (error) {
    if (error instanceof CallStopped) return undefined;
    throw error;
  }
}

function withCredentials(request: HttpRequest, { header }: Credentials): HttpRequest {
  if (header === undefined) return request;
  return { ...request, headers: { ...request.headers, [header.name]: header.value } };
}
