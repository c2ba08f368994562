import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { describe, test } from 'node:test';
import { smtpKind } from '../../src/connectors/smtp-connector.ts';
import { connectorConformance } from '../support/connector-conformance.ts';
import {
  mail,
  sendMail,
  smtpError,
  startMailServer,
  withMailServer,
} from '../support/mail-server.ts';

const PASSWORD = 'canary-smtp-4711';

connectorConformance(smtpKind, async () => {
  let failing = false;
  const server = await startMailServer({
    authMethods: ['PLAIN'],
    allowInsecureAuth: true,
    onAuth: ({ password }, _session, done) => done(null, { user: String(password) }),
    onMailFrom: (_address, _session, done) =>
      done(failing ? smtpError(451, `4.3.0 try later, ${PASSWORD}`) : null),
  });
  return {
    fields: {
      host: '127.0.0.1',
      port: server.port,
      security: 'none',
      auth: { user: 'hub', password: PASSWORD },
      from: 'Shop <orders@shop.example>',
    },
    operation: {},
    folder: tmpdir(),
    body: (number) => mail({ subject: `Order ${number}` }),
    longBody: () => mail({ text: 'x'.repeat(40_000) }),
    secrets: [PASSWORD, Buffer.from(`\0hub\0${PASSWORD}`).toString('base64')],
    taken: async () => server.mails.length,
    async fail() {
      failing = true;
    },
    stop: () => server.close(),
  };
});

describe('mails', () => {
  test('a mail arrives with everything the mapping gave it', async () => {
    await withMailServer({}, async (connector, server) => {
      const sent = await sendMail(
        connector,
        mail({
          to: ['"Doe, Jane" <jane@customer.example>', 'joe@customer.example'],
          cc: 'cc@customer.example',
          bcc: ['bcc@customer.example'],
          replyTo: 'help@shop.example',
          subject: 'Bestellung 1001 ✓',
          text: 'Grüße',
          html: '<p>Grüße</p>',
          headers: { 'X-Order': '1001' },
          attachments: [
            { filename: 'a.csv', contentType: 'text/csv', content: 'a,b\n1,2\n' },
            { filename: 'b.bin', content: 'AAEC', encoding: 'base64' },
          ],
        }),
      );
      assert.equal(sent.outcome.kind, 'delivered');
      const [got] = server.mails;
      assert.equal(got?.subject, 'Bestellung 1001 ✓');
      assert.equal(got?.text?.trim(), 'Grüße');
      assert.match(String(got?.html), /<p>Grüße<\/p>/);
      assert.equal(got?.headers.get('x-order'), '1001');
      assert.equal(got?.from?.text, '"Shop" <orders@shop.example>');
      assert.match(JSON.stringify(got?.to), /Doe, Jane/);
      assert.equal(got?.headers.has('bcc'), false);
      assert.deepEqual(server.recipients[0], [
        'jane@customer.example',
        'joe@customer.example',
        'cc@customer.example',
        'bcc@customer.example',
      ]);
      const files = got?.attachments.map(({ filename, content }) => [
        filename,
        content.toString('hex'),
      ]);
      assert.deepEqual(files, [
        ['a.csv', Buffer.from('a,b\n1,2\n').toString('hex')],
        ['b.bin', '000102'],
      ]);
      const result = JSON.parse(String(sent.responseBody));
      assert.equal(result.messageId, got?.messageId);
      assert.equal(result.accepted.length, 4);
      assert.deepEqual(result.rejected, []);
      assert.equal(sent.exchange.response?.status, 250);
    });
  });

  test('every attempt of a delivery has the same Message-ID, another delivery another', async () => {
    await withMailServer({}, async (connector, server) => {
      await sendMail(connector, mail(), 'event:flow');
      await sendMail(connector, mail(), 'event:flow');
      await sendMail(connector, mail(), 'event:other');
      const ids = server.mails.map(({ messageId }) => messageId);
      assert.match(ids[0] ?? '', /^<[0-9a-f]{32}@shop\.example>$/);
      assert.equal(ids[0], ids[1]);
      assert.notEqual(ids[0], ids[2]);
    });
  });

  test('mails one after the other share one connection', async () => {
    await withMailServer({}, async (connector, server) => {
      for (let number = 0; number < 5; number += 1) await sendMail(connector);
      assert.equal(server.mails.length, 5);
      assert.equal(server.connections(), 1);
    });
  });

  test('the operation and the message may name another sender', async () => {
    const operation = { from: 'billing@shop.example' };
    await withMailServer({ operation }, async (connector, server) => {
      await sendMail(connector);
      await sendMail(connector, mail({ from: 'Boss <boss@shop.example>' }));
      const senders = server.mails.map(({ from }) => from?.value[0]?.address);
      assert.deepEqual(senders, ['billing@shop.example', 'boss@shop.example']);
    });
  });

  test('a message that is no proper mail is rejected with the name of its field', async () => {
    await withMailServer({}, async (connector, server) => {
      for (const [body, named] of [
        ['no json', /not JSON/],
        ['[]', /not an object/],
        [mail({ to: [] }), /"to"/],
        [mail({ to: 'a@b.example, c@d.example' }), /"to"/],
        [mail({ to: ['a@b.example', 'canary'] }), /"to\.1"/],
        [mail({ to: 'a@b.example\r\nRCPT TO:<evil@evil.example>' }), /"to"/],
        [mail({ to: 'x\r\nBcc: evil@evil.example <a@b.example>' }), /"to"/],
        [mail({ cc: 'a b@c.example' }), /"cc"/],
        [mail({ from: 'canary' }), /"from"/],
        [mail({ subject: 'a\r\nBcc: evil@evil.example' }), /"subject"/],
        [mail({ subject: 1 }), /"subject"/],
        [mail({ headers: { 'X-A': 'a\nBcc: evil@evil.example' } }), /"headers\.X-A"/],
        [mail({ headers: { 'X-A\r\nBcc': 'a' } }), /"headers"/],
        [mail({ headers: { Bcc: 'a@b.example' } }), /"headers"/],
        [mail({ headers: { 'Content-Type': 'a/b' } }), /"headers"/],
        [mail({ text: null }), /neither "text" nor "html"/],
        [mail({ too: 'a@b.example' }), /"too"/],
        [mail({ attachments: [{ filename: 'a', path: '/etc/passwd' }] }), /attachments\.0\.path/],
        [mail({ attachments: [{ filename: 'a', content: { path: '/etc/hostname' } }] }), /content/],
        [mail({ attachments: [{ filename: 'a', content: '%', encoding: 'base64' }] }), /base64/],
        [mail({ attachments: [{ filename: 'a\r\nb', content: '' }] }), /filename/],
      ] as const) {
        const { outcome } = await sendMail(connector, body);
        assert.equal(outcome.kind === 'rejected' && outcome.code, 'message-invalid', body);
        const reason = outcome.kind === 'rejected' ? outcome.reason : '';
        assert.match(reason, named);
        assert.doesNotMatch(reason, /canary|evil/);
      }
      assert.equal(server.connections(), 0);
    });
  });
});
