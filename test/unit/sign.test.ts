import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { signedHeaders } from '../../src/intake/sign.ts';
import { isCrossdockError } from '../../src/model/errors.ts';
import { receiveOf } from '../support/receiver.ts';

const fields = {
  verify: { hmac: 'sha256', header: 'X-Hub-Signature-256', encoding: 'hex', prefix: 'sha256=' },
  secrets: ["It's a Secret to Everybody", 'the one before'],
  topic: { header: ['X-GitHub-Event', 'X-Event'] },
  dedupe: { header: 'X-GitHub-Delivery' },
  occurredAt: { header: 'X-Sent-At' },
  shop: { header: 'X-Organisation' },
};
const github = receiveOf(fields);
const webhook = { topic: 'push', id: 'd-1', body: Buffer.from('Hello, World!') };

test("signs GitHub's published example as GitHub does", () => {
  // https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
  assert.equal(
    signedHeaders(github, webhook)['x-hub-signature-256'],
    'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
  );
});

test('puts topic, id, shop and time under the first header that is read, and nothing else', () => {
  const occurredAt = new Date('2026-11-22T09:30:00.250Z');
  const full = signedHeaders(github, { ...webhook, shop: 'octo', occurredAt });
  const { 'x-hub-signature-256': signature, ...rest } = full;
  assert.ok(signature);
  assert.deepEqual(rest, {
    'content-type': 'application/json',
    'x-github-event': 'push',
    'x-github-delivery': 'd-1',
    'x-organisation': 'octo',
    'x-sent-at': '2026-11-22T09:30:00.250Z',
  });
  assert.equal('x-organisation' in signedHeaders(github, webhook), false);
});

test('leaves out what the definition does not read from headers', () => {
  const receive = receiveOf({ verify: 'none', topic: { is: 'ping' } });
  const headers = signedHeaders(receive, { ...webhook, shop: 'octo', occurredAt: new Date(0) });
  assert.deepEqual(headers, { 'content-type': 'application/json' });
});

test('signs in every encoding and algorithm that verification knows', () => {
  for (const algorithm of ['sha1', 'sha256', 'sha512'] as const) {
    for (const encoding of ['hex', 'base64', 'base64url'] as const) {
      const verify = { hmac: algorithm, header: 'X-Sign', encoding };
      const body = Buffer.from([0, 255, 10, 13]);
      const headers = signedHeaders(receiveOf({ ...fields, verify }), { ...webhook, body });
      const expected = createHmac(algorithm, "It's a Secret to Everybody").update(body);
      assert.equal(headers['x-sign'], expected.digest(encoding), `${algorithm} ${encoding}`);
    }
  }
});

test('refuses to sign without a secret', () => {
  assert.throws(
    () => signedHeaders(receiveOf({ ...fields, secrets: [] }), webhook),
    (error) => isCrossdockError(error, 'usage'),
  );
});
