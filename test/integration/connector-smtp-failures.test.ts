import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import type { SMTPServerOptions } from 'smtp-server';
import type { Connector } from '../../src/connectors/connector.ts';
import { assertRetry } from '../support/connector-conformance.ts';
import { messageOf } from '../support/connector-parts.ts';
import {
  mail,
  mailConnectorAt,
  sendMail,
  smtpError,
  startMailServer,
  withMailServer,
} from '../support/mail-server.ts';

const PASSWORD = 'canary-smtp-4711';

describe('replies', () => {
  test('a 4xx is tried again, a 5xx is rejected, at each step of a mail', async () => {
    for (const step of ['onMailFrom', 'onRcptTo', 'onData'] as const) {
      for (const [code, expected] of [
        [451, 'retry remote-error'],
        [550, 'rejected rejected'],
      ] as const) {
        const refuse = smtpError(code, 'canary@customer.example is not known');
        const server: SMTPServerOptions =
          step === 'onData'
            ? { onData: (stream, _session, done) => stream.resume().on('end', () => done(refuse)) }
            : {
                [step]: (_address: unknown, _session: unknown, done: (error: Error) => void) =>
                  done(refuse),
              };
        await withMailServer({ server }, async (connector) => {
          const { outcome, exchange } = await sendMail(connector);
          const seen = outcome.kind !== 'delivered' && `${outcome.kind} ${outcome.code}`;
          assert.equal(seen, expected, step);
          assert.equal(outcome.kind === 'retry' && outcome.ambiguous === true, false);
          assert.doesNotMatch(JSON.stringify(outcome), /canary/);
          assert.match(exchange.response?.body ?? '', /is not known/);
          assert.equal(exchange.response?.status, code);
        });
      }
    }
  });

  test('a mail that some recipients refuse is delivered, and says to whom it was not', async () => {
    const server: SMTPServerOptions = {
      onRcptTo: ({ address }, _session, done) =>
        done(address.startsWith('gone') ? smtpError(550, 'no such user') : null),
    };
    await withMailServer({ server }, async (connector) => {
      const sent = await sendMail(connector, mail({ to: ['a@b.example', 'gone@b.example'] }));
      assert.equal(sent.outcome.kind, 'delivered');
      assert.match(
        sent.exchange.response?.body ?? '',
        /not to gone@b\.example: 550 .*no such user/,
      );
      const { accepted, rejected } = JSON.parse(String(sent.responseBody));
      assert.deepEqual([accepted, rejected], [['a@b.example'], ['gone@b.example']]);
    });
  });

  test('a wrong password is unauthorized and does not show', async () => {
    const server: SMTPServerOptions = {
      authMethods: ['PLAIN'],
      allowInsecureAuth: true,
      onAuth: ({ password }, _session, done) => done(smtpError(535, `wrong: ${password}`)),
    };
    const fields = { auth: { user: 'hub', password: PASSWORD } };
    await withMailServer({ server, fields }, async (connector) => {
      const sent = await sendMail(connector);
      const { outcome } = sent;
      assert.equal(outcome.kind === 'retry' && outcome.code, 'unauthorized');
      assert.doesNotMatch(JSON.stringify(sent), /canary/);
      assert.match(JSON.stringify(sent), /wrong: \[redacted\]/);
    });
  });

  test('a server without STARTTLS gets no mail unless security is none', async () => {
    await withMailServer({ fields: { security: 'starttls' } }, async (connector, server) => {
      const sent = await sendMail(connector);
      assertRetry(sent);
      assert.equal(server.mails.length, 0);
    });
  });

  test('a certificate that nobody signed is not accepted, and the reason names it', async () => {
    for (const [fields, server] of [
      [{ security: 'starttls', host: 'localhost' }, { disabledCommands: [] }],
      [{ security: 'tls', host: 'localhost' }, { secure: true }],
    ] as const) {
      const setup = { fields, server: server as SMTPServerOptions };
      await withMailServer(setup, async (connector, { mails }) => {
        const sent = await sendMail(connector);
        assertRetry(sent);
        assert.equal(sent.outcome.code, 'connection-failed');
        assert.match(sent.outcome.reason, /certificate .*\([A-Z_]+\)$/);
        assert.equal(mails.length, 0);
      });
    }
  });
});

describe('broken connections', () => {
  /** A mail server that does as the script says: a reply per line it gets. */
  async function withScript(
    reply: (line: string, socket: Socket) => string | undefined,
    use: (connector: Connector) => Promise<void>,
  ): Promise<void> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.write('220 script\r\n');
      socket.on('data', (chunk) => {
        for (const line of chunk.toString().split('\r\n').slice(0, -1)) {
          const text = reply(line, socket);
          if (text !== undefined) socket.write(`${text}\r\n`);
        }
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const connector = mailConnectorAt((server.address() as { port: number }).port, {
      timeoutMs: 400,
    });
    try {
      await use(connector);
    } finally {
      await connector.close();
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  }

  const polite = (line: string): string | undefined => {
    if (line.startsWith('DATA')) return '354 go on';
    if (/^(EHLO|MAIL|RCPT)/.test(line)) return '250 ok';
    return undefined;
  };

  test('a server that goes away after the mail was written makes the attempt ambiguous', async () => {
    const reply = (line: string, socket: Socket) => {
      if (line === '.') socket.resetAndDestroy();
      return polite(line);
    };
    await withScript(reply, async (connector) => {
      const sent = await sendMail(connector);
      assertRetry(sent);
      assert.equal(sent.outcome.code, 'connection-failed');
      assert.equal(sent.outcome.ambiguous, true);
    });
  });

  test('a server that goes away before the mail was written does not', async () => {
    const reply = (line: string, socket: Socket) => {
      if (line.startsWith('RCPT')) socket.resetAndDestroy();
      return polite(line);
    };
    await withScript(reply, async (connector) => {
      const sent = await sendMail(connector);
      assertRetry(sent);
      assert.equal(sent.outcome.code, 'connection-failed');
      assert.equal(sent.outcome.ambiguous, undefined);
    });
  });

  test('a server that stops talking is left at the deadline', async () => {
    for (const [silentAt, ambiguous] of [
      ['EHLO', undefined],
      ['RCPT', undefined],
      ['.', true],
    ] as const) {
      const reply = (line: string) => (line.startsWith(silentAt) ? undefined : polite(line));
      await withScript(reply, async (connector) => {
        const started = performance.now();
        const sent = await sendMail(connector);
        assertRetry(sent);
        assert.equal(sent.outcome.code, 'timed-out', silentAt);
        assert.equal(sent.outcome.ambiguous, ambiguous, silentAt);
        assert.ok(performance.now() - started < 2_000);
      });
    }
  });

  test('an abort before the mail was written rejects, one after it does not', async () => {
    for (const [abortAt, rejects] of [
      ['RCPT', true],
      ['.', false],
    ] as const) {
      const abort = new AbortController();
      const reply = (line: string) => {
        if (!line.startsWith(abortAt)) return polite(line);
        abort.abort(new Error('the hub is leaving'));
        return rejects ? undefined : '250 queued';
      };
      await withScript(reply, async (connector) => {
        const sending = connector.send(messageOf('call', mail()), abort.signal);
        if (rejects) await assert.rejects(sending, /the hub is leaving/);
        else assert.equal((await sending).outcome.kind, 'delivered');
      });
    }
  });

  test('a refused connection is tried again', async () => {
    const server = await startMailServer();
    await server.close();
    const connector = mailConnectorAt(server.port);
    const sent = await sendMail(connector);
    assertRetry(sent);
    assert.match(sent.outcome.reason, /^Mail server could not be reached: .*ECONNREFUSED/);
    await connector.close();
  });
});
