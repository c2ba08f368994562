// Requests of strangers, signed webhooks, what may become of them on their way, and bytes that are no
// HTTP: what a fuzz test sends.

import { createHmac } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import Stripe from 'stripe';
import { entryNames } from './catalogue-entry.ts';
import type { RawRequest } from './raw-http.ts';

export const secret = 'a-long-secret-of-this-test';
export const webhookSecret = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;

const hmac = (text: string | Buffer, encoding: 'hex' | 'base64', hash = 'sha256'): string =>
  createHmac(hash, secret).update(text).digest(encoding);
const now = (): number => Math.floor(Date.now() / 1_000);

/** By entry, what its sender puts beside a body. */
export const signers: Readonly<Record<string, (body: string) => Readonly<Record<string, string>>>> =
  {
    shopify: (body) => ({
      'X-Shopify-Topic': 'orders/create',
      'X-Shopify-Webhook-Id': hmac(body, 'hex'),
      'X-Shopify-Hmac-Sha256': hmac(body, 'base64'),
    }),
    github: (body) => ({
      'X-GitHub-Event': 'push',
      'X-GitHub-Delivery': hmac(body, 'hex'),
      'X-Hub-Signature-256': `sha256=${hmac(body, 'hex')}`,
    }),
    woocommerce: (body) => ({
      'X-WC-Webhook-Topic': 'order.created',
      'X-WC-Webhook-Signature': hmac(body, 'base64'),
    }),
    stripe: (body) => ({
      'Stripe-Signature': Stripe.webhooks.generateTestHeaderString({ payload: body, secret }),
    }),
    slack(body) {
      const time = String(now());
      const signature = `v0=${hmac(`v0:${time}:${body}`, 'hex')}`;
      return { 'X-Slack-Request-Timestamp': time, 'X-Slack-Signature': signature };
    },
    zoom(body) {
      const time = String(now());
      const signature = `v0=${hmac(`v0:${time}:${body}`, 'hex')}`;
      return { 'x-zm-request-timestamp': time, 'x-zm-signature': signature };
    },
    x: (body) => ({ 'X-Twitter-Webhooks-Signature': `sha256=${hmac(body, 'base64')}` }),
    'standard-webhooks'(body) {
      const id = `msg_${hmac(body, 'hex').slice(0, 24)}`;
      const date = new Date();
      return {
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(date.getTime() / 1_000)),
        'webhook-signature': new Webhook(webhookSecret).sign(id, date, body),
      };
    },
  };

export function genuine(entry: string, mark: string): RawRequest {
  const type = { type: 'event_callback', event: 'meeting.ended', event_id: mark, id: mark };
  const body = JSON.stringify({ ...type, object: 'event', text: 'a wörd', list: [1, 2] });
  const headers = Object.entries({
    'content-type': 'application/json',
    ...signers[entry]?.(body),
  });
  return { method: 'POST', target: `/webhooks/${entry}`, headers, body: Buffer.from(body) };
}

const name = fc.constantFrom(
  ...['content-type', 'content-encoding', 'authorization', 'expect', 'cookie', 'x-request-id'],
  ...['x-shopify-hmac-sha256', 'x-shopify-topic', 'x-hub-signature-256', 'stripe-signature'],
  ...['x-slack-signature', 'x-slack-request-timestamp', 'webhook-id', 'webhook-timestamp'],
  ...['webhook-signature', 'svix-id', 'x-twilio-signature', 'x-amz-sns-message-type'],
  ...['paypal-cert-url', 'paypal-transmission-sig', 'aeg-event-type', 'x-wc-webhook-signature'],
  ...['x-mandrill-signature', 'ce-id', 'ce-type', 'ce-specversion', 'x-goog-channel-token'],
  ...['webhook-request-origin', 'x-adobe-signature', 'transfer-encoding'],
);
const value = fc.oneof(
  fc.string({ maxLength: 60 }).map((text) => text.replace(/[^\x20-\x7e]/g, '')),
  fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .map((bytes) => Buffer.from(bytes).toString('base64')),
  fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .map((bytes) => Buffer.from(bytes).toString('hex')),
  fc.uint8Array({ maxLength: 12 }).map((bytes) =>
    Buffer.from(bytes)
      .toString('latin1')
      .replace(/[\0\r\n]/g, ''),
  ),
  fc.constantFrom(
    ...['application/json', 'text/xml', 'application/x-www-form-urlencoded', 'multipart/form-data'],
    ...['application/x-ndjson', 'text/plain; charset=utf-16', 'multipart/form-data; boundary=x'],
    ...['gzip', 'gzip, gzip', 'br', 'deflate', 'identity', 'chunked', '100-continue', 'Basic OjE='],
    ...[
      'Bearer a.b.c',
      `t=${now()},v1=${'0'.repeat(64)}`,
      `v1,${'A'.repeat(43)}=`,
      'v1,',
      't=,v1=',
    ],
    ...['https://sns.eu-west-1.amazonaws.com/x.pem', 'SubscriptionValidation', String(now()), '-1'],
  ),
);
const body = fc.oneof(
  fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
  fc.json({ maxDepth: 4 }).map((text) => Buffer.from(text)),
  fc.string({ maxLength: 200 }).map((text) => Buffer.from(`mandrill_events=${text}&a=b`)),
  fc.string({ maxLength: 200 }).map((text) => gzipSync(text)),
  fc
    .constantFrom(
      ...[
        '',
        '{',
        '[]',
        '[[]]',
        'null',
        '"',
        '\ufeff{}',
        '<a/>',
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
      ],
      ...[
        '{"__proto__":1}',
        '{"Type":"SubscriptionConfirmation","SubscribeURL":"http://127.0.0.1/"}',
      ],
      ...[
        '{"type":"url_verification","challenge":"a"}',
        '[{"eventType":1}]',
        '{"events":[1,null]}',
      ],
      ...[
        '{"validationUrl":"https://a.adobe.io/validate"}',
        'webhook_id=1',
        '{"notificationItems":[{}]}',
      ],
      '['.repeat(5_000),
    )
    .map((text) => Buffer.from(text)),
);
/** Who knows names of headers and no secret. */
export const stranger = fc.record({
  method: fc.constantFrom('POST', 'POST', 'POST', 'PUT', 'GET', 'HEAD', 'OPTIONS', 'PATCH'),
  target: fc
    .tuple(
      fc.constantFrom(...entryNames, 'nobody', '%00', '..%2f', '__proto__'),
      fc.constantFrom(
        '',
        '?token=a',
        '?hub.mode=subscribe',
        '?crc_token=abc',
        '?validationToken=a',
        '?%ff=%',
        '?a=1&a=2',
      ),
    )
    .map(([entry, query]) => `/webhooks/${entry}${query}`),
  headers: fc.array(fc.tuple(name, value), { maxLength: 6 }),
  body,
});

export type Change = (request: RawRequest) => RawRequest;

export const changes: readonly ((at: number) => Change)[] = [
  (at) => (one) => ({ ...one, body: flipped(one.body, at) }),
  (at) => (one) => ({ ...one, body: one.body.subarray(0, at % (one.body.length + 1)) }),
  (at) => (one) => ({ ...one, body: Buffer.concat([one.body, Buffer.from([at & 255])]) }),
  () => (one) => ({ ...one, body: Buffer.from(`${one.body} `) }),
  () => (one) => ({ ...one, body: Buffer.from(JSON.stringify({ body: one.body.toString() })) }),
  () => (one) => ({
    ...one,
    body: gzipSync(one.body),
    headers: [...one.headers, ['content-encoding', 'gzip']],
  }),
  (at) => (one) => ({
    ...one,
    headers: one.headers.filter((_, index) => index !== at % one.headers.length),
  }),
  (at) => (one) => ({
    ...one,
    headers: [...one.headers, ...one.headers.slice(at % one.headers.length).slice(0, 1)],
  }),
  (at) => (one) =>
    withHeader(one, at, (text) => flipped(Buffer.from(text, 'latin1'), at >> 3).toString('latin1')),
  (at) => (one) => withHeader(one, at, (text) => text.slice(0, (at >> 3) % (text.length + 1))),
  (at) => (one) =>
    withHeader(one, at, (text) => text.replace(/\d{9,}/, (time) => String(Number(time) - 400))),
  (at) => (one) => withHeader(one, at, (text) => `${text}, ${text}`),
  (at) => (one) => ({ ...one, target: `/webhooks/${entryNames[at % entryNames.length]}` }),
  (at) => (one) => ({ ...one, target: `${one.target}?token=${at}` }),
  () => (one) => ({ ...one, method: 'PUT' }),
];

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  const index = at % Math.max(1, copy.length);
  const byte = copy[index];
  // Never a line end or a NUL in a header: those make another request of it.
  if (byte !== undefined) copy[index] = byte === 0x0a ? 0x0b : byte ^ 1;
  return copy;
}

function withHeader(request: RawRequest, at: number, change: (text: string) => string): RawRequest {
  const headers = request.headers.map(([key, text], index) =>
    index === at % request.headers.length ? ([key, change(text)] as const) : ([key, text] as const),
  );
  return { ...request, headers };
}

export const line = fc.constantFrom(
  ...[
    'POST /webhooks/shopify HTTP/1.1',
    'POST /webhooks/shopify HTTP/9.9',
    'POST  HTTP/1.1',
    'GET',
    '',
  ],
  ...[
    'POST http://a.example/webhooks/shopify HTTP/1.1',
    'CONNECT a:1 HTTP/1.1',
    'TRACE / HTTP/1.1',
  ],
  ...[
    'host: a',
    'host: a\r\nhost: b',
    'content-length: -1',
    'content-length: 5',
    'content-length: 5, 6',
  ],
  ...[
    'content-length: 99999999999999999999',
    'transfer-encoding: chunked',
    'transfer-encoding: gzip',
  ],
  ...[
    'expect: 100-continue',
    'expect: 1',
    'upgrade: websocket',
    'connection: upgrade',
    ' folded: a',
  ],
  ...['no colon', 'nul: \0', `long: ${'a'.repeat(20_000)}`, 'content-encoding: gzip', ': empty'],
  ...[
    '',
    '5\r\nabcde\r\n0',
    'zz\r\nabc',
    'ffffffffffffffffff',
    '0',
    '{"id":1}',
    '\x16\x03\x01\x02',
  ],
);
