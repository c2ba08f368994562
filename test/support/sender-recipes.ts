// What senders of the second half of the catalogue add to a body, by their own recipes.

import { createHmac, createSign, generateKeyPairSync, sign } from 'node:crypto';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import type { TestRequest } from './receiver.ts';

export const SECRET = 'a long secret of somebody';
export const KEY = Buffer.alloc(32, 9).toString('base64');
export const nowMs = Date.parse('2026-11-22T14:30:00Z');
export const now = new Date(nowMs);
export const seconds = String(nowMs / 1_000);
const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const ed25519 = generateKeyPairSync('ed25519');
const rsaPublic = String(rsa.publicKey.export({ type: 'spki', format: 'pem' }));
export const publicKey = ed25519.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);

export function hmac(encoding: 'hex' | 'base64', ...texts: string[]): string {
  return createHmac('sha256', SECRET).update(texts.join('')).digest(encoding);
}

export interface Recipe {
  readonly entry: string;
  readonly sample: string;
  readonly secret?: string;
  /** Beside those that are required. */
  readonly settings?: Readonly<Record<string, string>>;
  /** What the sender adds to a body: headers, or a query. */
  readonly sent: (body: string) => TestRequest;
  /** The way does not cover the body. */
  readonly anyBody?: true;
}

const inAddress = (name = 'token'): Pick<Recipe, 'sent' | 'anyBody'> => ({
  sent: () => ({ target: `/webhooks/one?${name}=${encodeURIComponent(SECRET)}` }),
  anyBody: true,
});

const inHeader = (name: string, prefix = ''): Pick<Recipe, 'sent' | 'anyBody'> => ({
  sent: () => ({ headers: { [name]: prefix + SECRET } }),
  anyBody: true,
});

const ofBody = (name: string, encoding: 'hex' | 'base64', prefix = ''): Pick<Recipe, 'sent'> => ({
  sent: (body) => ({ headers: { [name]: prefix + hmac(encoding, body) } }),
});

export const recipes: readonly Recipe[] = [
  { entry: 'odoo', sample: 'sale.order', ...inAddress() },
  {
    entry: 'frappe',
    sample: 'Item-on_update',
    ...ofBody('X-Frappe-Webhook-Signature', 'base64'),
  },
  {
    entry: 'business-central',
    sample: 'updated',
    secret: 'the-text-of-this-subscription',
    sent: () => ({}),
    anyBody: true,
  },
  {
    entry: 'netsuite',
    sample: 'salesorder-edit',
    sent: (body) => ({
      headers: {
        'X-NetSuite-Timestamp': seconds,
        'X-NetSuite-Signature': hmac('hex', seconds, '.', body).toUpperCase(),
      },
    }),
  },
  { entry: 'netsuite', sample: 'salesorder-edit', ...inHeader('Authorization', 'Bearer ') },
  { entry: 'xero', sample: 'CONTACT.UPDATE', ...ofBody('x-xero-signature', 'base64') },
  {
    entry: 'quickbooks',
    sample: 'qbo.invoice.created.v1',
    ...ofBody('intuit-signature', 'base64'),
  },
  { entry: 'shipstation', sample: 'ORDER_NOTIFY', ...inAddress() },
  {
    entry: 'shipstation',
    sample: 'API_TRACK',
    secret: '',
    settings: { publicKey: rsaPublic },
    sent: (body) => ({
      headers: {
        'x-shipengine-timestamp': now.toISOString(),
        'x-shipengine-rsa-sha256-signature': createSign('SHA256')
          .update(`${now.toISOString()}.${body}`)
          .sign(rsa.privateKey, 'base64'),
      },
    }),
  },
  {
    entry: 'easypost',
    sample: 'tracker.updated',
    ...ofBody('X-Hmac-Signature', 'hex', 'hmac-sha256-hex='),
  },
  {
    entry: 'easypost',
    sample: 'tracker.updated',
    settings: { path: '/webhooks/parcels' },
    sent: (body) => {
      const time = now.toUTCString().replace('GMT', '-0000');
      const signature = hmac('hex', time, 'POST', '/webhooks/parcels', body);
      return {
        headers: {
          'X-Timestamp': time,
          'X-Path': '/webhooks/parcels',
          'X-Hmac-Signature-V2': `hmac-sha256-hex=${signature}`,
        },
      };
    },
  },
  {
    entry: 'loyaltylion',
    sample: 'customers.update',
    ...ofBody('x-loyaltylion-hmac-sha256', 'base64'),
  },
  { entry: 'smile', sample: 'customer-updated', ...ofBody('dummy-signatureHeader', 'hex') },
  { entry: 'yotpo', sample: 'review_create', ...inAddress() },
  {
    entry: 'recharge',
    sample: 'charge-paid',
    sent: (body) => ({
      headers: {
        'X-Recharge-Webhook-Signature': `t=${seconds},v1=${hmac('hex', seconds, '.', body)}`,
      },
    }),
  },
  { entry: 'event-grid', sample: 'Microsoft.Storage.BlobCreated', ...inAddress() },
  {
    entry: 'cloudevents',
    sample: 'com.example.order.created',
    ...inHeader('Authorization', 'Bearer '),
  },
  { entry: 'cloudevents', sample: 'com.example.order.created', ...inAddress('access_token') },
  {
    entry: 'standard-webhooks',
    sample: 'contact.created',
    secret: `whsec_${KEY}`,
    sent: (body) => ({
      headers: {
        'webhook-id': 'msg_1',
        'webhook-timestamp': seconds,
        'webhook-signature': new StandardWebhook(KEY).sign('msg_1', now, body),
      },
    }),
  },
  {
    entry: 'standard-webhooks',
    sample: 'contact.created',
    secret: '',
    settings: { publicKey: `whpk_${publicKey.toString('base64')}` },
    sent: (body) => {
      const signed = Buffer.from(`msg_1.${seconds}.${body}`);
      const signature = sign(null, signed, ed25519.privateKey).toString('base64');
      return {
        headers: {
          'webhook-id': 'msg_1',
          'webhook-timestamp': seconds,
          'webhook-signature': `v1,bm90aGluZw== v1a,${signature}`,
        },
      };
    },
  },
  {
    entry: 'svix',
    sample: 'invoice.paid',
    secret: `whsec_${KEY}`,
    sent: (body) => ({
      headers: {
        'svix-id': 'msg_1',
        'svix-timestamp': seconds,
        'svix-signature': new SvixWebhook(KEY).sign('msg_1', now, body),
      },
    }),
  },
  { entry: 'generic-hmac', sample: 'order.created', ...ofBody('X-Signature', 'hex') },
  {
    entry: 'generic-hmac',
    sample: 'order.created',
    settings: { header: 'X-Hub', encoding: 'base64', prefix: 'sha256=' },
    ...ofBody('X-Hub', 'base64', 'sha256='),
  },
  {
    entry: 'generic-basic',
    sample: 'order.created',
    secret: 'shop:a long password',
    sent: () => ({ headers: { Authorization: `Basic ${btoa('shop:a long password')}` } }),
    anyBody: true,
  },
  { entry: 'generic-token', sample: 'order.created', ...inHeader('Authorization', 'Bearer ') },
  { entry: 'generic-token', sample: 'order.created', ...inHeader('X-Api-Key') },
  { entry: 'generic-token', sample: 'order.created', ...inAddress() },
];
