// The questions of vendors, asked over HTTP of connectors as the catalogue makes them: what is
// answered, that it makes no event, and what of a stranger's questions.

import assert from 'node:assert/strict';
import { createHmac, createSign } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { AwsLambdaReceiver, LogLevel } from '@slack/bolt';
import { FAILURES_PER_WINDOW_MAX } from '../../src/intake/failure-limits.ts';
import { type HandshakeHub, startHandshakeHub } from '../support/handshake-hub.ts';
import { signer } from '../support/key-server.ts';
import { waitUntil } from '../support/wait-until.ts';

const secret = 'a-long-secret-of-this-test';
let parts: HandshakeHub;
/** Each test has an address of its own: what is refused is counted for it. */
let client = 0;

before(async () => {
  parts = await startHandshakeHub({
    ...{ slack: secret, meta: secret, x: secret, zoom: secret, mandrill: secret },
    ...{ mailchimp: secret, woocommerce: secret, stripe: secret },
    ...{ 'event-grid': secret, 'business-central': secret, cloudevents: secret },
    ...{ sns: undefined, 'adobe-io': undefined },
  });
});
after(() => parts.close());
beforeEach(() => {
  client += 1;
});

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { ...(init.headers as object), 'x-forwarded-for': `203.0.113.${client}` };
  return fetch(`${parts.hub.url}/webhooks/${path}`, { redirect: 'manual', ...init, headers });
}

function post(path: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
  return ask(path, { method: 'POST', body, headers });
}

function hmac(text: string, encoding: 'hex' | 'base64' = 'hex', key = secret): string {
  return createHmac('sha256', key).update(text).digest(encoding);
}

/** What was answered; and that it is safe to look at, and made no event. */
async function answered(response: Promise<Response>): Promise<readonly [number, string, string]> {
  const before = parts.events.length;
  const { status, headers, ...rest } = await told(response);
  assert.equal(headers.get('x-content-type-options'), 'nosniff');
  assert.equal(headers.get('cache-control'), 'no-store');
  assert.equal(parts.events.length, before);
  return [status, headers.get('content-type') ?? '', rest.body];
}

async function told(response: Promise<Response>) {
  const { status, headers, ...rest } = await response.then(async (one) => ({
    status: one.status,
    headers: one.headers,
    body: await one.text(),
  }));
  return { status, headers, ...rest };
}

const text = (body: string) => [200, 'text/plain; charset=utf-8', body];
const json = (value: object) => [200, 'application/json; charset=utf-8', JSON.stringify(value)];
const nothing = [200, '', ''];

test('a connector without a handshake for a method refuses it, and says what it takes', async () => {
  const allowed: readonly (readonly [string, string, string])[] = [
    ['stripe', 'GET', 'POST, PUT'],
    ['stripe', 'HEAD', 'POST, PUT'],
    ['stripe', 'OPTIONS', 'POST, PUT'],
    ['slack', 'GET', 'POST, PUT'],
    ['meta', 'OPTIONS', 'POST, PUT, GET'],
    ['meta', 'HEAD', 'POST, PUT, GET'],
    ['mailchimp', 'DELETE', 'POST, PUT, GET, HEAD'],
    ['nobody', 'GET', 'POST, PUT'],
  ];
  for (const [connector, method, allow] of allowed) {
    const response = await ask(connector, { method });
    assert.equal(response.status, 405, `${method} ${connector}`);
    assert.equal(response.headers.get('allow'), allow);
  }
});

test('a GET that asks nothing is 400', async () => {
  for (const path of ['meta', 'meta?hub.mode=other', 'x', 'adobe-io?x=1']) {
    const { status, body } = await told(ask(path));
    assert.equal(status, 400, path);
    assert.equal(JSON.parse(body).code, 'request-malformed');
  }
});

test("Slack's question gets what Slack's own package answers", async () => {
  const body = JSON.stringify({
    token: 'Jhj5dZrVaK7',
    challenge: '3eZbrw1aBm2r',
    type: 'url_verification',
  });
  const time = String(Math.floor(Date.now() / 1_000));
  const headers = {
    'X-Slack-Request-Timestamp': time,
    'X-Slack-Signature': `v0=${hmac(`v0:${time}:${body}`)}`,
  };
  const theirs = new AwsLambdaReceiver({
    signingSecret: secret,
    logLevel: LogLevel.ERROR,
  }).toHandler();
  const event = { headers, body, isBase64Encoded: false };
  const answer = (await theirs(event as never, {})) as { body: string };
  const { challenge } = JSON.parse(answer.body) as { challenge: string };
  assert.deepEqual(await answered(post('slack', body, headers)), text(challenge));
  const forged = await told(
    post('slack', body, { ...headers, 'X-Slack-Signature': `v0=${hmac('x')}` }),
  );
  assert.equal(forged.status, 401);
  assert.doesNotMatch(forged.body, /3eZbrw1aBm2r/);
});

test("Meta's question is answered for the verify token; others are refused, counted, not kept", async () => {
  const question = (token: string) =>
    `meta?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=${token}`;
  assert.deepEqual(await answered(ask(question('dummy-verifyToken'))), text('1158201444'));
  const before = parts.kept.length;
  for (let count = 0; count < FAILURES_PER_WINDOW_MAX; count += 1) {
    const { status, body } = await told(ask(question(`wrong-${count}`)));
    assert.equal(status, 401);
    assert.doesNotMatch(body, /1158201444|wrong-/);
  }
  assert.equal((await ask(question('wrong'))).status, 429);
  assert.equal(parts.kept.length, before);
  const metrics = await parts.hub.metrics.registry.metrics();
  assert.match(metrics, /crossdock_intake_requests_total\{source="meta",status="401"\} \d/);
  assert.match(metrics, /crossdock_intake_requests_total\{source="meta",status="200"\} 1/);
});

test("X's question is answered with the consumer secret, and signs no webhook", async () => {
  assert.deepEqual(
    await answered(ask('x?crc_token=challenge_string&nonce=5')),
    json({ response_token: `sha256=${hmac('challenge_string', 'base64')}` }),
  );
  assert.equal((await ask(`x?crc_token=${encodeURIComponent('{"for_user_id":"1"}')}`)).status, 400);
  // What anybody could have had signed is no webhook.
  const answer = (await (await ask('x?crc_token=12345')).json()) as { response_token: string };
  const signed = { 'x-twitter-webhooks-signature': answer.response_token };
  assert.equal((await post('x', '12345', signed)).status, 401);
  const body = '{"for_user_id":"1","tweet_create_events":[]}';
  const real = { 'x-twitter-webhooks-signature': `sha256=${hmac(body, 'base64')}` };
  assert.equal((await post('x', body, real)).status, 200);
});

test("Zoom's question is answered once its signature fits", async () => {
  const body = JSON.stringify({
    payload: { plainToken: 'qgg8vlvZRS6UYooatFL8Aw' },
    event_ts: Date.now(),
    event: 'endpoint.url_validation',
  });
  const time = String(Math.floor(Date.now() / 1_000));
  const headers = (key?: string) => ({
    'x-zm-request-timestamp': time,
    'x-zm-signature': `v0=${hmac(`v0:${time}:${body}`, 'hex', key)}`,
  });
  const plainToken = 'qgg8vlvZRS6UYooatFL8Aw';
  const answer = json({ plainToken, encryptedToken: hmac(plainToken) });
  assert.deepEqual(await answered(post('zoom', body, headers())), answer);
  assert.equal((await post('zoom', body, headers('another'))).status, 401);
});

test("Microsoft's token comes back as text; a wrong notification is 503, to come again", async () => {
  const token = 'Validation: Testing client application reachability Request-Id: 522a8e7e';
  const path = `business-central?validationToken=${encodeURIComponent(token)}`;
  assert.deepEqual(await answered(post(path, '')), text(token));
  assert.deepEqual(await answered(ask(path)), text(token));
  const script = encodeURIComponent('<script>alert(1)</script>');
  const hostile = await told(ask(`business-central?validationToken=${script}`));
  assert.equal(hostile.status, 400);
  assert.doesNotMatch(hostile.body, /script/);
  const refused = await told(post('business-central', '{"value":[{"clientState":"x"}]}'));
  assert.equal(refused.status, 503);
  assert.equal(refused.headers.get('retry-after'), '30');
  assert.equal(JSON.parse(refused.body).code, 'signature-invalid');
  assert.deepEqual(
    parts.hub.lines.filter(({ message }) => message === 'requests are being refused'),
    [],
    'it is no failure of the hub',
  );
});

test('Event Grid is answered in both of its schemas', async () => {
  const headers = { 'aeg-event-type': 'SubscriptionValidation' };
  const code = '512d38b6-c7b8-40c8-89fe-f46f9e9622b6';
  const eventType = 'Microsoft.EventGrid.SubscriptionValidationEvent';
  const body = JSON.stringify([{ id: '2d1781af', eventType, data: { validationCode: code } }]);
  const path = `event-grid?token=${secret}`;
  assert.deepEqual(await answered(post(path, body, headers)), json({ validationResponse: code }));
  const stranger = await told(post('event-grid?token=x', body, headers));
  assert.equal(stranger.status, 503);
  assert.doesNotMatch(stranger.body, /512d38b6/);
  const response = await ask(path, {
    method: 'OPTIONS',
    headers: { 'WebHook-Request-Origin': 'eventgrid.azure.net', 'WebHook-Request-Rate': '120' },
  });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('webhook-allowed-origin'), 'eventgrid.azure.net');
  assert.equal(response.headers.get('webhook-allowed-rate'), '*');
  assert.equal(response.headers.get('allow'), 'POST, PUT');
});

const topicArn = 'arn:aws:sns:eu-central-1:123456789012:orders';
const confirmPath = '/?Action=ConfirmSubscription&Token=2336412f37';

/** Signed as Amazon's does; https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html */
function snsMessage(TopicArn: string, Type = 'SubscriptionConfirmation'): string {
  const message: Record<string, string> = {
    Message: 'You have chosen to subscribe',
    MessageId: `id of ${Type}`,
    SubscribeURL: `https://sns.eu-west-1.amazonaws.com${confirmPath}`,
    Timestamp: '2026-11-20T22:10:28.926Z',
    Token: '2336412f37',
    TopicArn,
    Type,
  };
  const signed = Object.entries(message).map(([name, value]) => `${name}\n${value}\n`);
  const Signature = createSign('sha256').update(signed.join('')).sign(signer.privateKey, 'base64');
  const SigningCertURL = 'https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem';
  return JSON.stringify({ ...message, SignatureVersion: '2', Signature, SigningCertURL });
}

const confirmations = () =>
  parts.vendor.asked.filter((one) => one === `sns.eu-west-1.amazonaws.com${confirmPath}`).length;

test('SNS is confirmed after the answer, again where it failed, and only for the topic', async () => {
  let failures = 0;
  const released: (() => void)[] = [];
  parts.vendor.answer((request, response) => {
    if (request.url?.endsWith('.pem') === true) response.end(signer.certificate);
    else if (failures++ === 0) released.push(() => response.writeHead(500).end());
    else response.end('<ConfirmSubscriptionResponse/>');
  });
  const theirs = await told(post('sns', snsMessage(topicArn.replace('orders', 'others'))));
  assert.equal(theirs.status, 401);
  assert.deepEqual(await answered(post('sns', snsMessage(topicArn))), nothing);
  await waitUntil('the first try', () => released[0]);
  assert.equal(confirmations(), 1);
  assert.deepEqual(await answered(post('sns', snsMessage(topicArn))), nothing, 'while it is asked');
  released[0]?.();
  const line = await waitUntil('the confirmation', () =>
    parts.lines.find(({ message }) => message === 'a subscription was confirmed'),
  );
  assert.deepEqual(line.fields, {
    source: 'sns',
    handshake: 'sns-confirm',
    host: 'sns.eu-west-1.amazonaws.com',
  });
  assert.equal(confirmations(), 2);
  const before = parts.events.length;
  assert.equal((await post('sns', snsMessage(topicArn, 'UnsubscribeConfirmation'))).status, 200);
  assert.equal(parts.events.length, before + 1, 'the end of a subscription is an event');
});

test('a question that is let in from the quarantine is asked back before it counts, and not in a trial', async () => {
  parts.vendor.answer((request, response) => {
    response.end(request.url?.endsWith('.pem') === true ? signer.certificate : 'ok');
  });
  const letIn = (isTrial: boolean) =>
    parts.intake.accept({
      ...{ connector: 'sns', method: 'POST', target: '/webhooks/sns' },
      ...{ headers: {}, rawHeaders: [], body: Buffer.from(snsMessage(topicArn)) },
      again: { receivedAtMs: Date.now(), isTrial },
    });
  const before = confirmations();
  assert.deepEqual((await letIn(true)).body, {});
  assert.equal(confirmations(), before);
  assert.deepEqual((await letIn(false)).body, {});
  assert.equal(confirmations(), before + 1);
});

test("Adobe's challenge comes back, and its other question is asked back at Adobe", async () => {
  const challenge = '8ec8d794-e0ab-42df-9017-e3dada8e84f7';
  assert.deepEqual(await answered(ask(`adobe-io?challenge=${challenge}`)), text(challenge));
  parts.vendor.answer('validated');
  const path = 'csm.adobe.io/csm/registrations/validate?id=1&challenge=2';
  const question = (validationUrl: string) => JSON.stringify({ validationUrl });
  assert.deepEqual(await answered(post('adobe-io', question(`https://${path}`))), nothing);
  await waitUntil('Adobe to be asked', () => parts.vendor.asked.find((one) => one === path));
  const elsewhere = await post('adobe-io', question('https://evil.example/validate'));
  assert.equal(elsewhere.status, 503);
  assert.ok(!parts.vendor.asked.some((one) => one.startsWith('evil')));
});

test('the pings of WooCommerce, Mandrill and Mailchimp get exactly 200', async () => {
  assert.deepEqual(await answered(post('woocommerce', 'webhook_id=42')), nothing);
  assert.equal((await post('woocommerce', 'webhook_id=42&x=1')).status, 401);
  const signed = createHmac('sha1', 'test-webhook')
    .update('https://hub.example/webhooks/onemandrill_events[]')
    .digest('base64');
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const headers = { ...form, 'X-Mandrill-Signature': signed };
  assert.deepEqual(await answered(post('mandrill', 'mandrill_events=%5B%5D', headers)), nothing);
  assert.equal((await post('mandrill', 'mandrill_events=%5B%5D', form)).status, 401);
  assert.deepEqual(await answered(ask('mandrill', { method: 'HEAD' })), nothing);
  for (const method of ['GET', 'HEAD']) {
    assert.deepEqual(await answered(ask('mailchimp?secret=whatever', { method })), nothing);
  }
});

test('what comes as the body of a GET is not waited for', async () => {
  const socket = connect(parts.hub.server.port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk)).on('error', () => undefined);
  socket.write(
    'GET /webhooks/mailchimp HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\nabc',
  );
  await once(socket, 'close');
  assert.match(Buffer.concat(chunks).toString(), /^HTTP\/1\.1 200 OK\r\nconnection: close\r\n/i);
});

test('each handshake that was answered is in the log, once a minute at most', () => {
  const answers = parts.lines.filter(({ message }) => message === 'a handshake was answered');
  const names = answers.map(({ fields }) => `${fields['source']} ${fields['handshake']}`);
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.includes('mailchimp get-ok'));
  assert.doesNotMatch(JSON.stringify(parts.lines), /2336412f37|challenge_string/);
});
