// SendGrid's own checker, and its published example.

import assert from 'node:assert/strict';
import { createSign, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { EventWebhook } from '@sendgrid/eventwebhook';
import { type AttackSecret, attackTable, flipped } from '../support/attack-table.ts';
import { isAuthentic, receiveOf } from '../support/receiver.ts';

const verify = {
  ecdsa: 'sha256',
  header: 'X-Twilio-Email-Event-Webhook-Signature',
  encoding: 'base64',
  key: 'der',
  signs: '{timestamp}{body}',
  timestamp: { header: 'X-Twilio-Email-Event-Webhook-Timestamp' },
};

function headersOf(signature: string, time: string) {
  return {
    'X-Twilio-Email-Event-Webhook-Signature': signature,
    'X-Twilio-Email-Event-Webhook-Timestamp': time,
  };
}

const events = [
  {
    email: 'hello@world.com',
    event: 'dropped',
    reason: 'Bounced Address',
    sg_event_id: 'ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA',
    sg_message_id: 'LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0',
    'smtp-id': '<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>',
    timestamp: 1600112492,
  },
];
const body = `${JSON.stringify(events)}\r\n`;

test("lets in SendGrid's published example, whose body ends with a line break", async () => {
  // sendgrid/sendgrid-nodejs, packages/eventwebhook/src/eventwebhook.spec.js
  const key =
    'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==';
  const signature =
    'MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM=';
  const receive = receiveOf({ verify, secrets: [key] });
  const headers = headersOf(signature, '1600112502');
  assert.equal(await isAuthentic(receive, { headers, body }), true);
  assert.equal(await isAuthentic(receive, { headers, body: body.trimEnd() }), false);
  const pem = `-----BEGIN PUBLIC KEY-----\n${key}\n-----END PUBLIC KEY-----`;
  assert.equal(await isAuthentic(receiveOf({ verify, secrets: [pem] }), { headers, body }), true);
});

function keyPair(): AttackSecret {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    sender: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    receiver: publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
  };
}

const pairs = [keyPair(), keyPair(), keyPair()] as const;

function signatureOf(secret: string, signed: string): string {
  return createSign('sha256').update(signed).sign(secret, 'base64');
}

test('what we let in, the SDK lets in, and the other way round', async () => {
  const sdk = new EventWebhook();
  const [{ sender, receiver }] = pairs;
  const key = sdk.convertPublicKeyToECDSA(receiver);
  const receive = receiveOf({ verify, secrets: [receiver] });
  const time = '1600112502';
  const signature = signatureOf(sender, time + body);
  for (const sent of [body, body.trimEnd(), flipped(Buffer.from(body), 3).toString()]) {
    const ours = await isAuthentic(receive, { headers: headersOf(signature, time), body: sent });
    assert.equal(ours, sdk.verifySignature(key, sent, signature, time));
    assert.equal(ours, sent === body);
  }
});

attackTable({
  name: 'SendGrid',
  fields: { verify },
  body,
  secrets: pairs,
  sign: ({ secret, body: sent, time }) => ({
    headers: headersOf(signatureOf(secret, time + sent), time),
    body: sent,
  }),
});
