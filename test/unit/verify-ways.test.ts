// Several ways, several secrets and several elements: which one is told, and that none slips through.

import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { parseTemplate } from '../../src/definitions/template.ts';
import { checkVerify } from '../../src/definitions/verify-part.ts';
import { renderPieces } from '../../src/intake/read-place.ts';
import { checkTimestamp, parseTimeMs } from '../../src/intake/timestamp.ts';
import type { Verdict } from '../../src/intake/verdict.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { readerOf, receiveOf, receiverOf, verdictOf } from '../support/receiver.ts';

const body = '{"id":1}';
const signed = { hmac: 'sha256', header: 'X-Sign', encoding: 'hex' };
const legacy = { hmac: 'sha1', header: 'X-Legacy', encoding: 'hex' };

function sign(secret: string, hash = 'sha256', text = body): string {
  return createHmac(hash, secret).update(text).digest('hex');
}

function codeOf(verdict: Verdict): string {
  return verdict.kind === 'authentic' ? `secret ${verdict.secret}` : verdict.code;
}

async function told(fields: JsonObject, headers: Readonly<Record<string, string>>) {
  return codeOf(await verdictOf(receiveOf(fields), { headers, body }));
}

test('ways that share the secrets of the receiver tell them by the same numbers', async () => {
  const fields = { verify: { any: [signed, legacy] }, secrets: ['new', 'old'] };
  assert.equal(await told(fields, { 'X-Sign': sign('old') }), 'secret 2');
  assert.equal(await told(fields, { 'X-Legacy': sign('old', 'sha1') }), 'secret 2');
  assert.equal(await told(fields, { 'X-Legacy': sign('new', 'sha1') }), 'secret 1');
});

test('ways with secrets of their own are told apart: the numbers run on', async () => {
  const fields = {
    verify: {
      any: [
        { ...signed, secrets: ['a', 'b'] },
        { token: { header: 'X-Token' }, secrets: ['c', 'd'] },
        legacy,
        { basic: true },
      ],
    },
    secrets: ['user:e'],
  };
  assert.equal(await told(fields, { 'X-Sign': sign('b') }), 'secret 2');
  assert.equal(await told(fields, { 'X-Token': 'c' }), 'secret 3');
  assert.equal(await told(fields, { 'X-Token': 'd' }), 'secret 4');
  assert.equal(await told(fields, { 'X-Legacy': sign('user:e', 'sha1') }), 'secret 5');
  const authorization = `Basic ${Buffer.from('user:e').toString('base64')}`;
  assert.equal(await told(fields, { Authorization: authorization }), 'secret 5');
});

test('of ways that are refused the one that came furthest is told', async () => {
  const fields = { verify: { any: [signed, legacy] }, secrets: ['new'] };
  assert.equal(await told(fields, {}), 'signature-missing');
  assert.equal(await told(fields, { 'X-Legacy': sign('x', 'sha1') }), 'signature-wrong');
  assert.equal(await told(fields, { 'X-Sign': 'no hex' }), 'signature-unreadable');
});

test('where all ways must fit one that does not refuses', async () => {
  const token = { token: { header: 'X-Token' }, secrets: ['t'] };
  const fields = { verify: { all: [signed, token] }, secrets: ['s'] };
  assert.equal(await told(fields, { 'X-Sign': sign('s'), 'X-Token': 't' }), 'secret 1');
  assert.equal(await told(fields, { 'X-Sign': sign('s') }), 'credentials-missing');
  assert.equal(await told(fields, { 'X-Token': 't' }), 'signature-missing');
  assert.equal(await told(fields, { 'X-Sign': sign('s'), 'X-Token': 's' }), 'credentials-wrong');
});

test('a list of no ways lets nobody in', async () => {
  for (const name of ['any', 'all']) {
    assert.equal(await told({ verify: { [name]: [] } }, {}), 'signature-missing');
  }
});

test('two values that must be the same and are both absent are not the same', async () => {
  const verify = { ...signed, equal: [['{header:X-Id}', '{json:meta.id}']] };
  const fields = { verify, secrets: ['s'] };
  const of = async (text: string, headers: Readonly<Record<string, string>>) =>
    codeOf(
      await verdictOf(receiveOf(fields), {
        headers: { 'X-Sign': sign('s', 'sha256', text), ...headers },
        body: text,
      }),
    );
  assert.equal(await of('{"meta":{"id":"7"}}', { 'X-Id': '7' }), 'secret 1');
  assert.equal(await of('{"meta":{"id":7}}', { 'X-Id': '7' }), 'secret 1');
  assert.equal(await of('{"meta":{"id":"8"}}', { 'X-Id': '7' }), 'not-equal');
  assert.equal(await of('{"meta":{}}', { 'X-Id': '7' }), 'not-equal');
  assert.equal(await of('{}', {}), 'not-equal');
  assert.equal(await of('no json', {}), 'not-equal');
});

test('the address of the webhook may be signed in each element too', async () => {
  const url = 'https://hub.example/webhooks/one';
  const verify = {
    hmac: 'sha256',
    json: 'sign',
    encoding: 'hex',
    each: '[]',
    signs: '{url}{json:id}',
  };
  const element = (id: number) => ({ id, sign: sign('s', 'sha256', `${url}${id}`) });
  const of = async (elements: readonly unknown[]) =>
    codeOf(
      await verdictOf(receiveOf({ verify, url, secrets: ['s'] }), {
        body: JSON.stringify(elements),
      }),
    );
  assert.equal(await of([element(1), element(2)]), 'secret 1');
  assert.equal(await of([element(1), { ...element(2), id: 3 }]), 'signature-wrong');
  assert.equal(await of([element(1), 2]), 'signature-missing');
  assert.equal(await of([]), 'signature-missing');
});

test('Basic takes one of the secrets, and nothing in the place of a password', async () => {
  const fields = { verify: 'basic', secrets: ['me:s3cret', ':', 'me:', 'plain'] };
  const basic = (text: string) => ({
    Authorization: `Basic ${Buffer.from(text).toString('base64')}`,
  });
  assert.equal(await told(fields, basic('me:s3cret')), 'secret 1');
  for (const text of [':', 'me:', 'plain', 'me:other', 'me:s3cret ', '']) {
    assert.match(await told(fields, basic(text)), /^credentials-/, text);
  }
  const request = { headers: basic('me:s3cret'), body, repeated: ['authorization'] };
  assert.equal(codeOf(await verdictOf(receiveOf(fields), request)), 'signature-repeated');
});

test('a token counts whole, once, with what stands before it, and until it ends', async () => {
  const token = { token: { header: 'X-Token', query: 'token', prefix: 'Bearer ' } };
  const secrets = ['t0ken', { value: 'older', notAfter: '2026-01-01T00:00:00Z' }, ''];
  const fields = { verify: token, secrets };
  assert.equal(await told(fields, { 'X-Token': 'Bearer t0ken' }), 'secret 1');
  assert.equal(await told(fields, { 'X-Token': 'Bearer older' }), 'secret-expired');
  for (const text of ['t0ken', 'Bearer ', 'Bearer t0ke', 'Bearer t0kenn', 'bearer t0ken', '']) {
    assert.match(await told(fields, { 'X-Token': text }), /^credentials-/, text);
  }
  const request = { headers: { 'X-Token': 'Bearer t0ken' }, body, repeated: ['x-token'] };
  assert.equal(codeOf(await verdictOf(receiveOf(fields), request)), 'signature-repeated');
});

test('a secret that is no key is told without the secret, when the file is read', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
  const rows: readonly (readonly [JsonObject, string, RegExp])[] = [
    [{ ...signed, key: 'hex' }, 's3cret', /not written in hex/],
    [{ ...signed, key: 'hex' }, 'abc', /not written in hex/],
    [{ ...signed, key: 'base64' }, 's3cr et', /not written in base64/],
    [{ ...signed, key: 'base64' }, 's3cre', /not written in base64/],
    [{ ...signed, key: 'whsec' }, 'whsec_', /not written in base64/],
    [{ rsa: 'sha256', header: 'X', encoding: 'base64' }, pem, /another kind: ec, not rsa/],
    [{ ed25519: 'sha512', header: 'X', encoding: 'base64' }, pem, /another kind: ec, not ed25519/],
    [{ ecdsa: 'sha256', header: 'X', encoding: 'base64' }, 's3cret==', /no public key/],
    [{ ed25519: 'sha512', header: 'X', encoding: 'hex', key: 'hex' }, 'abcd', /no public key/],
  ];
  for (const [verify, secret, message] of rows) {
    const receive = receiveOf({ verify, secrets: [secret] });
    assert.throws(
      () => receiverOf(receive),
      (error: Error) => message.test(error.message) && !error.message.includes(secret),
    );
  }
});

test('a file that proves nothing is told to be wrong', () => {
  const faultsOf = (verify: JsonObject) =>
    checkVerify(verify, ['receive', 'verify'], ['s3cret']).map(({ path, code }) => [
      path.at(-1),
      code,
    ]);
  const hash = { hash: 'sha256', header: 'X-Sign', encoding: 'hex' };
  assert.deepEqual(faultsOf({ ...hash, signs: '{secret}{body}' }), []);
  assert.deepEqual(faultsOf(hash), [['signs', 'wrong-value']]);
  assert.deepEqual(faultsOf({ token: { is: 's3cret' } }), [['is', 'wrong-value']]);
});

function renders(text: string, headers: Readonly<Record<string, string>>): string {
  const parsed = parseTemplate(text);
  if ('problem' in parsed) return parsed.problem.message;
  const sent = Buffer.from('{"items":[{"id":9007199254740993}],"empty":""}');
  const reader = readerOf(receiveOf({ verify: 'none' }), { headers, body: sent });
  return Buffer.concat(
    renderPieces(parsed.value, reader).map((piece) => Buffer.from(piece as string)),
  ).toString();
}

test('a template comes to what its parts come to, and leaves out what is in brackets and absent', () => {
  const headers = { 'X-A': 'a', 'X-B': 'b' };
  const rows: Readonly<Record<string, string>> = {
    '{header:X-A}[.{header:x-b}]': 'a.b',
    '{header:X-A}[.{header:X-C}]': 'a',
    '{header:X-A}.{header:X-C}': 'a.',
    '[{header:X-A}.{header:X-C}]': '',
    '[{json:items[0].id}]': '9007199254740993',
    '{json:items[0].id}[ {json:items[1].id}]': '9007199254740993',
    '[{json:empty}x]': '',
    'list[0] {method}': 'list[0] POST',
    '[{timestamp}.]{header:X-A}': 'a',
    '[{url}]': '',
  };
  for (const [text, expected] of Object.entries(rows))
    assert.equal(renders(text, headers), expected);
  for (const text of ['{header:X-A', 'X}', '[{header:X-A}', '{header:X-A}]', '[a[{header:X-A}]]']) {
    assert.match(renders(text, headers), /without its partner|in square brackets/, text);
  }
});

test('bytes that are no text stay as they are in an optional part too', () => {
  const parsed = parseTemplate('[{body}]');
  assert.ok('value' in parsed);
  const sent = Buffer.from([0xff, 0x00, 0xc3]);
  const pieces = renderPieces(
    parsed.value,
    readerOf(receiveOf({ verify: 'none' }), { body: sent }),
  );
  assert.deepEqual(pieces, [sent]);
});

test('a time is read in its own unit and no other, and without a zone it is in UTC', () => {
  const at = Date.parse('2025-08-19T20:37:09Z');
  const readable: Readonly<Record<string, readonly string[]>> = {
    s: ['1755635829'],
    ms: ['1755635829000'],
    iso: [
      '2025-08-19T20:37:09Z',
      '2025-08-19T20:37:09.000Z',
      '2025-08-19T20:37:09',
      '2025-08-19 20:37:09',
      '2025-08-19T22:37:09+02:00',
      '2025-08-19T22:37:09+0200',
      '2025-08-19 15:37:09 -0500',
      '2025-08-19 20:37:09 UTC',
    ],
    http: ['Tue, 19 Aug 2025 20:37:09 GMT', 'Tue, 19 Aug 2025 20:37:09 -0000'],
  };
  const units = ['s', 'ms', 'iso', 'http'] as const;
  for (const unit of units) {
    const definition = { place: [], unit, toleranceMs: 0 };
    for (const [own, texts] of Object.entries(readable)) {
      for (const text of texts) {
        const verdict = checkTimestamp(definition, { text }, at);
        assert.equal(verdict === undefined, own === unit, `${unit} ${text}`);
        assert.equal(parseTimeMs(text), at, text);
      }
    }
    for (const text of [
      '',
      ' ',
      '0x10',
      '1e9',
      '-1',
      'NaN',
      '2025-08-19T20:37:09Z; x',
      '2025-13-01',
    ]) {
      const verdict = checkTimestamp(definition, { text }, at);
      assert.equal(verdict?.kind === 'refused' && verdict.code, 'timestamp-unreadable', text);
    }
  }
});
