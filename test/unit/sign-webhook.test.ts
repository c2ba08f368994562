// What is signed is accepted by verification, for every way that can be signed; changed or old it is
// not. The official SDKs judge some of it as well.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { verify as verifyGithub } from '@octokit/webhooks-methods';
import fc from 'fast-check';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import Stripe from 'stripe';
import { Webhook } from 'svix';
import type { ReceiveDefinition } from '../../src/definitions/receive.ts';
import { identify } from '../../src/intake/identify.ts';
import { type OutgoingWebhook, signWebhook } from '../../src/intake/sign.ts';
import { toleranceOf } from '../../src/intake/sign-draft.ts';
import { createRequestReader } from '../../src/intake/webhook-request.ts';
import { isCrossdockError } from '../../src/model/errors.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { isAuthentic, receiveOf } from '../support/receiver.ts';

const pem = { type: 'pkcs8', format: 'pem' } as const;
const spki = { type: 'spki', format: 'pem' } as const;
const rsa = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: pem,
  publicKeyEncoding: spki,
});
const ec = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  privateKeyEncoding: pem,
  publicKeyEncoding: spki,
});
const ed = generateKeyPairSync('ed25519', { privateKeyEncoding: pem, publicKeyEncoding: spki });

interface Case {
  readonly verify: JsonObject;
  readonly more?: JsonObject;
  readonly secret?: string;
  readonly privateKey?: string;
  /** Where a changed body is not noticed. */
  readonly loose?: true;
}

const whsec = `whsec_${Buffer.from('a secret of 24 bytes ...').toString('base64')}`;
const stamp = { unit: 's', tolerance: '5m' };
const cases: Readonly<Record<string, Case>> = {
  'hmac in a header': { verify: { hmac: 'sha256', header: 'X-S', encoding: 'base64' } },
  'hmac with a prefix': {
    verify: { hmac: 'sha1', header: 'X-S', encoding: 'hex', prefix: 'sha1=' },
  },
  'hmac in the query': { verify: { hmac: 'sha512', query: 's', encoding: 'base64url' } },
  'hash with the secret': {
    verify: { hash: 'sha256', header: 'X-S', encoding: 'hex', signs: '{secret}{body}' },
  },
  pairs: {
    verify: {
      hmac: 'sha256',
      header: 'S',
      encoding: 'hex',
      pairs: 'v1',
      signs: '{timestamp}.{body}',
      timestamp: { pair: 't', ...stamp },
    },
  },
  tagged: {
    verify: {
      hmac: 'sha256',
      header: 'webhook-signature',
      encoding: 'base64',
      tagged: 'v1',
      key: 'whsec',
      signs: '{header:webhook-id}.{timestamp}.{body}',
      timestamp: { header: 'webhook-timestamp', ...stamp },
    },
    more: { dedupe: { header: 'webhook-id' } },
    secret: whsec,
  },
  'time in ms': {
    verify: {
      hmac: 'sha256',
      header: 'S',
      encoding: 'hex',
      signs: '{method}{url}{body}{timestamp}',
      timestamp: { header: 'T', unit: 'ms', tolerance: '5m' },
    },
    more: { url: 'https://hub.example/webhooks/one' },
  },
  'fields of the body': {
    verify: {
      hmac: 'sha256',
      json: 'signature.sign',
      encoding: 'hex',
      signs: '{timestamp}{json:signature.token}',
      timestamp: { json: 'signature.timestamp', ...stamp },
    },
    more: { topic: { json: 'event' }, dedupe: { json: 'signature.token' } },
    loose: true,
  },
  'sorted form': {
    verify: { hmac: 'sha1', header: 'S', encoding: 'base64', signs: '{url}{form.sorted}' },
    more: { url: 'https://hub.example/x', topic: { form: 'type' }, dedupe: { form: 'sid' } },
  },
  'every element': {
    verify: {
      hmac: 'sha256',
      json: 'extra.sign',
      encoding: 'base64',
      signs: '{json:id}:{json:code}',
      each: 'items[].one',
    },
    more: { split: 'items[].one', topic: { json: 'code' }, dedupe: { json: 'id' } },
    loose: true,
  },
  'a batch': {
    verify: { hmac: 'sha256', header: 'S', encoding: 'hex' },
    more: { split: '[]', topic: { json: 'type' }, dedupe: { json: 'id' } },
  },
  rsa: {
    verify: { rsa: 'sha256', header: 'S', encoding: 'base64', key: 'pem' },
    secret: rsa.publicKey,
    privateKey: rsa.privateKey,
  },
  ecdsa: {
    verify: {
      ecdsa: 'sha256',
      header: 'S',
      encoding: 'base64',
      key: 'pem',
      signs: '{timestamp}{body}',
      timestamp: { header: 'T', ...stamp },
    },
    secret: ec.publicKey,
    privateKey: ec.privateKey,
  },
  ed25519: {
    verify: { ed25519: true, header: 'S', encoding: 'hex', key: 'pem' },
    secret: ed.privateKey,
  },
  token: { verify: { token: { header: 'authorization', prefix: 'Bearer ' } }, loose: true },
  basic: { verify: 'basic' as unknown as JsonObject, secret: 'user:pass', loose: true },
  'any of two': {
    verify: {
      any: [
        {
          rsa: 'sha256',
          header: 'R',
          encoding: 'base64',
          key: { fetch: 'x509', at: { header: 'U' }, hosts: ['*.example.com'] },
        },
        { hmac: 'sha256', header: 'S', encoding: 'hex' },
      ],
    },
  },
};

const webhook = (body: string): OutgoingWebhook => ({
  topic: 'order',
  id: 'm-1',
  occurredAt: new Date(),
  body: Buffer.from(body),
});

function receiverFor({ verify, more = {}, secret = 'a secret' }: Case): ReceiveDefinition {
  return receiveOf({ topic: { header: 'X-Topic' }, verify, secrets: [secret], ...more });
}

for (const [name, one] of Object.entries(cases)) {
  test(`${name}: accepted as signed, refused changed or old`, async () => {
    const receive = receiverFor(one);
    const key = one.privateKey === undefined ? {} : { privateKey: one.privateKey };
    const options = { path: '/webhooks/one', ...key };
    const property = fc.asyncProperty(fc.string(), fc.integer(), async (text, number) => {
      const body = JSON.stringify({ text, n: number, big: 1 });
      const signed = signWebhook(receive, webhook(body), options);
      assert.ok(await isAuthentic(receive, signed), 'as signed');
      if (one.loose !== true) {
        const changed = Buffer.from(signed.body);
        changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
        assert.equal(await isAuthentic(receive, { ...signed, body: changed }), false, 'changed');
      }
    });
    await fc.assert(property, { numRuns: 15 });
    const toleranceMs = toleranceOf(receive.verify);
    if (toleranceMs === undefined) return;
    const nowMs = Date.now() - toleranceMs - 60_000;
    const old = signWebhook(receive, webhook('{"a":1}'), { ...options, nowMs });
    assert.equal(await isAuthentic(receive, old), false, 'old');
    assert.ok(await isAuthentic(receive, old, { nowMs }), 'in its time');
  });
}

test('what the receiver reads out of the body is set there, and the rest stays as written', () => {
  const receive = receiveOf({
    verify: 'none',
    topic: { template: '{header:X-Event}[.{json:action}]' },
    dedupe: { json: 'meta.id' },
    occurredAt: { json: 'at' },
  });
  const body = '{ "n": 1.50, "big": 12345678901234567890,\n "action": "x", "at": 1700000000 }';
  const signed = signWebhook(receive, {
    topic: 'issues.opened',
    id: 'i-7',
    occurredAt: new Date(1_800_000_000_000),
    body: Buffer.from(body),
  });
  assert.equal(signed.headers['x-event'], 'issues');
  assert.equal(
    signed.body.toString(),
    '{"meta":{"id":"i-7"}, "n": 1.50, "big": 12345678901234567890,\n "action": "opened", "at": 1800000000 }',
  );
  const request = { ...signed, repeated: new Set<string>() };
  const identity = identify(receive, createRequestReader(request), { bytes: signed.body });
  assert.deepEqual([identity.topic, identity.dedupeKey], ['issues.opened', 'i-7']);
});

test('the second family of headers is used throughout', () => {
  const receive = receiveOf({
    verify: { hmac: 'sha256', header: ['X-S', 's'], encoding: 'hex' },
    secrets: ['k'],
    topic: { header: ['X-T', 't'] },
    dedupe: { header: 'id' },
  });
  const { headers } = signWebhook(receive, webhook('{}'), { family: 1 });
  assert.deepEqual(Object.keys(headers).sort(), ['content-type', 'id', 's', 't']);
});

test('what only the vendor can sign is refused with what to do instead', () => {
  const verify = { rsa: 'sha256', header: 'S', encoding: 'base64', key: 'pem' };
  const receive = receiveOf({ verify, secrets: [rsa.publicKey] });
  assert.throws(
    () => signWebhook(receive, webhook('{}')),
    (error) => isCrossdockError(error, 'usage') && /--private-key/.test(String(error.todo)),
  );
});

test('the SDKs of Stripe, Svix, Standard Webhooks and GitHub accept what is signed', async () => {
  const paid = '{"id":"evt_1","object":"event","type":"order"}';
  const stripe = signWebhook(
    receiverFor({
      ...cases['pairs'],
      verify: { ...cases['pairs']?.verify, header: 'stripe-signature' },
    }),
    webhook(paid),
  );
  const { webhooks } = new Stripe('sk_test_none');
  const header = stripe.headers['stripe-signature'] ?? '';
  assert.equal(webhooks.constructEvent(stripe.body, header, 'a secret').id, 'evt_1');
  const standard = signWebhook(receiverFor(cases['tagged'] as Case), webhook(paid));
  assert.ok(new StandardWebhook(whsec).verify(standard.body.toString(), { ...standard.headers }));
  const names = Object.entries(standard.headers).map(([name, value]) => [
    name.replace('webhook-', 'svix-'),
    value,
  ]);
  assert.ok(new Webhook(whsec).verify(standard.body, Object.fromEntries(names)));
  const github = {
    hmac: 'sha256',
    header: 'x-hub-signature-256',
    encoding: 'hex',
    prefix: 'sha256=',
  };
  const pushed = signWebhook(receiverFor({ verify: github }), webhook(paid));
  assert.ok(await verifyGithub('a secret', paid, pushed.headers['x-hub-signature-256'] ?? ''));
});
