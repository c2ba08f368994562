// The reference library of Standard Webhooks, Svix' own, and BigCommerce's way to use the former.

import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, sign as signWith } from 'node:crypto';
import { test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { type AttackSecret, attackTable, type Signing, same } from '../support/attack-table.ts';
import { isAuthentic, receiveOf, verdictOf } from '../support/receiver.ts';

const body = '{"type":"invoice.paid","timestamp":"2026-11-23T08:00:00Z","data":{"id":"ü1"}}';
const id = 'msg_2KWPBgLlAfxdpx2AI54pPJ85f4W';

function fieldsOf(family: 'webhook' | 'svix', more: object) {
  return {
    verify: {
      hmac: 'sha256',
      header: `${family}-signature`,
      tagged: 'v1',
      encoding: 'base64',
      key: 'whsec',
      signs: `{header:${family}-id}.{timestamp}.{body}`,
      timestamp: { header: `${family}-timestamp`, tolerance: '300s' },
      ...more,
    },
  };
}

function whsec(seed: string): string {
  return `whsec_${Buffer.from(seed.padEnd(24, '.')).toString('base64')}`;
}

type Sender = new (secret: string) => { sign(id: string, at: Date, body: string): string };

/** The libraries sign no time that is none, and nothing without a secret: that is done by hand. */
function signer(library: Sender, family: 'webhook' | 'svix', secretOf = (text: string) => text) {
  return ({ secret, body: payload, time }: Signing) => {
    const isPlain = /^\d+$/.test(time) && secret !== '';
    const signature = isPlain
      ? new library(secretOf(secret)).sign(id, new Date(Number(time) * 1_000), payload)
      : `v1,${createHmac('sha256', keyOf(secret)).update(`${id}.${time}.${payload}`).digest('base64')}`;
    return {
      headers: {
        [`${family}-id`]: id,
        [`${family}-timestamp`]: time,
        [`${family}-signature`]: signature,
      },
      body: payload,
    };
  };
}

function keyOf(secret: string): Buffer {
  const [, encoded] = /^whsec_(.+)$/.exec(secret) ?? [];
  return encoded === undefined ? Buffer.from(secret) : Buffer.from(encoded, 'base64');
}

const secrets = [same(whsec('own1')), same(whsec('own2')), same(whsec('theirs'))] as const;

attackTable({
  name: 'Standard Webhooks, signed by the reference library',
  fields: fieldsOf('webhook', {}),
  body,
  secrets,
  sign: signer(Webhook, 'webhook'),
});

attackTable({
  name: 'Svix, signed by its SDK',
  fields: fieldsOf('svix', {}),
  body,
  secrets,
  sign: signer(SvixWebhook, 'svix'),
});

// The client secret of the app is the key as it is; the library wants base64, so BigCommerce's
// example encodes it first (bigcommerce/docs, integrations/webhooks/https-webhook-overview.mdx).
attackTable({
  name: 'BigCommerce, signed by the reference library',
  fields: fieldsOf('webhook', { key: 'text' }),
  body,
  secrets: [same('c1ient-secret'), same('c1ient-secret-2'), same('another-client')],
  sign: signer(Webhook, 'webhook', (secret) => Buffer.from(secret).toString('base64')),
});

test("lets in Svix' published example", async () => {
  // https://docs.svix.com/receiving/verifying-payloads/how-manual
  const receive = receiveOf({
    ...fieldsOf('svix', {}),
    secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
  });
  const headers = {
    'svix-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'svix-timestamp': '1614265330',
    'svix-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  };
  const request = { headers, body: '{"test": 2432232314}' };
  assert.equal(await isAuthentic(receive, request, { nowMs: 1_614_265_330_000 }), true);
});

test('of a list of signatures one that fits is enough, and tags that are not meant do not count', async () => {
  const receive = receiveOf({ ...fieldsOf('webhook', {}), secrets: [secrets[0].receiver] });
  const time = String(Math.floor(Date.now() / 1_000));
  const request = signer(Webhook, 'webhook')({ secret: secrets[0].sender, body, time });
  const right = request.headers['webhook-signature'] ?? '';
  const wrong = `v1,${Buffer.alloc(32).toString('base64')}`;
  const withText = (text: string) => ({
    ...request,
    headers: { ...request.headers, 'webhook-signature': text },
  });
  for (const text of [`${wrong} ${right}`, `${right} ${wrong}`, `v1a,AAAA ${right}`]) {
    assert.equal(await isAuthentic(receive, withText(text)), true, text);
    assert.doesNotThrow(() => new Webhook(secrets[0].sender).verify(body, withText(text).headers));
  }
  for (const text of [right.replace('v1,', 'v1a,'), right.replace('v1,', 'v2,'), right.slice(3)]) {
    assert.equal((await verdictOf(receive, withText(text))).kind, 'refused', text);
  }
  const many = Array.from({ length: 17 }, () => right).join(' ');
  const verdict = await verdictOf(receive, withText(many));
  assert.equal(verdict.kind === 'refused' && verdict.code, 'signature-unreadable');
});

function ed25519Secret(form: (raw: Buffer, seed: Buffer) => string): AttackSecret {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32);
  const sender = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  return { sender, receiver: form(raw, seed) };
}

// standard-webhooks/standard-webhooks, spec/standard-webhooks.md: v1a is Ed25519, whpk_ and whsk_
// stand before the base64 of a public and of a private key. The reference library checks v1 only.
const { hmac: _, ...unchanged } = fieldsOf('webhook', {}).verify;

attackTable({
  name: 'Standard Webhooks v1a',
  fields: { verify: { ...unchanged, ed25519: 'sha512', tagged: 'v1a' } },
  body,
  secrets: [
    ed25519Secret((raw) => `whpk_${raw.toString('base64')}`),
    ed25519Secret((raw, seed) => `whsk_${Buffer.concat([seed, raw]).toString('base64')}`),
    ed25519Secret((_, seed) => `whsk_${seed.toString('base64')}`),
  ],
  sign: ({ secret, body: payload, time }) => ({
    headers: {
      'webhook-id': id,
      'webhook-timestamp': time,
      'webhook-signature': `v1a,${signWith(null, Buffer.from(`${id}.${time}.${payload}`), secret).toString('base64')}`,
    },
    body: payload,
  }),
});
