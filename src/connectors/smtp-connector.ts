// The kind `smtp`: one message becomes one mail. What a server's reply means is decided here.

import type { ConnectorDefinition } from '../definitions/definitions.ts';
import type { Outcome } from '../model/outcome.ts';
import { type CallGuard, guardCall } from './call-guard.ts';
import type {
  Connector,
  ConnectorContext,
  ConnectorKind,
  Exchange,
  Message,
  Sent,
} from './connector.ts';
import { MessageInvalid } from './message-invalid.ts';
import { networkFailureText } from './network-failure.ts';
import { createRedactor, type Redactor } from './redact.ts';
import {
  checkSmtp,
  type SmtpConnectorFields,
  type SmtpOperationFields,
  smtpConnectorSchema,
  smtpOperationSchema,
} from './smtp-fields.ts';
import { composeMail, type Mail, parseMail } from './smtp-message.ts';
import { type Accepted, createSmtpSessions } from './smtp-session.ts';
import { invalidMessage, unknownOperation } from './unsent.ts';

export const smtpKind: ConnectorKind = {
  kind: 'smtp',
  connectorSchema: smtpConnectorSchema,
  operationSchema: smtpOperationSchema,
  secretFields: ['auth/password'],
  check: checkSmtp,
  create: createSmtpConnector,
};

function createSmtpConnector(
  definition: ConnectorDefinition,
  context: ConnectorContext,
): Connector {
  const fields = definition.fields as unknown as SmtpConnectorFields;
  const { timeoutMs } = definition;
  const name = definition.title ?? definition.id;
  const redactor = createRedactor([...definition.secrets, ...authForms(fields)]);
  const sessions = createSmtpSessions(fields, timeoutMs);

  async function mailOnce(message: Message, from: string, guard: CallGuard): Promise<Sent> {
    const mail = parseMail(message, from);
    const bytes = await composeMail(mail, context.now());
    const to = [...mail.to, ...mail.cc, ...mail.bcc].map(({ address }) => address);
    const request = requestRecord(mail, message, { bytes: bytes.length, redactor });
    try {
      const accepted = await sessions.send({ from: mail.from.address, to }, bytes, guard);
      const outcome = { kind: 'delivered', status: replyCode(accepted.reply) ?? 250 } as const;
      const exchange = { request, response: responseRecord(accepted, redactor) };
      return { outcome, exchange, responseBody: resultOf(mail, accepted) };
    } catch (error) {
      const outcome = failureOutcome(error, guard, { name, timeoutMs });
      const reply = (error as SmtpError).response;
      if (reply === undefined) return { outcome, exchange: { request } };
      const response = responseRecord({ accepted: [], rejected: [], reply }, redactor);
      return { outcome, exchange: { request, response }, responseBody: Buffer.from(reply) };
    }
  }

  return {
    async send(message, signal) {
      const operation = definition.operations.get(message.operation);
      if (operation === undefined) return unknownOperation(name, message);
      signal.throwIfAborted();
      const guard = guardCall(timeoutMs, signal);
      try {
        const own = (operation.fields as SmtpOperationFields).from;
        const sent = await mailOnce(message, own ?? fields.from, guard);
        if (guard.stop === 'aborted') throw signal.reason;
        return sent;
      } catch (error) {
        if (error instanceof MessageInvalid) return invalidMessage(name, message, error);
        throw error;
      } finally {
        guard.close();
      }
    },
    async close() {
      sessions.close();
    },
  };
}

/** The forms in which SASL carries a password (RFC 4616), in case a server repeats them. */
function authForms({ auth }: SmtpConnectorFields): string[] {
  if (auth === undefined) return [];
  return [auth.password, `\0${auth.user}\0${auth.password}`];
}

interface SmtpError extends Error {
  readonly code?: string;
  readonly command?: string;
  readonly response?: string;
  readonly responseCode?: number;
}

interface FailureContext {
  readonly name: string;
  readonly timeoutMs: number;
}

/** Refusals before the mail was offered concern the session; those after it concern the mail. */
const sessionCommands = /^(CONN|EHLO|HELO|STARTTLS)/;

function failureOutcome(error: unknown, guard: CallGuard, context: FailureContext): Outcome {
  const { name, timeoutMs } = context;
  const { code, command = 'CONN', responseCode } = error as SmtpError;
  if (responseCode !== undefined) {
    return replyOutcome(responseCode, command, `${name} answered ${responseCode} to ${command}`);
  }
  const ambiguous = guard.written ? { ambiguous: true } : {};
  if (guard.stop === 'deadline' || code === 'ETIMEDOUT') {
    const reason = `${name} did not take the mail within ${timeoutMs} ms`;
    return { kind: 'retry', code: 'timed-out', reason, ...ambiguous };
  }
  if (code === 'EAUTH') {
    const reason = `${name} offers no way to sign in with a password`;
    return { kind: 'retry', code: 'unauthorized', reason };
  }
  if (code === 'EMESSAGE') {
    const reason = `${name} does not take mails of this size`;
    return { kind: 'rejected', code: 'rejected', reason };
  }
  const what = guard.written ? 'did not confirm the mail' : 'could not be reached';
  const reason = `${name} ${what}: ${networkFailureText(error)}`;
  return { kind: 'retry', code: 'connection-failed', reason, ...ambiguous };
}

function replyOutcome(status: number, command: string, reason: string): Outcome {
  if (status < 500 || sessionCommands.test(command)) {
    return { kind: 'retry', code: 'remote-error', reason, status };
  }
  if (command.startsWith('AUTH')) return { kind: 'retry', code: 'unauthorized', reason, status };
  return { kind: 'rejected', code: 'rejected', reason, status };
}

function replyCode(reply: string): number | undefined {
  const digits = /^\d{3}/.exec(reply)?.[0];
  return digits === undefined ? undefined : Number(digits);
}

function requestRecord(
  mail: Mail,
  message: Message,
  { bytes, redactor }: { readonly bytes: number; readonly redactor: Redactor },
): Exchange['request'] {
  const to = mail.to.map(({ address }) => address).join(', ');
  const headers = {
    from: mail.from.address,
    to,
    subject: mail.subject,
    'message-id': mail.messageId,
  };
  const shown = Object.entries(headers).map(([name, value]) => [name, redactor.redact(value)]);
  return {
    summary: redactor.redact(`mail to ${to}`),
    headers: Object.fromEntries(shown),
    body: redactor.excerpt(message.body),
    bytes,
  };
}

function responseRecord(
  { rejected, reply }: Accepted,
  redactor: Redactor,
): NonNullable<Exchange['response']> {
  const refusals = rejected.map((refusal) => `not to ${refusal.address}: ${refusal.reply}`);
  const text = [reply, ...refusals].join('\n');
  const status = replyCode(reply);
  return {
    ...(status === undefined ? {} : { status }),
    body: redactor.excerpt(text),
    bytes: Buffer.byteLength(text),
  };
}

function resultOf(mail: Mail, { accepted, rejected }: Accepted): Buffer {
  const refused = rejected.map(({ address }) => address);
  return Buffer.from(JSON.stringify({ messageId: mail.messageId, accepted, rejected: refused }));
}
