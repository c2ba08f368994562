// Stripe's own SDK as the signer.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import Stripe from 'stripe';
import { attackTable, same } from '../support/attack-table.ts';
import { isAuthentic, receiveOf } from '../support/receiver.ts';

const { webhooks } = new Stripe('sk_test_none');
const body = '{\n  "id": "evt_1",\n  "object": "event",\n  "type": "charge.succeeded"\n}';

const verify = {
  hmac: 'sha256',
  header: 'Stripe-Signature',
  pairs: 'v1',
  encoding: 'hex',
  signs: '{timestamp}.{body}',
  timestamp: { pair: 't', tolerance: '300s' },
};

attackTable({
  name: 'Stripe, signed by its SDK',
  fields: { verify },
  body,
  secrets: [same('whsec_own1'), same('whsec_own2'), same('whsec_theirs')],
  sign: ({ secret, body: payload, time }) => ({
    headers: {
      'Stripe-Signature':
        // The SDK knows numbers only, and an empty secret only from us.
        /^\d+$/.test(time) && secret !== ''
          ? webhooks.generateTestHeaderString({ payload, secret, timestamp: Number(time) })
          : byHand(payload, secret, time),
    },
    body: payload,
  }),
});

function byHand(payload: string, secret: string, time: string): string {
  const signature = createHmac('sha256', secret).update(`${time}.${payload}`).digest('hex');
  return `t=${time},v1=${signature}`;
}

test('while Stripe rolls a secret it signs with both, and either one is enough', async () => {
  const timestamp = Math.floor(Date.now() / 1_000);
  const [one = '', two = ''] = ['whsec_new', 'whsec_old'].map((secret) =>
    webhooks.generateTestHeaderString({ payload: body, secret, timestamp }),
  );
  const both = `${one},${two.slice(two.indexOf('v1='))},v0=${'0'.repeat(64)}`;
  for (const secret of ['whsec_new', 'whsec_old']) {
    const headers = { 'Stripe-Signature': both };
    assert.equal(
      await isAuthentic(receiveOf({ verify, secrets: [secret] }), { headers, body }),
      true,
    );
    assert.ok(webhooks.constructEvent(body, both, secret));
  }
});

test('a signature of the scheme v0 alone, as Stripe sends for tests, is none', async () => {
  const header = webhooks.generateTestHeaderString({ payload: body, secret: 'whsec_new' });
  const headers = { 'Stripe-Signature': header.replace('v1=', 'v0=') };
  const receive = receiveOf({ verify, secrets: ['whsec_new'] });
  assert.equal(await isAuthentic(receive, { headers, body }), false);
});
