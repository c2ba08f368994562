// Shops, payments, parcels and ledgers without an SDK for Node that signs: the sender is written here
// from what the vendor documents. Shopify, BigCommerce, Stripe and Adyen have tests of their own.

import assert from 'node:assert/strict';
import { createHash, createSign, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { type AttackSecret, attackTable } from '../support/attack-table.ts';
import { hmacScheme } from '../support/hmac-scheme.ts';
import { isAuthentic, receiveOf } from '../support/receiver.ts';

const order = '{"id":820982911946154508,"status":"processing","note":"Grüße"}';

const base64OfBody: Readonly<Record<string, string>> = {
  // woocommerce/woocommerce, includes/class-wc-webhook.php, generate_signature
  WooCommerce: 'X-WC-Webhook-Signature',
  // Not verified with the vendor; as in public code of its users.
  LoyaltyLion: 'x-loyaltylion-hmac-sha256',
  // https://developer.xero.com/documentation/guides/webhooks/overview/ (as users of it cite it)
  Xero: 'x-xero-signature',
  // https://developer.intuit.com/app/developer/qbo/docs/develop/webhooks (as users of it cite it)
  QuickBooks: 'intuit-signature',
};

for (const [name, header] of Object.entries(base64OfBody)) {
  attackTable(
    hmacScheme({
      name,
      verify: { hmac: 'sha256', header, encoding: 'base64' },
      body: order,
      headers: (signature) => ({ [header]: signature }),
    }),
  );
}

// frappe/frappe, integrations/doctype/webhook/webhook.py: the signature is over json.dumps(data),
// and that very text is what is posted: spaces after , and :, and everything beyond ASCII escaped.
attackTable(
  hmacScheme({
    name: 'Frappe',
    verify: { hmac: 'sha256', header: 'X-Frappe-Webhook-Signature', encoding: 'base64' },
    body: '{"doctype": "Sales Order", "name": "SO-1", "customer": "Gr\\u00fc\\u00dfe"}',
    headers: (signature) => ({ 'X-Frappe-Webhook-Signature': signature }),
  }),
);

// https://developer.squareup.com/docs/webhooks/step3validate: address and body (as users cite it)
const square = 'https://hub.example/webhooks/square';
attackTable(
  hmacScheme({
    name: 'Square',
    url: square,
    verify: {
      hmac: 'sha256',
      header: 'x-square-hmacsha256-signature',
      encoding: 'base64',
      signs: '{url}{body}',
    },
    body: '{"merchant_id":"M1","type":"payment.updated","event_id":"e-1"}',
    signed: ({ body }) => square + body,
    headers: (signature) => ({ 'x-square-hmacsha256-signature': signature }),
  }),
);

// https://support.easypost.com/hc/en-us/articles/39826034964237-Webhook-HMAC-Validation names the
// three headers; that time, method, path and body are signed in this order is how its users read it.
attackTable(
  hmacScheme({
    name: 'EasyPost, second version',
    verify: {
      hmac: 'sha256',
      header: 'X-Hmac-Signature-V2',
      encoding: 'hex',
      prefix: 'hmac-sha256-hex=',
      signs: '{timestamp}{method}{header:X-Path}{body}',
      timestamp: { header: 'X-Timestamp', unit: 'http', tolerance: '300s' },
    },
    body: '{"object":"Event","description":"tracker.updated"}',
    signed: ({ time, body }) => `${time}POST/webhooks/easypost${body}`,
    headers: (signature, { time }) => ({
      'X-Hmac-Signature-V2': `hmac-sha256-hex=${signature}`,
      'X-Timestamp': time,
      'X-Path': '/webhooks/easypost',
    }),
  }),
);

attackTable(
  hmacScheme({
    name: 'EasyPost, first version',
    verify: {
      hmac: 'sha256',
      header: 'X-Hmac-Signature',
      encoding: 'hex',
      prefix: 'hmac-sha256-hex=',
    },
    body: '{"object":"Event","description":"tracker.updated"}',
    headers: (signature) => ({ 'X-Hmac-Signature': `hmac-sha256-hex=${signature}` }),
  }),
);

// https://docs.getrecharge.com/docs/webhooks-overview: despite the header's name a plain SHA-256 of
// the secret and the body.
const recharge = {
  hash: 'sha256',
  header: 'X-Recharge-Hmac-Sha256',
  encoding: 'hex',
  signs: '{secret}{body}',
};
attackTable({
  name: 'Recharge',
  fields: { verify: recharge },
  body: '{"charge":{"id":1}}',
  sign: ({ secret, body }) => ({
    headers: {
      'X-Recharge-Hmac-Sha256': createHash('sha256')
        .update(secret + body)
        .digest('hex'),
    },
    body,
  }),
});

test('a hash without the secret in it lets nobody in', async () => {
  const signature = createHash('sha256').update(order).digest('hex');
  const receive = receiveOf({ verify: { ...recharge, signs: '{body}' }, secrets: ['s3cret'] });
  const request = { headers: { 'X-Recharge-Hmac-Sha256': signature }, body: order };
  assert.equal(await isAuthentic(receive, request), false);
});

function rsaPair(): AttackSecret {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    sender: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    receiver: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
  };
}

// AdobeDocs/commerce-extensibility, src/pages/webhooks/signature-verification.md: RSA over the
// base64 of the body, with the public key of the Admin.
attackTable({
  name: 'Adobe Commerce webhooks',
  fields: {
    verify: {
      rsa: 'sha256',
      header: 'x-adobe-commerce-webhook-signature',
      encoding: 'base64',
      key: 'pem',
      signs: '{body.base64}',
    },
  },
  body: order,
  secrets: [rsaPair(), rsaPair(), rsaPair()],
  sign: ({ secret, body }) => {
    const signer = createSign('sha256').update(Buffer.from(body).toString('base64'));
    return {
      headers: { 'x-adobe-commerce-webhook-signature': signer.sign(secret, 'base64') },
      body,
    };
  },
});
