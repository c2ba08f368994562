// A key of one's own for vendors that publish theirs: what it signs is accepted where it is named, and
// nowhere else.

import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLocalJWKSet } from 'jose';
import { devKeyAddress, withDevKey } from '../../src/intake/dev-key.ts';
import { identify } from '../../src/intake/identify.ts';
import { KeyUnavailable } from '../../src/intake/key-unavailable.ts';
import type { PublishedKeys } from '../../src/intake/published-keys.ts';
import { signWebhook } from '../../src/intake/sign.ts';
import { fetchesKeys } from '../../src/intake/ways.ts';
import { newId } from '../../src/model/ids.ts';
import { entryNames, entryOf, loadEntry, part } from '../support/catalogue-entry.ts';
import { catalogFolder } from '../support/definition-project.ts';
import { readerOf, receiveOf, verdictOf } from '../support/receiver.ts';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const publicKey = createPublicKey(privateKey);
const otherKey = generateKeyPairSync('rsa', { modulusLength: 2_048 }).publicKey;

/** Vendors that cannot be reached, or have other keys. */
const vendors: PublishedKeys = {
  publicKey: () => Promise.reject(new KeyUnavailable('address-not-allowed')),
  keySet: async () => createLocalJWKSet({ keys: [] }),
};

test('every entry whose vendor publishes its key can be sent, and is accepted with that key only', async () => {
  const tried: string[] = [];
  for (const name of entryNames) {
    const { receive } = await loadEntry(name);
    if (receive === undefined || !fetchesKeys(receive.verify)) continue;
    tried.push(name);
    for (const [topic, file] of Object.entries(part(entryOf(name)['samples']))) {
      const body = readFileSync(join(catalogFolder, String(file)));
      const webhook = { topic, id: newId(), occurredAt: new Date(), body };
      assert.throws(() => signWebhook(receive, webhook), /nobody but the vendor can/, name);
      const signed = signWebhook(receive, webhook, { devKey: privateKey });
      const verdict = async (keys: PublishedKeys): Promise<string> =>
        (await verdictOf(receive, signed, { keys })).kind;
      assert.equal(await verdict(withDevKey(vendors, publicKey)), 'authentic', `${name} ${topic}`);
      assert.equal(await verdict(vendors), 'refused', name);
      assert.equal(await verdict(withDevKey(vendors, otherKey)), 'refused');
    }
  }
  assert.deepEqual(tried, ['adobe-io', 'eventarc', 'generic-jwt', 'paypal', 'pubsub', 'sns']);
});

test('it is found at its own address, and every other one is asked of the vendor', async () => {
  const asked: string[] = [];
  const keys = withDevKey(
    {
      publicKey: async ({ url }) => {
        asked.push(url);
        return otherKey;
      },
      keySet: vendors.keySet,
    },
    publicKey,
  );
  const hosts = ['*.vendor.example'];
  const address = devKeyAddress({ hosts });
  assert.equal(address, 'https://xx-crossdock-1.vendor.example/crossdock-dev.pem');
  assert.equal(
    devKeyAddress({ hosts: ['keys.example'], base: 'https://keys.example' }),
    '/crossdock-dev.pem',
  );
  const find = (url: string) => keys.publicKey({ url, hosts, form: 'pem', cacheMs: 1 });
  assert.equal(await find(address), publicKey);
  for (const url of [
    'https://xx-crossdock-1.vendor.example/key.pem',
    'https://evil.example/crossdock-dev.pem',
    'http://crossdock-dev.vendor.example/crossdock-dev.pem',
  ]) {
    assert.equal(await find(url), otherKey);
  }
  assert.equal(asked.length, 3);
});

test('an id that is made of parts is another one each time', async () => {
  const receive = receiveOf({
    verify: 'none',
    topic: { header: 'ce-type' },
    dedupe: { template: '{header:ce-source}#{header:ce-id}' },
  });
  const idOf = (id: string): string | undefined => {
    const signed = signWebhook(receive, { topic: 't', id, body: Buffer.from('{}') });
    return identify(receive, readerOf(receive, signed), { bytes: signed.body }).dedupeKey;
  };
  assert.equal(idOf('one'), 'crossdock-send#one');
  assert.notEqual(idOf('one'), idOf('two'));
});
