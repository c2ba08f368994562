// Mail and marketing: forms, batches and signatures inside the body.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { attackTable } from '../support/attack-table.ts';
import { hmacScheme } from '../support/hmac-scheme.ts';
import { isAuthentic, receiveOf } from '../support/receiver.ts';

// https://mailchimp.com/developer/transactional/guides/track-respond-activity-webhooks/: the address
// as configured, then each field's name and value, in the order of the names.
const mandrillUrl = 'https://hub.example/webhooks/mandrill?shop=1';
const mandrill = {
  hmac: 'sha1',
  header: 'X-Mandrill-Signature',
  encoding: 'base64',
  signs: '{url}{form.sorted}',
};
const events =
  '[{"event":"open","ts":1763884800,"_id":"abc","msg":{"subject":"100% Grüße + mehr"}}]';

function fieldsEndToEnd(body: string): string {
  const form = new Map<string, string>();
  for (const field of body.split('&')) {
    const [name = '', value = ''] = field.split('=').map((text) => {
      try {
        return decodeURIComponent(text.replaceAll('+', ' '));
      } catch {
        return text;
      }
    });
    form.set(name, value);
  }
  return [...form]
    .sort(([one], [two]) => (one < two ? -1 : 1))
    .map((pair) => pair.join(''))
    .join('');
}

attackTable(
  hmacScheme({
    name: 'Mandrill',
    url: mandrillUrl,
    verify: mandrill,
    body: `mandrill_events=${encodeURIComponent(events).replaceAll('%20', '+')}&a_field=1`,
    signed: ({ body }) => mandrillUrl + fieldsEndToEnd(body),
    headers: (signature) => ({ 'X-Mandrill-Signature': signature }),
  }),
);

test('the test of a Mandrill address is signed with the key that its documentation names', async () => {
  const body = 'mandrill_events=%5B%5D';
  const signature = createHmac('sha1', 'test-webhook')
    .update(`${mandrillUrl}mandrill_events[]`)
    .digest('base64');
  const request = { headers: { 'X-Mandrill-Signature': signature }, body };
  const receive = receiveOf({ verify: mandrill, url: mandrillUrl, secrets: ['test-webhook'] });
  assert.equal(await isAuthentic(receive, request), true);
  const elsewhere = receiveOf({
    verify: mandrill,
    url: 'https://other.example/',
    secrets: ['test-webhook'],
  });
  assert.equal(await isAuthentic(elsewhere, request), false);
});

// https://developers.klaviyo.com/en/docs/working_with_system_webhooks: body first, then the time as
// in HTTP; the id in the header must be that of the body. It documents no tolerance.
const klaviyo = {
  hmac: 'sha256',
  header: 'Klaviyo-Signature',
  encoding: 'hex',
  signs: '{body}{timestamp}',
  timestamp: { header: 'Klaviyo-Timestamp', unit: 'http' },
  equal: [['{header:Klaviyo-Webhook-Id}', '{json:meta.klaviyo_webhook_id}']],
};

attackTable(
  hmacScheme({
    name: 'Klaviyo',
    verify: klaviyo,
    body: '{"data":[{"topic":"event:klaviyo.opened_email"}],"meta":{"klaviyo_webhook_id":"01HK"}}',
    signed: ({ body, time }) => body + time,
    headers: (signature, { time }) => ({
      'Klaviyo-Signature': signature,
      'Klaviyo-Timestamp': time,
      'Klaviyo-Webhook-Id': '01HK',
    }),
  }),
);

test('a Klaviyo webhook that is signed but names no id, or another, is refused', async () => {
  const receive = receiveOf({ verify: klaviyo, secrets: ['s3cret'] });
  const time = new Date().toUTCString();
  for (const id of ['01HK', '01HL', undefined]) {
    const body = '{"meta":{"klaviyo_webhook_id":"01HK"}}';
    const signature = createHmac('sha256', 's3cret')
      .update(body + time)
      .digest('hex');
    const headers = {
      'Klaviyo-Signature': signature,
      'Klaviyo-Timestamp': time,
      ...(id === undefined ? {} : { 'Klaviyo-Webhook-Id': id }),
    };
    assert.equal(await isAuthentic(receive, { headers, body }), id === '01HK');
  }
  const signature = createHmac('sha256', 's3cret').update(`{}${time}`).digest('hex');
  const headers = { 'Klaviyo-Signature': signature, 'Klaviyo-Timestamp': time };
  assert.equal(await isAuthentic(receive, { headers, body: '{}' }), false, 'both are absent');
});

// https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks: time and
// token are signed, both in the body; what the event says is not.
attackTable({
  name: 'Mailgun',
  fields: {
    verify: {
      hmac: 'sha256',
      json: 'signature.signature',
      encoding: 'hex',
      signs: '{timestamp}{json:signature.token}',
      timestamp: { json: 'signature.timestamp', tolerance: '9h' },
    },
  },
  body: 'a8ce0edb2dd8301dee6c2405235584e45aa91d1e9f979f3de0',
  sign: ({ secret, body: token, time: timestamp }) => {
    const signature = createHmac('sha256', secret)
      .update(timestamp + token)
      .digest('hex');
    return {
      body: JSON.stringify({
        signature: { token, timestamp, signature },
        'event-data': { event: 'opened' },
      }),
    };
  },
  tamper: (body) => body.replace('a8ce0', 'a8ce1'),
});

// https://mailchimp.com/developer/marketing/guides/sync-audience-data-webhooks/, read second-hand.
attackTable(
  hmacScheme({
    name: 'Mailchimp',
    verify: {
      hmac: 'sha256',
      header: 'X-Mailchimp-Signature',
      pairs: 'v1',
      encoding: 'hex',
      signs: '{timestamp}.{body}',
      timestamp: { pair: 't', tolerance: '300s' },
    },
    body: 'type=subscribe&fired_at=2026-11-23+08%3A00%3A00&data%5Bid%5D=8a25ff1d98',
    signed: ({ time, body }) => `${time}.${body}`,
    headers: (signature, { time }) => ({ 'X-Mailchimp-Signature': `t=${time},v1=${signature}` }),
  }),
);
