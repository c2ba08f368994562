// Each handshake as its vendor asks, the wrong way too.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import { isSubscribeUrl } from '../../src/intake/confirm-subscription.ts';
import { answerHandshake, handshakeMethods } from '../../src/intake/handshakes.ts';
import type { Json } from '../../src/model/json.ts';
import { readerOf, receiveOf, type TestRequest } from '../support/receiver.ts';
import { quietLog } from '../support/test-journal-server.ts';

const secret = 'newest-secret';

// biome-ignore lint/complexity/useMaxParams: the address is needed by one of them only
function ask(when: 'unsigned' | 'signed', handshake: Json, request: TestRequest, url?: string) {
  const receive = receiveOf({
    verify: { hmac: 'sha256', header: 'X-Sig', encoding: 'hex' },
    secrets: [secret, 'older'],
    handshakes: [handshake],
    ...(url === undefined ? {} : { url }),
  });
  return answerHandshake(when, receive, { reader: readerOf(receive, request), log: quietLog });
}

const get = (query: string): TestRequest => ({ method: 'GET', target: `/webhooks/one?${query}` });

describe('a handshake', () => {
  test('of Meta is answered for the right token, refused for a wrong one', () => {
    const meta = { 'meta-challenge': { token: 'my-token' } };
    const query = 'hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=';
    assert.equal(ask('unsigned', meta, get(`${query}my-token`))?.text, '1158201444');
    assert.equal(ask('unsigned', meta, get(`${query}my-tokem`))?.status, 403);
    assert.equal(ask('unsigned', meta, get('hub.mode=subscribe&hub.challenge=1'))?.status, 403);
    assert.equal(ask('unsigned', meta, get('x=1')), undefined);
  });

  test('of X is answered with the newest secret', () => {
    const expected = createHmac('sha256', secret).update('abc').digest('base64');
    const answer = ask('unsigned', 'x-crc', get('crc_token=abc'));
    assert.deepEqual(JSON.parse(answer?.text ?? ''), { response_token: `sha256=${expected}` });
    assert.match(answer?.type ?? '', /json/);
  });

  test('of X signs nothing that could pass for a webhook', () => {
    for (const bad of ['{"id":1}', '[1]', '"a"', 'a b', 'a'.repeat(257)]) {
      const question = get(`crc_token=${encodeURIComponent(bad)}`);
      assert.equal(ask('unsigned', 'x-crc', question), undefined, bad);
    }
    for (const body of ['12345', '']) {
      assert.equal(ask('signed', 'x-crc', { body })?.status, 401);
    }
    assert.equal(ask('signed', 'x-crc', { body: '{"id":1}' }), undefined);
  });

  test('of X is not answered where a token could be a part of what is signed', () => {
    const verify = { header: 'X-Sig', encoding: 'hex', signs: '{header:X-Time}.{body}' };
    const receive = receiveOf({
      verify: { hmac: 'sha256', ...verify },
      secrets: [secret],
      handshakes: ['x-crc'],
    });
    const reader = readerOf(receive, get('crc_token=1795400000.'));
    assert.equal(answerHandshake('unsigned', receive, { reader, log: quietLog }), undefined);
  });

  test('of Zoom and of Slack are answered only once they are verified', () => {
    const zoom = { body: '{"event":"endpoint.url_validation","payload":{"plainToken":"qgg8"}}' };
    const token = createHmac('sha256', secret).update('qgg8').digest('hex');
    assert.equal(ask('unsigned', 'zoom-validation', zoom), undefined);
    assert.deepEqual(JSON.parse(ask('signed', 'zoom-validation', zoom)?.text ?? ''), {
      plainToken: 'qgg8',
      encryptedToken: token,
    });
    const slack = { body: '{"type":"url_verification","challenge":"3eZbrw1aB"}' };
    assert.equal(ask('unsigned', 'slack-challenge', slack), undefined);
    assert.equal(ask('signed', 'slack-challenge', slack)?.text, '3eZbrw1aB');
    assert.equal(
      ask('signed', 'slack-challenge', { body: '{"type":"event_callback"}' }),
      undefined,
    );
  });

  test('of Microsoft is echoed as plain text, and nothing that is long or not printable', () => {
    const asked = { target: '/webhooks/one?validationToken=Validation%3A%20ok' };
    assert.equal(ask('unsigned', 'validation-token', asked)?.text, 'Validation: ok');
    assert.equal(ask('unsigned', 'validation-token', asked)?.type, undefined);
    for (const bad of ['a'.repeat(4_097), 'a%0d%0ab', '']) {
      const target = `/webhooks/one?validationToken=${bad}`;
      assert.equal(ask('unsigned', 'validation-token', { target }), undefined);
    }
  });

  test('of CloudEvents allows the origin that asks, and no header is made of nonsense', () => {
    const options = (origin: string): TestRequest => ({
      method: 'OPTIONS',
      headers: { 'WebHook-Request-Origin': origin },
    });
    const answer = ask('unsigned', 'cloudevents-options', options('eventgrid.azure.net'));
    assert.deepEqual(answer?.headers, {
      allow: 'POST',
      'webhook-allowed-origin': 'eventgrid.azure.net',
      'webhook-allowed-rate': '*',
    });
    assert.equal(ask('unsigned', 'cloudevents-options', options('a b')), undefined);
    assert.equal(ask('unsigned', 'cloudevents-options', { method: 'OPTIONS' }), undefined);
  });

  test('of Event Grid gives the code back', () => {
    const body = '[{"eventType":"x","data":{"validationCode":"512d38b6"}}]';
    const headers = { 'aeg-event-type': 'SubscriptionValidation' };
    const answer = ask('signed', 'event-grid-validation', { body, headers });
    assert.deepEqual(JSON.parse(answer?.text ?? ''), { validationResponse: '512d38b6' });
    assert.equal(ask('signed', 'event-grid-validation', { body }), undefined);
  });

  test('of WooCommerce is its ping and nothing that is signed or longer', () => {
    assert.equal(ask('unsigned', 'woocommerce-ping', { body: 'webhook_id=17' })?.status, 200);
    for (const body of ['webhook_id=17&x=1', '{"id":1}', 'webhook_id=']) {
      assert.equal(ask('unsigned', 'woocommerce-ping', { body }), undefined);
    }
    const headers = { 'X-WC-Webhook-Signature': 'x' };
    assert.equal(
      ask('unsigned', 'woocommerce-ping', { body: 'webhook_id=17', headers }),
      undefined,
    );
  });

  test('of Mandrill is signed with its test key, and holds no event', () => {
    const url = 'https://hub.example/webhooks/one';
    const signed = (text: string) =>
      createHmac('sha1', 'test-webhook').update(text).digest('base64');
    const post = (events: string, signature: string): TestRequest => ({
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'X-Mandrill-Signature': signature,
      },
      body: `mandrill_events=${encodeURIComponent(events)}`,
    });
    const right = post('[]', signed(`${url}mandrill_events[]`));
    assert.equal(ask('unsigned', 'mandrill-test', right, url)?.status, 200);
    assert.equal(ask('unsigned', 'mandrill-test', post('[]', signed('x')), url), undefined);
    const event = '[{"event":"send"}]';
    const forged = post(event, signed(`${url}mandrill_events${event}`));
    assert.equal(ask('unsigned', 'mandrill-test', forged, url), undefined);
    assert.equal(ask('unsigned', 'mandrill-test', { method: 'HEAD' })?.status, 200);
  });

  test('of Adobe and of those who only look', () => {
    assert.equal(ask('unsigned', 'adobe-challenge', get('challenge=8ec8d794'))?.text, '8ec8d794');
    assert.equal(ask('unsigned', 'get-ok', { method: 'HEAD' })?.status, 200);
    assert.equal(ask('unsigned', 'get-ok', { method: 'POST' }), undefined);
  });

  test('comes with the methods that it needs and no other', () => {
    const receive = receiveOf({
      verify: 'none',
      handshakes: ['get-ok', 'slack-challenge', 'x-crc'],
    });
    assert.deepEqual(handshakeMethods(receive), ['GET', 'HEAD']);
    assert.deepEqual(handshakeMethods(receiveOf({ verify: 'none' })), []);
  });
});

test('a subscription is confirmed at addresses of Amazon SNS only', () => {
  const right = 'https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f';
  assert.equal(isSubscribeUrl(right), true);
  for (const wrong of [
    right.replace('https', 'http'),
    right.replace('amazonaws.com', 'amazonaws.com.evil.example'),
    right.replace('sns.', 'evil.'),
    right.replace('https://', 'https://user@'),
    right.replace('.com/', '.com:8443/'),
    right.replace('ConfirmSubscription', 'Publish'),
    'https://127.0.0.1/?Action=ConfirmSubscription',
    'no address',
  ]) {
    assert.equal(isSubscribeUrl(wrong), false, wrong);
  }
});
