// Handshakes that a vendor is asked back for, that allow it to send, or that only want a 200.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { createHandshakes } from '../../src/intake/handshakes.ts';
import type { Json } from '../../src/model/json.ts';
import {
  after,
  answerTo,
  get,
  hmac,
  hostile,
  isMalformed,
  replied,
  text,
} from '../support/handshakes.ts';
import { readerOf, receiveOf } from '../support/receiver.ts';

test('an origin is told that it may send, and how much; others are not', () => {
  const ask = (origin: string, more = {}) => ({
    method: 'OPTIONS',
    headers: { 'WebHook-Request-Origin': origin, 'WebHook-Request-Rate': '120', ...more },
  });
  const headersOf = (...from: Parameters<typeof replied>) => {
    const reply = replied(...from)?.reply;
    return reply?.kind === 'answer' ? reply.headers : reply?.verdict.code;
  };
  const allowed = (origin: string, rate: string) => ({
    allow: 'POST, PUT',
    'webhook-allowed-origin': origin,
    'webhook-allowed-rate': rate,
  });
  const origin = 'eventemitter.example.com';
  assert.deepEqual(headersOf('cloudevents-options', ask(origin)), allowed(origin, '*'));
  const callback = { 'WebHook-Request-Callback': 'http://169.254.169.254/' };
  const called = replied('cloudevents-options', ask(origin, callback))?.reply;
  assert.equal(called?.kind === 'answer' && called.confirm, undefined);
  const listed = {
    'cloudevents-options': { origins: 'other.example Eventemitter.example.com', rate: 600 },
  };
  assert.deepEqual(headersOf(listed, ask(origin)), allowed(origin, '600'));
  assert.equal(headersOf(listed, ask('evil.example')), 'address-not-listed');
  assert.equal(headersOf('cloudevents-options', { method: 'OPTIONS' }), undefined);
  assert.equal(headersOf('cloudevents-options', { ...ask(origin), method: 'POST' }), undefined);
  for (const bad of ['a b', 'a,b', '*', 'a\r\nx: y', 'a'.repeat(254), ...hostile]) {
    assert.throws(() => replied('cloudevents-options', ask(bad)), isMalformed, bad);
  }
});

test("SNS's confirmation is asked at Amazon over https, and nowhere else", () => {
  const confirm = (SubscribeURL: string, Type = 'SubscriptionConfirmation') => {
    const reply = replied(
      'sns-confirm',
      { body: JSON.stringify({ Type, SubscribeURL }) },
      after,
    )?.reply;
    return reply?.kind === 'answer' ? reply.confirm?.href : reply?.verdict.code;
  };
  const query = '?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-west-1:1:orders&Token=2336';
  for (const host of ['sns.eu-west-1.amazonaws.com', 'sns.cn-north-1.amazonaws.com.cn']) {
    assert.equal(confirm(`https://${host}/${query}`), `https://${host}/${query}`);
  }
  for (const bad of [
    '',
    `http://sns.eu-west-1.amazonaws.com/${query}`,
    `https://sns.eu-west-1.amazonaws.com.evil.example/${query}`,
    `https://evil.example/sns.eu-west-1.amazonaws.com${query}`,
    `https://sns.eu-west-1.amazonaws.com@evil.example/${query}`,
    `https://sns.eu-west-1.amazonaws.com:8443/${query}`,
    `https://SNS.eu-west-1.amazonaws.com/${query}`,
    `https://sns.eu-west-1.amazonaws.com\\@evil.example/${query}`,
    `https://sqs.eu-west-1.amazonaws.com/${query}`,
    `https://sns.eu-west-1.amazonaws.com/${query}#x`,
    'https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe',
    `https://sns.eu-west-1.amazonaws.com/${query}${'x'.repeat(2_048)}`,
    `https://169.254.169.254/${query}`,
  ]) {
    assert.equal(confirm(bad), 'not-equal', bad);
  }
  assert.equal(confirm(`https://sns.eu-west-1.amazonaws.com/${query}`, 'Notification'), undefined);
  assert.equal(
    confirm(`https://sns.eu-west-1.amazonaws.com/${query}`, 'UnsubscribeConfirmation'),
    undefined,
  );
});

test("Adobe's challenge comes back, and its validationUrl is asked at Adobe alone", () => {
  const challenge = '8ec8d794-e0ab-42df-9017-e3dada8e84f7';
  assert.deepEqual(answerTo('adobe-challenge', get(`?challenge=${challenge}`)), text(challenge));
  assert.equal(answerTo('adobe-challenge', get('?other=1')), undefined);
  for (const bad of hostile) {
    const ask = get(`?challenge=${encodeURIComponent(bad)}`);
    assert.throws(() => replied('adobe-challenge', ask), isMalformed);
  }
  const confirm = (validationUrl: Json, more = {}) => {
    const body = JSON.stringify({ validationUrl, ...more });
    const reply = replied('adobe-challenge', { body })?.reply;
    return reply?.kind === 'answer' ? reply.confirm?.href : reply?.verdict.code;
  };
  const good = 'https://csm.adobe.io/csm/registrations/validate?id=1&challenge=2';
  assert.equal(confirm(good), good);
  assert.equal(confirm(good, { id: 1 }), undefined, 'an event that has such a field');
  assert.equal(confirm(1), undefined);
  for (const bad of [
    '',
    'http://csm.adobe.io/validate?id=1',
    'https://adobe.io/validate',
    'https://a.b.adobe.io/validate',
    'https://csm.adobe.io.evil.example/validate',
    'https://csm.adobe.io@evil.example/validate',
    'https://csm.adobe.io:444/validate',
    'https://csm.adobe.io/other?x=/validate',
  ]) {
    assert.equal(confirm(bad), 'not-equal', bad);
  }
  const wide = { body: JSON.stringify({ validationUrl: good.padEnd(4_200, 'x') }) };
  assert.equal(replied('adobe-challenge', wide), undefined);
  assert.equal(replied('adobe-challenge', { body: '["validationUrl"]' }), undefined);
});

test("WooCommerce's ping is its one field, unsigned, and nothing beside it", () => {
  assert.deepEqual(answerTo('woocommerce-ping', { body: 'webhook_id=42' }), text(''));
  for (const body of [
    'webhook_id=',
    'webhook_id=4x',
    'webhook_id=4&a=1',
    'a=1&webhook_id=4',
    'webhook_id=4\n',
    `webhook_id=${'4'.repeat(21)}`,
    '{"webhook_id":4}',
  ]) {
    assert.equal(replied('woocommerce-ping', { body }), undefined, body);
  }
  const headers = { 'X-WC-Webhook-Signature': 'AAAA' };
  assert.equal(replied('woocommerce-ping', { body: 'webhook_id=42', headers }), undefined);
  assert.equal(replied('woocommerce-ping', { method: 'PUT', body: 'webhook_id=42' }), undefined);
});

test("Mandrill's test is an empty batch, signed with its test key over the right address", () => {
  const url = 'https://hub.example/webhooks/one';
  const fields = { ...hmac, url };
  const sign = (signed: string, key = 'test-webhook') => ({
    'X-Mandrill-Signature': createHmac('sha1', key).update(signed).digest('base64'),
  });
  const body = 'mandrill_events=%5B%5D';
  const ask = (headers: Record<string, string>, of = body) =>
    answerTo('mandrill-test', { headers, body: of }, { fields });
  assert.deepEqual(ask(sign(`${url}mandrill_events[]`)), text(''));
  assert.equal(ask(sign(`${url}/mandrill_events[]`)), undefined, 'another address');
  assert.equal(ask(sign(`${url}mandrill_events[]`, 'first')), undefined, 'a real key');
  assert.equal(ask({}), undefined);
  const full = 'mandrill_events=%5B%7B%7D%5D';
  assert.equal(
    ask(sign(`${url}mandrill_events[{}]`), full),
    undefined,
    'events under the test key',
  );
  const more = `${body}&x=1`;
  assert.deepEqual(ask(sign(`${url}mandrill_events[]x1`), more), text(''));
  assert.deepEqual(answerTo('mandrill-test', { method: 'HEAD' }, { fields }), text(''));
  assert.equal(answerTo('mandrill-test', { method: 'GET' }, { fields }), undefined);
});

test('get-ok answers GET and HEAD, and leaves the questions of others to them', () => {
  for (const method of ['GET', 'HEAD']) {
    assert.deepEqual(answerTo('get-ok', { method, target: '/webhooks/one?a=<b>' }), text(''));
  }
  const both = createHandshakes(receiveOf({ ...hmac, handshakes: ['get-ok', 'adobe-challenge'] }));
  const reader = readerOf(receiveOf(hmac), get('?challenge=abc'));
  assert.equal(both.answerBefore?.(reader)?.handshake, 'adobe-challenge');
});
