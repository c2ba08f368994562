// The words that a refused request is kept with: each names what was wrong with this very request.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import { diagnose } from '../../src/intake/diagnose.ts';
import { receiveOf, requestOf, type TestRequest, verdictOf } from '../support/receiver.ts';

const secret = 'a-secret-of-the-shop';
const hmacOf = (text: string | Buffer, key: string | Buffer = secret, hash = 'sha256') =>
  createHmac(hash, key).update(text);

async function wordsFor(fields: object, request: TestRequest): Promise<string> {
  const receive = receiveOf({
    secrets: [secret],
    verify: { hmac: 'sha256', header: 'X-Sig', encoding: 'hex' },
    ...fields,
  } as never);
  const verdict = await verdictOf(receive, request);
  assert.equal(verdict.kind, 'refused');
  if (verdict.kind !== 'refused') return '';
  return diagnose(receive, requestOf(request), verdict);
}

const signed = (signature: string, body: string, headers = {}): TestRequest => ({
  body,
  headers: { 'x-sig': signature, ...headers },
});

describe('a wrong signature is explained', () => {
  const body = '{"id":1,"b":[1,2]}';
  const cases: readonly (readonly [string, object, TestRequest, RegExp])[] = [
    [
      'a line break too many',
      {},
      signed(hmacOf(body).digest('hex'), `${body}\n`),
      /last line break/,
    ],
    ['a line break too few', {}, signed(hmacOf(`${body}\n`).digest('hex'), body), /taken away/],
    [
      'JSON written anew',
      {},
      signed(hmacOf(body).digest('hex'), '{ "id": 1, "b": [1,2] }'),
      /anew/,
    ],
    ['another hash', {}, signed(hmacOf(body, secret, 'sha512').digest('hex'), body), /by sha512/],
    [
      'a key in another form',
      { secrets: [`whsec_${Buffer.from('0123456789abcdef').toString('base64')}`] },
      signed(hmacOf(body, '0123456789abcdef').digest('hex'), body),
      /with "key: whsec"; verify\.key is text/,
    ],
    [
      'a secret with a space',
      { secrets: [`${secret} `] },
      signed(hmacOf(body).digest('hex'), body),
      /without the white space around it/,
    ],
    [
      'another time',
      {
        verify: {
          hmac: 'sha256',
          encoding: 'hex',
          header: 'X-Sig',
          signs: '{timestamp}.{body}',
          timestamp: { header: 'X-Sent', tolerance: '300s' },
        },
      },
      signed(hmacOf(`17.${body}`).digest('hex'), body, { 'x-sent': '18', 'x-timestamp': '17' }),
      /over the time of the header x-timestamp/,
    ],
    [
      'another address',
      {
        url: 'https://hub.example/webhooks/one',
        verify: { hmac: 'sha256', header: 'X-Sig', encoding: 'hex', signs: '{url}{body}' },
      },
      signed(hmacOf(`http://hub.example/webhooks/one${body}`).digest('hex'), body),
      /with http:\/\/ in receive\.url/,
    ],
  ];
  for (const [what, fields, request, words] of cases) {
    test(`by ${what}`, async () => {
      const text = await wordsFor(fields, request);
      assert.match(text, /^the signature does not fit the secret; it would fit /);
      assert.match(text, words);
      assert.ok(!text.includes(secret));
    });
  }

  test('in another encoding', async () => {
    const text = await wordsFor({}, signed(hmacOf(body).digest('base64'), body));
    assert.match(text, /not written in hex; it would fit read as base64; verify\.encoding is hex/);
  });

  test('by what the request says of its way, where nothing else explains it', async () => {
    const headers = { 'content-length': '812', via: '1.1 proxy.example' };
    const text = await wordsFor({}, signed('ab'.repeat(32), body, headers));
    assert.match(text, /neither does it with \d+ usual changes/);
    assert.match(text, /content-length says 812 bytes, and 18 were received/);
    assert.match(text, /by a proxy \(via: 1\.1 proxy\.example\)/);
  });
});

test('a missing signature is told with the headers that look like one', async () => {
  const text = await wordsFor({}, { body: 'x', headers: { 'x-hub-signature-256': 'sha256=ab' } });
  assert.match(text, /^there is no header x-sig; it has the header x-hub-signature-256$/);
});

test('an old time and an old secret are told with their figures', async () => {
  const verify = {
    hmac: 'sha256',
    encoding: 'hex',
    header: 'X-Sig',
    signs: '{timestamp}.{body}',
    timestamp: { header: 'X-Time', tolerance: '300s' },
  };
  const at = String(Math.floor(Date.now() / 1_000) - 412);
  const request = signed(hmacOf(`${at}.b`).digest('hex'), 'b', { 'x-time': at });
  assert.match(await wordsFor({ verify }, request), /^timestamp 41[23] s old, tolerance 300 s$/);
  const secrets = ['new', { value: secret, notAfter: '2026-01-01T00:00:00Z' }];
  const old = await wordsFor({ secrets }, signed(hmacOf('b').digest('hex'), 'b'));
  assert.match(
    old,
    /^it is signed with secret 2, which ended 2026-01-01.*; the sender still uses it$/,
  );
});
