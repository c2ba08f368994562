// What each challenge is answered, to whom, and what is given back of hostile ones.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { handshakeNames } from '../../src/definitions/handshake-names.ts';
import { createHandshakes } from '../../src/intake/handshakes.ts';
import {
  after,
  answerTo,
  get,
  hmac,
  hostile,
  isMalformed,
  json,
  replied,
  text,
} from '../support/handshakes.ts';
import { receiveOf } from '../support/receiver.ts';

test('a receiver without handshakes has nothing that is asked of its requests', () => {
  assert.deepEqual(createHandshakes(receiveOf(hmac)), { methods: [], signsForStrangers: false });
});

test('each handshake of the list is answered by something, before or after verification', () => {
  for (const name of handshakeNames) {
    const made = createHandshakes(
      receiveOf({ ...hmac, url: 'https://a.example', handshakes: [name] }),
    );
    assert.ok(made.answerBefore ?? made.answerAfter, name);
    assert.equal(made.answerBefore === undefined && made.methods.length > 0, false, name);
  }
});

test('no handshake takes an ordinary webhook for its question', () => {
  const bodies = ['{"id":1}', '[{"id":1}]', 'a=1&b=2', '', 'plain text', '{"type":', '{"type":1}'];
  for (const name of handshakeNames) {
    for (const body of bodies) {
      for (const when of ['answerBefore', 'answerAfter'] as const) {
        const fields = { ...hmac, url: 'https://a.example' };
        if (name === 'x-crc' && body === 'a=1&b=2') continue;
        assert.equal(replied(name, { body }, { fields, when }), undefined, `${name} ${body}`);
      }
    }
  }
});

test("Slack's challenge comes back as text", () => {
  const ask = (challenge: string, type = 'url_verification') => ({
    body: JSON.stringify({ token: 't', challenge, type }),
  });
  assert.deepEqual(answerTo('slack-challenge', ask('3eZbrw1aB'), after), text('3eZbrw1aB'));
  assert.equal(answerTo('slack-challenge', ask('x', 'event_callback'), after), undefined);
  assert.equal(
    answerTo('slack-challenge', { body: '{"event":{"type":"url_verification"}}' }, after),
    undefined,
  );
  assert.equal(replied('slack-challenge', ask('x')), undefined, 'not before its signature fits');
  for (const bad of ['', ...hostile]) {
    assert.throws(() => replied('slack-challenge', ask(bad), after), isMalformed);
  }
});

test("Meta's challenge comes back where the verify token fits, and never else", () => {
  const meta = { 'meta-challenge': { token: 'verify me' } };
  const ask = (more: string) => get(`?hub.mode=subscribe&hub.challenge=1158201444${more}`);
  assert.deepEqual(answerTo(meta, ask('&hub.verify_token=verify+me')), text('1158201444'));
  assert.equal(answerTo(meta, ask('&hub.verify_token=verify')), 'credentials-wrong');
  assert.equal(answerTo(meta, ask('&hub.verify_token=Verify+me')), 'credentials-wrong');
  assert.equal(answerTo(meta, ask('&hub.verify_token=')), 'credentials-missing');
  assert.equal(answerTo(meta, ask('')), 'credentials-missing');
  assert.equal(answerTo(meta, get('?hub.challenge=1&hub.verify_token=verify+me')), undefined);
  assert.equal(
    answerTo(meta, { ...ask('&hub.verify_token=verify+me'), method: 'POST' }),
    undefined,
  );
  const empty = { 'meta-challenge': { token: '' } };
  assert.equal(answerTo(empty, ask('&hub.verify_token=%20')), 'credentials-wrong');
  for (const bad of hostile) {
    const target = `?hub.mode=subscribe&hub.verify_token=verify+me&hub.challenge=${encodeURIComponent(bad)}`;
    assert.throws(() => replied(meta, get(target)), isMalformed);
  }
});

test("X's token is answered with its HMAC, of the first secret that has not ended", () => {
  const sign = (key: string) =>
    `sha256=${createHmac('sha256', key).update('challenge_string').digest('base64')}`;
  const ask = get('?crc_token=challenge_string&nonce=7');
  assert.deepEqual(answerTo('x-crc', ask), json({ response_token: sign('first') }));
  const ended = { value: 'first', notAfter: '2020-01-01T00:00:00Z' };
  const fields = { ...hmac, secrets: [ended, 'second'] };
  assert.deepEqual(answerTo('x-crc', ask, { fields }), json({ response_token: sign('second') }));
  assert.equal(answerTo('x-crc', ask, { fields: { ...hmac, secrets: [ended] } }), 'secret-expired');
  assert.equal(answerTo('x-crc', get('?other=1')), undefined);
});

test("X's challenge signs nothing that could pass for a webhook", () => {
  for (const bad of ['{"id":1}', '[1]', '"a"', 'a b', 'v0:1:x', 'a'.repeat(257), ...hostile]) {
    const ask = get(`?crc_token=${encodeURIComponent(bad)}`);
    assert.throws(() => replied('x-crc', ask), isMalformed, bad);
  }
  for (const token of ['1', 'true', 'abc', 'a=b', 'a'.repeat(256)]) {
    assert.equal(answerTo('x-crc', { body: token }, after), 'signature-wrong', token);
  }
  for (const body of ['{"for_user_id":"1"}', '[]', '"a"', '', 'a'.repeat(257)]) {
    assert.equal(answerTo('x-crc', { body }, after), undefined, body);
  }
});

test("X's challenge is not answered where a token could be a part of what is signed", () => {
  const ask = get('?crc_token=1795400000.');
  for (const signs of ['{header:X-Time}.{body}', '{body}{header:X-Time}', '{url}']) {
    const verify = { ...hmac.verify, signs };
    const fields = { ...hmac, url: 'https://a.example', verify };
    assert.equal(answerTo('x-crc', ask, { fields }), undefined, signs);
    const either = { ...fields, verify: { any: [hmac.verify, verify] } };
    assert.equal(answerTo('x-crc', ask, { fields: either }), undefined, signs);
  }
});

test("Zoom's token is answered with its HMAC, of the secret that it was signed with", () => {
  const ask = (plainToken: string, event = 'endpoint.url_validation') => ({
    body: JSON.stringify({ payload: { plainToken }, event_ts: 1_654_503_849_680, event }),
  });
  for (const [secret, key] of [
    [1, 'first'],
    [2, 'second'],
  ] as const) {
    const encryptedToken = createHmac('sha256', key).update('qgg8vlvZRS').digest('hex');
    assert.deepEqual(
      answerTo('zoom-validation', ask('qgg8vlvZRS'), { ...after, secret }),
      json({ plainToken: 'qgg8vlvZRS', encryptedToken }),
    );
  }
  assert.equal(answerTo('zoom-validation', ask('x', 'meeting.ended'), after), undefined);
  assert.equal(replied('zoom-validation', ask('x')), undefined, 'not before its signature fits');
  for (const bad of ['', 'v0:1654503849:{}', '{}', ...hostile]) {
    assert.throws(() => replied('zoom-validation', ask(bad), after), isMalformed, bad);
  }
});

test("Microsoft's token comes back decoded, whatever the method", () => {
  const target =
    '/webhooks/one?validationToken=Validation%3a+Testing+client+Request-Id%3a+522a8e7e-096a';
  const token = 'Validation: Testing client Request-Id: 522a8e7e-096a';
  for (const method of ['POST', 'GET']) {
    assert.deepEqual(answerTo('validation-token', { method, target }), text(token));
  }
  assert.equal(
    answerTo('validation-token', { target: '/webhooks/one?x=validationToken=1' }),
    undefined,
  );
  for (const bad of ['', ...hostile]) {
    const ask = get(`?validationToken=${encodeURIComponent(bad)}`);
    assert.throws(() => replied('validation-token', ask), isMalformed);
  }
});

test("Event Grid's code comes back as JSON, where header and body say what it is", () => {
  const name = 'event-grid-validation';
  const headers = { 'aeg-event-type': 'SubscriptionValidation' };
  const ask = (
    validationCode: string,
    eventType = 'Microsoft.EventGrid.SubscriptionValidationEvent',
  ) =>
    JSON.stringify([{ id: '1', eventType, data: { validationCode, validationUrl: 'https://x' } }]);
  const code = '512d38b6-c7b8-40c8-89fe-f46f9e9622b6';
  assert.deepEqual(
    answerTo(name, { headers, body: ask(code) }, after),
    json({ validationResponse: code }),
  );
  assert.equal(answerTo(name, { body: ask(code) }, after), undefined);
  assert.equal(answerTo(name, { headers, body: ask(code, 'My.Event') }, after), undefined);
  assert.equal(replied(name, { headers, body: ask(code) }), undefined, 'not before it is verified');
  for (const bad of ['', ...hostile]) {
    assert.throws(() => replied(name, { headers, body: ask(bad) }, after), isMalformed);
  }
});
