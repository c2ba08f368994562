// What each vendor signs, made here by its own recipe with nothing but node:crypto, passes the
// entry of the catalogue, and does not with one bit changed. The vendors' SDKs are the other side
// elsewhere; many vendors have none.

import assert from 'node:assert/strict';
import { createHmac, createSign, generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadEntry } from '../support/catalogue-entry.ts';
import { catalogFolder } from '../support/definition-project.ts';
import { verdictOf } from '../support/receiver.ts';

type Headers = Readonly<Record<string, string>>;

interface Recipe {
  readonly sample: string;
  readonly secret?: string;
  readonly sign: (body: string, secret: string) => Headers;
}

const URL_OF_HOOK = 'https://hub.example/webhooks/one';
const nowMs = Date.parse('2026-11-22T14:30:00Z');
const seconds = String(nowMs / 1_000);

type Digest = 'hex' | 'base64';

function hmac(secret: string | Buffer, digest: Digest, ...texts: string[]): string {
  return createHmac('sha256', secret).update(texts.join('')).digest(digest);
}

function oldHmac(secret: string, digest: Digest, text: string): string {
  return createHmac('sha1', secret).update(text).digest(digest);
}

const byBody = (header: string, digest: Digest, prefix = ''): Recipe['sign'] => {
  return (body, secret) => ({ [header]: prefix + hmac(secret, digest, body) });
};

const basic: Recipe['sign'] = (_body, secret) => ({
  Authorization: `Basic ${Buffer.from(secret).toString('base64')}`,
});

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });

const recipes: Readonly<Record<string, Recipe>> = {
  shopify: { sample: 'orders-create.json', sign: byBody('X-Shopify-Hmac-Sha256', 'base64') },
  bigcommerce: {
    sample: 'store-order-created.json',
    sign: (body, secret) => ({
      'webhook-id': 'msg_1',
      'webhook-timestamp': seconds,
      'webhook-signature': `v1,${hmac(secret, 'base64', `msg_1.${seconds}.`, body)}`,
    }),
  },
  woocommerce: { sample: 'order.created.json', sign: byBody('X-WC-Webhook-Signature', 'base64') },
  'adobe-commerce': {
    sample: 'observer.sales_order_place_after.json',
    secret: String(rsa.publicKey.export({ type: 'spki', format: 'pem' })),
    sign: (body) => {
      const signer = createSign('SHA256').update(Buffer.from(body).toString('base64'));
      return { 'x-adobe-commerce-webhook-signature': signer.sign(rsa.privateKey, 'base64') };
    },
  },
  stripe: {
    sample: 'charge.refunded.json',
    sign: (body, secret) => ({
      'Stripe-Signature': `t=${seconds},v1=${hmac(secret, 'hex', `${seconds}.`, body)}`,
    }),
  },
  'adyen-platform': {
    sample: 'balancePlatform.transfer.created.json',
    secret: 'ab'.repeat(32),
    sign: (body, secret) => ({
      HmacSignature: hmac(Buffer.from(secret, 'hex'), 'base64', body),
    }),
  },
  square: {
    sample: 'payment.updated.json',
    sign: (body, secret) => ({
      'x-square-hmacsha256-signature': hmac(secret, 'base64', URL_OF_HOOK, body),
    }),
  },
  github: { sample: 'push.json', sign: byBody('X-Hub-Signature-256', 'hex', 'sha256=') },
  slack: {
    sample: 'message.json',
    sign: (body, secret) => ({
      'X-Slack-Request-Timestamp': seconds,
      'X-Slack-Signature': `v0=${hmac(secret, 'hex', `v0:${seconds}:`, body)}`,
    }),
  },
  sendgrid: {
    sample: 'delivered.json',
    secret: ec.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    sign: (body) => ({
      'X-Twilio-Email-Event-Webhook-Timestamp': seconds,
      'X-Twilio-Email-Event-Webhook-Signature': createSign('SHA256')
        .update(seconds + body)
        .sign(ec.privateKey, 'base64'),
    }),
  },
  mandrill: {
    sample: 'send.txt',
    sign: (body, secret) => {
      const value = new URLSearchParams(body).get('mandrill_events') ?? '';
      const signed = `${URL_OF_HOOK}mandrill_events${value}`;
      return { 'X-Mandrill-Signature': oldHmac(secret, 'base64', signed) };
    },
  },
  mailchimp: {
    sample: 'subscribe.txt',
    sign: (body, secret) => {
      const signature = hmac(secret, 'hex', `${seconds}.`, body);
      return { 'X-Mailchimp-Signature': `t=${seconds},v1=${signature}` };
    },
  },
  klaviyo: {
    sample: 'event-klaviyo.email_delivered.json',
    sign: (body, secret) => {
      const time = new Date(nowMs).toUTCString();
      return {
        'Klaviyo-Webhook-Id': '01HKZ0SAMPLEWEBHOOK0000001',
        'Klaviyo-Timestamp': time,
        'Klaviyo-Signature': hmac(secret, 'hex', body, time),
      };
    },
  },
  hubspot: {
    sample: 'contact.creation.json',
    sign: (body, secret) => ({
      'X-HubSpot-Request-Timestamp': String(nowMs),
      'X-HubSpot-Signature-v3': hmac(secret, 'base64', `POST${URL_OF_HOOK}${body}${nowMs}`),
    }),
  },
  intercom: {
    sample: 'contact.created.json',
    sign: (body, secret) => ({ 'X-Hub-Signature': `sha1=${oldHmac(secret, 'hex', body)}` }),
  },
  zendesk: {
    sample: 'zen-event-type-ticket.created.json',
    sign: (body, secret) => {
      const time = new Date(nowMs).toISOString();
      return {
        'X-Zendesk-Webhook-Signature-Timestamp': time,
        'X-Zendesk-Webhook-Signature': hmac(secret, 'base64', time, body),
      };
    },
  },
  meta: { sample: 'page.json', sign: byBody('X-Hub-Signature-256', 'hex', 'sha256=') },
  x: {
    sample: 'account-activity.json',
    sign: byBody('x-twitter-webhooks-signature', 'base64', 'sha256='),
  },
  zoom: {
    sample: 'meeting.ended.json',
    sign: (body, secret) => ({
      'x-zm-request-timestamp': seconds,
      'x-zm-signature': `v0=${hmac(secret, 'hex', `v0:${seconds}:`, body)}`,
    }),
  },
  typeform: {
    sample: 'form_response.json',
    sign: byBody('Typeform-Signature', 'base64', 'sha256='),
  },
  calendly: {
    sample: 'invitee.created.json',
    sign: (body, secret) => {
      const signature = hmac(secret, 'hex', `${seconds}.`, body);
      return { 'Calendly-Webhook-Signature': `t=${seconds},v1=${signature}` };
    },
  },
};

for (const [name, { sample, secret = 'a-secret-of-the-test', sign }] of Object.entries(recipes)) {
  test(`${name} takes what is signed by its recipe, and nothing that was changed`, async () => {
    const { receive } = await loadEntry(name, secret);
    assert.ok(receive !== undefined);
    const body = readFileSync(join(catalogFolder, 'samples', name, sample), 'utf8');
    const headers = sign(body, secret);
    const kindOf = async (text: string): Promise<string> =>
      (await verdictOf(receive, { headers, body: text }, { nowMs })).kind;
    assert.equal(await kindOf(body), 'authentic');
    assert.equal(await kindOf(body.replace('e', 'd')), 'refused');
  });
}

test('mailgun signs time and token, and a changed token is refused', async () => {
  const { receive } = await loadEntry('mailgun', 'mailgun-key');
  assert.ok(receive !== undefined);
  const kindOf = async (token: string): Promise<string> => {
    const signed = hmac('mailgun-key', 'hex', seconds, 'a8ce0edb');
    const signature = { timestamp: seconds, token, signature: signed };
    const body = JSON.stringify({ signature, 'event-data': { event: 'failed' } });
    return (await verdictOf(receive, { body }, { nowMs })).kind;
  };
  assert.equal(await kindOf('a8ce0edb'), 'authentic');
  assert.equal(await kindOf('a8ce0edc'), 'refused');
});

test('adyen signs each item over eight fields, and absent ones are empty', async () => {
  const secret = 'ab'.repeat(32);
  const { receive } = await loadEntry('adyen', secret);
  assert.ok(receive !== undefined);
  const signed = 'QFQTPCQ8HXSKGK82::ExampleMerchant:1001:4104:EUR:AUTHORISATION:true';
  const signature = hmac(Buffer.from(secret, 'hex'), 'base64', signed);
  const sample = readFileSync(join(catalogFolder, 'samples/adyen/AUTHORISATION.json'), 'utf8');
  const body = sample.replace('"hmacSignature": ""', `"hmacSignature": "${signature}"`);
  assert.equal((await verdictOf(receive, { body })).kind, 'authentic');
  const other = body.replace('4104', '4105');
  assert.equal((await verdictOf(receive, { body: other })).kind, 'refused');
});

test('postmark, brevo and gitlab take what is sent along, and no other', async () => {
  const bearer = { Authorization: 'Bearer user:password' };
  const cases: readonly (readonly [string, Headers])[] = [
    ['postmark', basic('', 'user:password')],
    ['brevo', basic('', 'user:password')],
    ['brevo', bearer],
    ['gitlab', { 'X-Gitlab-Token': 'user:password' }],
  ];
  for (const [name, headers] of cases) {
    const kindOf = async (secret: string): Promise<string> => {
      const { receive } = await loadEntry(name, secret);
      assert.ok(receive !== undefined);
      return (await verdictOf(receive, { headers, body: '{}' })).kind;
    };
    assert.equal(await kindOf('user:password'), 'authentic', name);
    assert.equal(await kindOf('user:other'), 'refused', name);
  }
});

test('mailchimp takes the secret in the address where nothing is signed', async () => {
  const { receive } = await loadEntry('mailchimp', 'in-the-address');
  assert.ok(receive !== undefined);
  const kindOf = async (target: string): Promise<string> =>
    (await verdictOf(receive, { target, body: 'type=subscribe' })).kind;
  assert.equal(await kindOf('/webhooks/one?secret=in-the-address'), 'authentic');
  assert.equal(await kindOf('/webhooks/one?secret=another'), 'refused');
  assert.equal(await kindOf('/webhooks/one'), 'refused');
});
