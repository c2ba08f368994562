// A real SMTP server that keeps the mails it gets, and a connector beside it.

import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import type { Connector, Sent } from '../../src/connectors/connector.ts';
import { smtpKind } from '../../src/connectors/smtp-connector.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { contextOf, definitionOf, messageOf, noAbort } from './connector-parts.ts';

export interface MailServer {
  readonly port: number;
  readonly mails: readonly ParsedMail[];
  /** Envelope recipients, in the order the mails came. */
  readonly recipients: readonly string[][];
  readonly connections: () => number;
  close(): Promise<void>;
}

export async function startMailServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const mails: ParsedMail[] = [];
  const recipients: string[][] = [];
  let connections = 0;
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    onConnect(_session, done) {
      connections += 1;
      done();
    },
    onData(stream, session, done) {
      void simpleParser(stream).then((mail) => {
        mails.push(mail);
        recipients.push(session.envelope.rcptTo.map(({ address }) => address));
        done();
      });
    },
    ...options,
  });
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  return {
    port: (server.server.address() as { port: number }).port,
    mails,
    recipients,
    connections: () => connections,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

export function smtpError(code: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode: code });
}

/** A message for the smtp kind. */
export const mail = (fields: JsonObject = {}): string =>
  JSON.stringify({ to: 'jane@customer.example', subject: 'Hello', text: 'Hi', ...fields });

export interface MailSetup {
  readonly server?: SMTPServerOptions;
  readonly fields?: JsonObject;
  readonly operation?: JsonObject;
  readonly timeoutMs?: number;
}

export async function withMailServer(
  setup: MailSetup,
  use: (connector: Connector, server: MailServer) => Promise<void>,
): Promise<void> {
  const server = await startMailServer(setup.server);
  const connector = mailConnectorAt(server.port, setup);
  try {
    await use(connector, server);
  } finally {
    await connector.close();
    await server.close();
  }
}

export function mailConnectorAt(port: number, setup: MailSetup = {}): Connector {
  const definition = definitionOf({
    title: 'Mail server',
    kind: 'smtp',
    fields: {
      host: '127.0.0.1',
      port,
      security: 'none',
      from: 'Shop <orders@shop.example>',
      ...setup.fields,
    },
    operations: { call: setup.operation ?? {} },
    timeoutMs: setup.timeoutMs ?? 5_000,
  });
  return smtpKind.create(definition, contextOf(tmpdir()));
}

export function sendMail(connector: Connector, body = mail(), key = 'e:f'): Promise<Sent> {
  return connector.send(messageOf('call', body, key), noAbort());
}
