// What senders are answered for events: what their entries of the catalogue say, and the same again
// for a message that came before.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { CloudEvent, HTTP } from 'cloudevents';
import twilio from 'twilio';
import { eventAnswer } from '../../src/intake/answers.ts';
import { type HandshakeHub, startHandshakeHub } from '../support/handshake-hub.ts';
import { startHttp } from '../support/http-hub.ts';

const secret = 'a-long-secret-of-this-test';
let parts: HandshakeHub;

before(async () => {
  parts = await startHandshakeHub({
    ...{
      cloudevents: secret,
      slack: secret,
      twilio: secret,
      stripe: secret,
      hubspot: secret,
      gitlab: secret,
    },
  });
});
after(() => parts.close());

type Headers = Record<string, string>;

/** Status, type, length and body of the answer. */
async function answer(connector: string, body: string, headers: Headers) {
  const url = `${parts.hub.url}/webhooks/${connector}`;
  const response = await fetch(url, { method: 'POST', body, headers });
  const [type, length] = ['content-type', 'content-length'].map((one) => response.headers.get(one));
  return { status: response.status, type, length, body: await response.text() };
}

/** The answer to a message, which is the same when it comes again. */
async function bothAnswers(...message: Parameters<typeof answer>) {
  const before = parts.events.length;
  const first = await answer(...message);
  assert.equal(parts.events.length, before + 1);
  assert.deepEqual(await answer(...message), first);
  assert.equal(parts.events.length, before + 1);
  return first;
}

test('a CloudEvent of the official package is 202 without a body, in both modes', async () => {
  for (const mode of ['binary', 'structured'] as const) {
    const event = new CloudEvent({
      id: mode,
      source: '/shop',
      type: 'order.created',
      data: { id: 1 },
    });
    const { headers, body } = HTTP[mode](event);
    const sent = { ...(headers as Headers), authorization: `Bearer ${secret}` };
    const expected = { status: 202, type: null, length: '0', body: '' };
    assert.deepEqual(await bothAnswers('cloudevents', String(body), sent), expected);
  }
});

test('a slash command of Slack gets an empty 200, which posts no reply', async () => {
  const body = 'command=%2Fdeploy&trigger_id=13345224609&team_id=T0001';
  const time = String(Math.floor(Date.now() / 1_000));
  const signature = createHmac('sha256', secret).update(`v0:${time}:${body}`).digest('hex');
  const headers = { 'X-Slack-Request-Timestamp': time, 'X-Slack-Signature': `v0=${signature}` };
  const expected = { status: 200, type: null, length: '0', body: '' };
  assert.deepEqual(await bothAnswers('slack', body, headers), expected);
});

test('an entry that says nothing answers the id, the first one for a repeat too', async () => {
  const body = JSON.stringify({ id: 'evt_1', type: 'charge.succeeded', created: 1 });
  const time = String(Math.floor(Date.now() / 1_000));
  const signature = createHmac('sha256', secret).update(`${time}.${body}`).digest('hex');
  const headers = { 'Stripe-Signature': `t=${time},v1=${signature}` };
  const told = await bothAnswers('stripe', body, headers);
  assert.equal(told.status, 200);
  assert.equal(told.body, JSON.stringify({ id: parts.events.at(-1)?.id }));
});

test('a signature that does not fit is answered as the vendor has it', async () => {
  const statusOf = async (connector: string) => (await answer(connector, '{"a":1}', {})).status;
  assert.equal(await statusOf('twilio'), 403);
  assert.equal(await statusOf('hubspot'), 503);
  assert.equal(await statusOf('stripe'), 401);
});

test('a message of Twilio gets its empty reply as XML', async () => {
  const fields = { MessageSid: 'SM1', From: '+15005550006', Body: 'Hello' };
  const signature = twilio.getExpectedTwilioSignature(
    secret,
    'https://hub.example/webhooks/one',
    fields,
  );
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    'X-Twilio-Signature': signature,
  };
  const body = new URLSearchParams(fields).toString();
  assert.deepEqual(await bothAnswers('twilio', body, headers), {
    status: 200,
    type: 'text/xml; charset=utf-8',
    length: '11',
    body: '<Response/>',
  });
});

test('a 204 ends with its headers', async () => {
  const receive = { status: 204, body: '', refused: 401 };
  const hub = await startHttp({
    intake: {
      questionMethods: () => [],
      bodyBytesMax: () => 100,
      accept: async () => eventAnswer(receive, { id: 'e1' }),
    },
  });
  try {
    const response = await fetch(`${hub.url}/webhooks/one`, { method: 'POST', body: '{}' });
    assert.equal(response.status, 204);
    assert.equal(response.headers.get('content-length'), null);
    assert.equal(response.headers.get('content-type'), null);
    assert.equal(await response.text(), '');
  } finally {
    await hub.server.close(1_000);
  }
});

test('a token that a header holds is not kept with the event', async () => {
  const headers = { 'X-Gitlab-Token': secret, 'X-Gitlab-Event': 'Push Hook', cookie: 'a=b' };
  const { status } = await answer('gitlab', '{"object_kind":"push"}', headers);
  assert.equal(status, 200);
  const event = parts.events.at(-1);
  assert.equal(event?.source, 'gitlab');
  assert.equal(event?.headers['x-gitlab-event'], 'Push Hook');
  assert.deepEqual(
    Object.keys(event?.headers ?? {}).filter((name) => /token|cookie/.test(name)),
    [],
  );
});
