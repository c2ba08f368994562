// What a secret may be the key of.

import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { parseSecretKey } from '../../src/definitions/secret-key.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const bare = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64');
const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();

test('what is published is never the key of an HMAC: anybody could sign with it', () => {
  const privatePem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  for (const [secret, form] of [
    [`whpk_${bare}`, 'whsec'],
    [`whsk_${bare}`, 'whsec'],
    [pem, 'text'],
    [pem.replaceAll('\n', '\\n'), 'text'],
    [privatePem, 'text'],
  ] as const) {
    assert.throws(
      () => parseSecretKey(secret, form, 'hmac'),
      (error: Error) =>
        /one half of a key pair/.test(error.message) && !error.message.includes(bare),
    );
  }
});

test('the same texts are keys of Ed25519', () => {
  for (const [secret, form] of [
    [`whpk_${bare}`, 'whsec'],
    [bare, 'base64'],
    [pem, 'pem'],
    [pem.replaceAll('\n', '\\n'), 'pem'],
  ] as const) {
    assert.ok(parseSecretKey(secret, form, 'ed25519').equals(publicKey), form);
  }
});

test('a shared secret is the bytes that its form says', () => {
  const bytes = Buffer.from('0123456789abcdef');
  const expected = createHmac('sha256', bytes).update('x').digest('hex');
  for (const [secret, form] of [
    ['0123456789abcdef', 'text'],
    [bytes.toString('hex'), 'hex'],
    [bytes.toString('base64'), 'base64'],
    [`whsec_${bytes.toString('base64')}`, 'whsec'],
  ] as const) {
    const key = parseSecretKey(secret, form, 'hmac');
    assert.equal(createHmac('sha256', key).update('x').digest('hex'), expected, form);
  }
});
