// SMTP connections: opened with the guard's deadline, kept for the next mail, closed when idle.
// One mail at a time on each; the lane's concurrency bounds how many there are.

import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { CallGuard } from './call-guard.ts';
import { forbiddenAddressError, guardedLookup, isForbiddenAddress } from './forbidden-address.ts';
import type { SmtpConnectorFields } from './smtp-fields.ts';

/** A connection that idles longer than this is closed. */
const IDLE_MS = 20_000;
/** Mail servers end a session after some number of mails; this is below the usual ones. */
const MAILS_PER_CONNECTION_MAX = 100;

export interface Envelope {
  readonly from: string;
  readonly to: readonly string[];
}

export interface Accepted {
  readonly accepted: readonly string[];
  readonly rejected: readonly { readonly address: string; readonly reply: string }[];
  /** The server's last reply: `250 2.0.0 Ok: queued as 4F2…`. */
  readonly reply: string;
}

export interface SmtpSessions {
  /** Rejects with nodemailer's error or a socket's; the guard says whether the mail was written. */
  send(envelope: Envelope, mail: Buffer, guard: CallGuard): Promise<Accepted>;
  close(): void;
}

interface Session {
  readonly connection: SMTPConnection;
  mails: number;
  idle?: NodeJS.Timeout;
}

export function createSmtpSessions(fields: SmtpConnectorFields, timeoutMs: number): SmtpSessions {
  const idle: Session[] = [];

  function leave(session: Session): void {
    clearTimeout(session.idle);
    const index = idle.indexOf(session);
    if (index >= 0) idle.splice(index, 1);
  }

  function keep(session: Session): void {
    session.mails += 1;
    if (session.connection.destroyed) return;
    if (session.mails >= MAILS_PER_CONNECTION_MAX) {
      session.connection.quit();
      return;
    }
    session.idle = setTimeout(() => {
      leave(session);
      session.connection.quit();
    }, IDLE_MS).unref();
    idle.push(session);
  }

  async function take(guard: CallGuard): Promise<Session> {
    const session = idle.at(-1);
    if (session === undefined) return openSession(fields, { timeoutMs, guard, leave });
    leave(session);
    return session;
  }

  return {
    async send(envelope, mail, guard) {
      const session = await take(guard);
      const end = () => session.connection.close();
      guard.signal.addEventListener('abort', end, { once: true });
      try {
        const accepted = await guard.wait(sendOn(session.connection, { envelope, mail, guard }));
        keep(session);
        return accepted;
      } catch (error) {
        session.connection.close();
        throw error;
      } finally {
        guard.signal.removeEventListener('abort', end);
      }
    },
    close() {
      for (const session of [...idle]) {
        leave(session);
        session.connection.close();
      }
    },
  };
}

interface Opening {
  readonly timeoutMs: number;
  readonly guard: CallGuard;
  leave(session: Session): void;
}

async function openSession(
  fields: SmtpConnectorFields,
  { timeoutMs, guard, leave }: Opening,
): Promise<Session> {
  const security = fields.security ?? 'starttls';
  const connection = new SMTPConnection({
    host: fields.host,
    connection: await openSocket(fields, guard),
    secure: security === 'tls',
    secured: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    // The guard ends a call; this only must not end an idle session before its time.
    socketTimeout: timeoutMs + IDLE_MS,
    socketCloseTimeout: 1_000,
  });
  const session: Session = { connection, mails: 0 };
  try {
    await guard.wait(handshake(connection, fields.auth));
  } catch (error) {
    connection.close();
    throw error;
  }
  connection.on('end', () => leave(session));
  return session;
}

/** TCP, or TLS over it; nodemailer is not asked to resolve names, so that the address guard sees them. */
async function openSocket(fields: SmtpConnectorFields, guard: CallGuard): Promise<Socket> {
  if (isForbiddenAddress(fields.host)) throw forbiddenAddressError();
  const { host } = fields;
  const tls = fields.security === 'tls';
  const options = { host, port: fields.port ?? (tls ? 465 : 587), lookup: guardedLookup };
  const socket = tls
    ? connectTls({ ...options, ...(isIP(host) === 0 ? { servername: host } : {}) })
    : connectTcp(options);
  const open = new Promise<Socket>((resolve, reject) => {
    socket.once(tls ? 'secureConnect' : 'connect', () => resolve(socket));
    socket.once('error', reject);
  });
  try {
    return await guard.wait(open);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function handshake(connection: SMTPConnection, auth: SmtpConnectorFields['auth']): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.on('error', reject);
    connection.once('end', () => reject(new Error('the server ended the session')));
    connection.connect((error) => {
      if (error) return reject(error);
      if (auth === undefined) return resolve();
      connection.login({ user: auth.user, pass: auth.password }, (failure) =>
        failure ? reject(failure) : resolve(),
      );
    });
  });
}

interface Sending {
  readonly envelope: Envelope;
  readonly mail: Buffer;
  readonly guard: CallGuard;
}

function sendOn(connection: SMTPConnection, { envelope, mail, guard }: Sending): Promise<Accepted> {
  // Read only once the server has said 354: that is when the mail begins to be written.
  const body = Readable.from(
    (function* () {
      guard.markWritten();
      yield mail;
    })(),
    { objectMode: false },
  );
  const { from, to } = envelope;
  return new Promise((resolve, reject) => {
    connection.send({ from, to: [...to], size: mail.length }, body, (error, info) => {
      if (error || info === undefined) return reject(error ?? new Error('there was no reply'));
      const rejected = (info.rejectedErrors ?? []).map(({ recipient, response }) => ({
        address: recipient ?? '',
        reply: response ?? '',
      }));
      resolve({ accepted: info.accepted, rejected, reply: info.response });
    });
  });
}
