// Apps, forms and meetings, and the generic sender: each written from what the vendor documents.

import { createHash } from 'node:crypto';
import { attackTable } from '../support/attack-table.ts';
import { type HmacSender, hmacScheme } from '../support/hmac-scheme.ts';

const body = '{"event":"user.created","data":{"id":42,"name":"Zoë"}}';
const hubspotUrl = 'https://hub.example/webhooks/hubspot';

/** One header with something before the signature, over the body alone. */
function prefixed(name: string, header: string, form: HmacSender['verify']): HmacSender {
  return {
    name,
    verify: { header, ...form },
    body,
    headers: (signature) => ({ [header]: `${form['prefix']}${signature}` }),
  };
}

const senders: readonly HmacSender[] = [
  // https://developers.facebook.com/docs/graph-api/webhooks/getting-started#validate-payloads (not
  // verified at the page; GitHub's scheme under the same name)
  prefixed('Meta', 'X-Hub-Signature-256', { hmac: 'sha256', encoding: 'hex', prefix: 'sha256=' }),
  // https://developers.intercom.com/docs/webhooks/webhook-notifications (not verified at the page)
  prefixed('Intercom', 'X-Hub-Signature', { hmac: 'sha1', encoding: 'hex', prefix: 'sha1=' }),
  // https://www.typeform.com/developers/webhooks/secure-your-webhooks/ (as users of it cite it)
  prefixed('Typeform', 'Typeform-Signature', {
    hmac: 'sha256',
    encoding: 'base64',
    prefix: 'sha256=',
  }),
  // https://docs.x.com/x-api/webhooks (not verified at the page; as users of it sign)
  prefixed('X', 'x-twitter-webhooks-signature', {
    hmac: 'sha256',
    encoding: 'base64',
    prefix: 'sha256=',
  }),
  {
    // https://developer.zendesk.com/documentation/webhooks/verifying/: TIMESTAMP + BODY
    name: 'Zendesk',
    verify: {
      hmac: 'sha256',
      header: 'X-Zendesk-Webhook-Signature',
      encoding: 'base64',
      signs: '{timestamp}{body}',
      timestamp: {
        header: 'X-Zendesk-Webhook-Signature-Timestamp',
        unit: 'iso',
        tolerance: '300s',
      },
    },
    body,
    signed: (one) => one.time + one.body,
    headers: (signature, { time }) => ({
      'X-Zendesk-Webhook-Signature': signature,
      'X-Zendesk-Webhook-Signature-Timestamp': time,
    }),
  },
  {
    // https://webhooks.fyi/webhook-directory/zoom
    name: 'Zoom',
    verify: {
      hmac: 'sha256',
      header: 'x-zm-signature',
      encoding: 'hex',
      prefix: 'v0=',
      signs: 'v0:{timestamp}:{body}',
      timestamp: { header: 'x-zm-request-timestamp', tolerance: '2h' },
    },
    body,
    signed: (one) => `v0:${one.time}:${one.body}`,
    headers: (signature, { time }) => ({
      'x-zm-signature': `v0=${signature}`,
      'x-zm-request-timestamp': time,
    }),
  },
  {
    // https://developers.hubspot.com/docs/api/webhooks/validating-requests: version 3 signs method,
    // address, body and time, at most five minutes old (read second-hand)
    name: 'HubSpot',
    url: hubspotUrl,
    verify: {
      hmac: 'sha256',
      header: 'X-HubSpot-Signature-v3',
      encoding: 'base64',
      signs: '{method}{url}{body}{timestamp}',
      timestamp: { header: 'X-HubSpot-Request-Timestamp', unit: 'ms', tolerance: '300s' },
    },
    body,
    signed: (one) => `POST${hubspotUrl}${one.body}${one.time}`,
    headers: (signature, { time }) => ({
      'X-HubSpot-Signature-v3': signature,
      'X-HubSpot-Request-Timestamp': time,
    }),
  },
  {
    // https://developer.calendly.com/api-docs/webhook-signatures (as users of it cite it)
    name: 'Calendly',
    verify: {
      hmac: 'sha256',
      header: 'Calendly-Webhook-Signature',
      pairs: 'v1',
      encoding: 'hex',
      signs: '{timestamp}.{body}',
      timestamp: { pair: 't', tolerance: '300s' },
    },
    body,
    signed: (one) => `${one.time}.${one.body}`,
    headers: (signature, { time }) => ({
      'Calendly-Webhook-Signature': `t=${time},v1=${signature}`,
    }),
  },
  {
    name: 'A sender of its own kind',
    verify: {
      hmac: 'sha512',
      header: 'X-Signature',
      encoding: 'base64url',
      signs: '{method} {header:X-Id}[ {header:X-Tenant}] {body.sha256}',
    },
    body,
    signed: (one) => `POST 7 eu ${createHash('sha256').update(one.body).digest('hex')}`,
    headers: (signature) => ({ 'X-Signature': signature, 'X-Id': '7', 'X-Tenant': 'eu' }),
  },
];

for (const sender of senders) attackTable(hmacScheme(sender));
