// GitHub's own packages as signer, checker and source of payloads.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { sign, verify as theirVerify } from '@octokit/webhooks-methods';
import { attackTable, flipped } from '../support/attack-table.ts';
import { isAuthentic, receiveOf, verdictOf } from '../support/receiver.ts';

interface Example {
  readonly name: string;
  readonly examples: readonly object[];
}

const load = createRequire(import.meta.url);
const recorded = load('@octokit/webhooks-examples') as readonly Example[];
const payloads = recorded.flatMap(({ examples }) => examples.map((one) => JSON.stringify(one)));

const header = 'X-Hub-Signature-256';
const verify = { hmac: 'sha256', header, encoding: 'hex', prefix: 'sha256=' };
const secret = "It's a Secret to Everybody";
const receive = receiveOf({ verify, secrets: [secret] });

test("lets in GitHub's published example", async () => {
  // https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
  const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
  const request = { headers: { [header]: signature }, body: 'Hello, World!' };
  assert.equal(await isAuthentic(receive, request), true);
});

test('lets in every payload that octokit publishes, as octokit signs it', async () => {
  assert.equal(payloads.length, 329);
  for (const body of payloads) {
    const headers = { [header]: await sign(secret, body) };
    assert.deepEqual(await verdictOf(receive, { headers, body }), { kind: 'authentic', secret: 1 });
  }
});

test('refuses each of these payloads with one bit flipped, as octokit does', async () => {
  for (const [index, body] of payloads.entries()) {
    const signature = await sign(secret, body);
    const changed = flipped(Buffer.from(body), (index * 7919) % body.length);
    assert.equal(await theirVerify(secret, changed.toString(), signature), false);
    const request = { headers: { [header]: signature }, body: changed };
    assert.equal(await isAuthentic(receive, request), false);
  }
});

test('what we let in, octokit lets in, and the other way round', async () => {
  const [body = ''] = payloads;
  const right = await sign(secret, body);
  const signatures = [
    right,
    right.toUpperCase(),
    right.slice(7),
    `sha1=${right.slice(7)}`,
    `${right}00`,
  ];
  for (const signature of signatures) {
    const ours = await isAuthentic(receive, { headers: { [header]: signature }, body });
    assert.equal(ours, await theirVerify(secret, body, signature), signature.slice(0, 10));
  }
});

attackTable({
  name: 'GitHub',
  fields: { verify },
  body: payloads[0] ?? '',
  sign: ({ secret: key, body }) => ({
    headers: { [header]: `sha256=${createHmac('sha256', key).update(body).digest('hex')}` },
    body,
  }),
});
