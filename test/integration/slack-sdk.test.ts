// Slack's own framework as the checker, and the published example.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { attackTable } from '../support/attack-table.ts';
import { isAuthentic, receiveOf } from '../support/receiver.ts';

type Check = (request: {
  readonly signingSecret: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly nowMilliseconds: number;
}) => boolean;

const load = createRequire(import.meta.url);
const bolt = load('@slack/bolt/dist/receivers/verify-request.js') as { isValidSlackRequest: Check };

const verify = {
  hmac: 'sha256',
  header: 'X-Slack-Signature',
  prefix: 'v0=',
  encoding: 'hex',
  signs: 'v0:{timestamp}:{body}',
  timestamp: { header: 'X-Slack-Request-Timestamp', tolerance: '300s' },
};

// https://docs.slack.dev/authentication/verifying-requests-from-slack
const secret = '8f742231b10e8888abcd99yyyzzz85a5';
const published = {
  time: '1531420618',
  signature: 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
  body: 'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c',
};
const receive = receiveOf({ verify, secrets: [secret] });

function headersOf(signature: string, time: string) {
  return { 'X-Slack-Signature': signature, 'X-Slack-Request-Timestamp': time };
}

test("lets in Slack's published example", async () => {
  const headers = headersOf(published.signature, published.time);
  const nowMs = Number(published.time) * 1_000;
  assert.equal(await isAuthentic(receive, { headers, body: published.body }, { nowMs }), true);
});

const { time, signature, body } = published;
const cases: readonly (readonly [string, string, string, number])[] = [
  ['the published example', signature, body, 0],
  ['five minutes later', signature, body, 300],
  ['a second after that', signature, body, 301],
  ['another version', signature.replace('v0=', 'v1='), body, 0],
  ['no version', signature.slice(3), body, 0],
  ['a changed body', signature, body.replace('foobar', 'foobaz'), 0],
  ['a cut signature', signature.slice(0, -2), body, 0],
];

for (const [name, sent, text, laterS] of cases) {
  test(`Slack's own check and ours agree on ${name}`, async () => {
    const nowMs = (Number(time) + laterS) * 1_000;
    const ours = await isAuthentic(
      receive,
      { headers: headersOf(sent, time), body: text },
      { nowMs },
    );
    const theirs = bolt.isValidSlackRequest({
      signingSecret: secret,
      body: text,
      headers: { 'x-slack-signature': sent, 'x-slack-request-timestamp': Number(time) },
      nowMilliseconds: nowMs,
    });
    assert.equal(ours, theirs);
  });
}

attackTable({
  name: 'Slack',
  fields: { verify },
  body: '{"type":"event_callback","event_id":"Ev0PV52K21"}',
  sign: ({ secret: key, body: sent, time: at }) => {
    const digest = createHmac('sha256', key).update(`v0:${at}:${sent}`).digest('hex');
    return { headers: headersOf(`v0=${digest}`, at), body: sent };
  },
});
