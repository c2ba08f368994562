// The other side is Twilio's own library, as signer and as checker.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import twilio from 'twilio';
import { receiveOf, type TestRequest, verdictOf } from '../support/receiver.ts';

const token = '12345';
const url = 'https://hub.example/webhooks/twilio';
const receive = receiveOf({
  verify: { scheme: 'twilio' },
  url,
  secrets: [token, { value: 'before', notAfter: '2026-01-01T00:00:00Z' }],
});
// The example of the documentation of twilio-php, "Validate Incoming Requests".
const published = {
  CallSid: 'CA1234567890ABCDE',
  Caller: '+14158675309',
  Digits: '1234',
  From: '+14158675309',
  To: '+18005551212',
};

async function codeOf(request: TestRequest, to = receive): Promise<unknown> {
  const verdict = await verdictOf(to, request);
  return verdict.kind === 'refused' ? verdict.code : verdict;
}

type Fields = Readonly<Record<string, string | readonly string[]>>;

function formOf(fields: Fields): string {
  const pairs = Object.entries(fields).flatMap(([name, value]) =>
    [value].flat().map((one): [string, string] => [name, one]),
  );
  return new URLSearchParams(pairs).toString();
}

function form(fields: Fields, signature?: string, target = '/webhooks/twilio'): TestRequest {
  const query = target.replace(/^[^?]*/, '');
  return {
    target,
    headers: {
      'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
      'x-twilio-signature':
        signature ?? twilio.getExpectedTwilioSignature(token, `${url}${query}`, fields),
    },
    body: formOf(fields),
  };
}

const authentic = { kind: 'authentic', secret: 1 };

test("takes the signature of Twilio's own documentation", async () => {
  const documented = receiveOf({
    verify: { scheme: 'twilio' },
    url: 'https://mycompany.com/myapp.php?foo=1&bar=2',
    secrets: [token],
  });
  const signature = 'RSOYDt4T1cUTdK1PDd93/VVr8B8=';
  assert.deepEqual(await codeOf(form(published, signature), documented), authentic);
});

test('takes forms as Twilio signs them: sorted, repeated, empty, with letters of the world', async () => {
  for (const fields of [
    {},
    published,
    { b: '2', a: '1', A: '0' },
    { To: ['+2', '+1', '+2'] },
    { Body: 'Grüße & + = %41 \u{1f600}\r\n', Empty: '' },
  ]) {
    assert.deepEqual(await codeOf(form(fields)), authentic, JSON.stringify(fields));
  }
});

test('the address is taken with its port and without, and its query counts', async () => {
  for (const written of ['https://hub.example:443/webhooks/twilio', url]) {
    for (const signed of ['https://hub.example:443/webhooks/twilio', url]) {
      const to = receiveOf({ verify: { scheme: 'twilio' }, url: written, secrets: [token] });
      const signature = twilio.getExpectedTwilioSignature(token, signed, published);
      assert.equal(twilio.validateRequest(token, signature, written, published), true);
      assert.deepEqual(await codeOf(form(published, signature), to), authentic);
    }
  }
  const target = "/webhooks/twilio?shop=o'neill&b=%20x";
  assert.deepEqual(await codeOf(form(published, undefined, target)), authentic);
  const more = form(published, form(published).headers?.['x-twilio-signature'], target);
  assert.equal(await codeOf(more), 'signature-wrong');
});

test('takes each way of writing an address that the library takes', async () => {
  const query = "?name=o'neill&say=a b";
  for (const signed of [
    `${url}${query}`,
    `${url}?name=o%27neill&say=a%20b`,
    'https://hub.example:443/webhooks/twilio?name=o%27neill&say=a%20b',
  ]) {
    const signature = twilio.getExpectedTwilioSignature(token, signed, published);
    const theirs = twilio.validateRequest(token, signature, `${url}${query}`, published);
    const ours = await codeOf(form(published, signature, `/webhooks/twilio${query}`));
    assert.deepEqual(ours, theirs ? authentic : 'signature-wrong', signed);
    assert.equal(theirs, true, signed);
  }
});

function json(
  body: string,
  query = `?bodySHA256=${twilio.getExpectedBodyHash(body)}`,
): TestRequest {
  const signature = twilio.getExpectedTwilioSignature(token, `${url}${query}`, {});
  return {
    target: `/webhooks/twilio${query}`,
    headers: { 'content-type': 'application/json', 'x-twilio-signature': signature },
    body,
  };
}

test('takes other bodies by the hash in the address, as the library does', async () => {
  for (const body of ['{"property":"value","boolean":true}', '[1]', '', 'ü']) {
    const request = json(body);
    const address = `https://hub.example${request.target}`;
    const signature = request.headers?.['x-twilio-signature'] ?? '';
    assert.equal(twilio.validateRequestWithBody(token, signature, address, body), true);
    assert.deepEqual(await codeOf(request), authentic);
    assert.equal(await codeOf({ ...request, body: `${body} ` }), 'signature-wrong');
  }
  const hash = twilio.getExpectedBodyHash('{}');
  for (const query of [`?bodySHA256=${hash.slice(2)}`, '?bodySHA256=', '?bodySHA256=zz']) {
    assert.equal(await codeOf(json('{}', query)), 'signature-wrong', query);
  }
});

test('a body that nothing signed speaks for is refused', async () => {
  const empty = twilio.getExpectedTwilioSignature(token, url, {});
  for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x', '']) {
    const headers = { 'content-type': type, 'x-twilio-signature': empty };
    assert.equal(await codeOf({ headers, body: '{"forged":true}' }), 'signature-missing', type);
  }
});

test('each part that is signed counts', async () => {
  const good = form(published);
  const signature = good.headers?.['x-twilio-signature'] ?? '';
  const first = signature.startsWith('A') ? 'B' : 'A';
  assert.equal(await codeOf({ ...good, body: `${good.body}&x=1` }), 'signature-wrong');
  assert.equal(await codeOf(form(published, `${first}${signature.slice(1)}`)), 'signature-wrong');
  assert.equal(await codeOf(form(published, signature.slice(0, -4))), 'signature-wrong');
  assert.equal(await codeOf(form(published, '%')), 'signature-unreadable');
  assert.equal(await codeOf(form(published, '')), 'signature-missing');
  const twice = { ...good, repeated: ['x-twilio-signature'] };
  assert.equal(await codeOf(twice), 'signature-repeated');
  const other = twilio.getExpectedTwilioSignature('54321', url, published);
  assert.equal(await codeOf(form(published, other)), 'signature-wrong');
});

test('a token that ended is told apart from a wrong one', async () => {
  const signature = twilio.getExpectedTwilioSignature('before', url, published);
  assert.equal(await codeOf(form(published, signature)), 'secret-expired');
});
