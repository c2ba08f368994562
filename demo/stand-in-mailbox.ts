// A real SMTP server that keeps what it is given. Which order a mail is about, and which of the two
// mails it is, stands in its subject.

import type { AddressInfo } from 'node:net';
import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';

export interface Mail {
  /** Addresses, as the envelope has them. */
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly messageId?: string;
}

export interface StandInMailbox {
  readonly port: number;
  readonly mails: readonly Mail[];
  close(): Promise<void>;
}

export async function startStandInMailbox(options: {
  readonly user: string;
  readonly password: string;
  onMail?(mail: Mail): void;
}): Promise<StandInMailbox> {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    authMethods: ['PLAIN', 'LOGIN'],
    // Nothing leaves this machine, so there is no TLS to protect.
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    disableReverseLookup: true,
    onAuth({ username, password }, _session, done) {
      if (username === options.user && password === options.password) {
        return done(null, { user: username });
      }
      done(new Error('wrong user or password'));
    },
    onData(stream, session, done) {
      const to = session.envelope.rcptTo.map(({ address }) => address);
      simpleParser(stream).then(
        ({ subject = '', text = '', html, messageId }) => {
          const kept = { to, subject, text, html: html || '' };
          const mail: Mail = messageId === undefined ? kept : { ...kept, messageId };
          mails.push(mail);
          options.onMail?.(mail);
          done();
        },
        (error: Error) => done(error),
      );
    },
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  // A client that hangs up in the middle is the client's business.
  server.on('error', () => undefined);
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
