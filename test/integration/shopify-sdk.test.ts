// Shopify's own SDK as the judge of our verification: both must say the same of every request.

import '@shopify/shopify-api/adapters/node';
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { ApiVersion, shopifyApi } from '@shopify/shopify-api';
import { isAuthentic, receiveOf } from '../support/receiver.ts';

const secret = 'hush';
const shopify = shopifyApi({
  apiKey: 'key',
  apiSecretKey: secret,
  hostName: 'hub.example.com',
  apiVersion: ApiVersion.July25,
  isEmbeddedApp: false,
  logger: { log: () => undefined },
});

const receive = receiveOf({
  verify: {
    hmac: 'sha256',
    header: ['X-Shopify-Hmac-Sha256', 'shopify-hmac-sha256'],
    encoding: 'base64',
  },
  secrets: [secret],
});

const body = '{"id":820982911946154508,"name":"#1001","note":"ümläut"}';
const signature = sign(secret, body);

function sign(key: string, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64');
}

const cases: Readonly<Record<string, { readonly hmac: string; readonly body: string }>> = {
  'a right signature': { hmac: signature, body },
  'a changed body': { hmac: signature, body: body.replace('1001', '1002') },
  'a body with a space more': { hmac: signature, body: `${body} ` },
  'another secret': { hmac: sign('hush!', body), body },
  'a flipped bit': { hmac: flip(signature), body },
  'a truncated signature': { hmac: signature.slice(0, -4), body },
  'a signature with more behind it': { hmac: `${signature}AAAA`, body },
  'a signature in hexadecimal': { hmac: Buffer.from(signature, 'base64').toString('hex'), body },
  'a prefix that is not Shopify’s': { hmac: `sha256=${signature}`, body },
  'an empty signature': { hmac: '', body },
  'a body that is no JSON': { hmac: sign(secret, '<xml/>'), body: '<xml/>' },
};

function flip(text: string): string {
  return (text.startsWith('A') ? 'B' : 'A') + text.slice(1);
}

for (const family of ['x-shopify-', 'shopify-']) {
  for (const [name, { hmac, body: sent }] of Object.entries(cases)) {
    test(`Shopify’s own SDK (${family}*) and ours agree on ${name}`, async () => {
      const headers = {
        [`${family}hmac-sha256`]: hmac,
        [`${family}topic`]: 'orders/create',
        [`${family}${family === 'x-shopify-' ? 'shop-domain' : 'domain'}`]: 'a.myshopify.com',
        [`${family}shop-domain`]: 'a.myshopify.com',
        [`${family}api-version`]: '2025-07',
        [`${family}webhook-id`]: 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
        [`${family}event-id`]: '98880550-7158-44d4-b7cd-2c97c8a091b5',
        [`${family}handle`]: 'orders',
        [`${family}action`]: 'create',
        [`${family}resource-id`]: 'gid://shopify/Order/1',
      };
      const theirs = await shopify.webhooks.validate({
        rawBody: sent,
        rawRequest: { headers, method: 'POST', url: '/webhooks/shop' },
        rawResponse: {},
      });
      assert.equal(await isAuthentic(receive, { headers, body: sent }), theirs.valid);
      assert.equal(theirs.valid, /right|no JSON/.test(name));
    });
  }
}
