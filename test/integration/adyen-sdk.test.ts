// Adyen's own library as signer and checker, of both of its families of webhooks.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hmacValidator } from '@adyen/api-library';
import { attackTable, same } from '../support/attack-table.ts';
import { isAuthentic, receiveOf, verdictOf } from '../support/receiver.ts';

const sdk = new hmacValidator();
const keys = ['44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056', 'AB'.repeat(32)];
const secrets = [same(keys[0] ?? ''), same(keys[1] ?? ''), same('CD'.repeat(32))] as const;

const standard = {
  hmac: 'sha256',
  json: 'additionalData.hmacSignature',
  encoding: 'base64',
  key: 'hex',
  each: 'notificationItems[].NotificationRequestItem',
  signs:
    '{json:pspReference}:{json:originalReference}:{json:merchantAccountCode}:{json:merchantReference}:{json:amount.value}:{json:amount.currency}:{json:eventCode}:{json:success}',
};

type Item = Parameters<typeof sdk.validateHMAC>[0];

function itemOf(more: object = {}): Item {
  return {
    pspReference: '7914073381342284',
    merchantAccountCode: 'TestMerchant',
    merchantReference: 'TestPayment-1407325143704',
    amount: { value: 1130, currency: 'EUR' },
    eventCode: 'AUTHORISATION',
    eventDate: '2026-11-23T08:00:00+01:00',
    success: 'true',
    ...more,
  } as unknown as Item;
}

function signedItem(item: Item, key: string): object {
  const hmacSignature = sdk.calculateHmac(item, key);
  return { NotificationRequestItem: { ...item, additionalData: { hmacSignature } } };
}

function bodyOf(items: readonly object[]): string {
  return JSON.stringify({ live: 'false', notificationItems: items });
}

const receive = receiveOf({ verify: standard, secrets: keys });
const [key = ''] = keys;

test("lets in the example of Adyen's library", async () => {
  // Adyen/adyen-node-api-library, src/__tests__/hmacValidator.spec.ts
  const item = itemOf({ eventDate: undefined });
  const hmacSignature = 'coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0=';
  const body = bodyOf([
    { NotificationRequestItem: { ...item, additionalData: { hmacSignature } } },
  ]);
  assert.equal(sdk.calculateHmac(item, key), hmacSignature);
  assert.equal(await isAuthentic(receive, { body }), true);
});

const odd: Readonly<Record<string, object>> = {
  'a colon': { merchantReference: 'a:b' },
  'a backslash': { merchantReference: 'a\\b' },
  'letters beyond ASCII': { merchantReference: 'Größe 漢' },
  'an original reference': { originalReference: '8313547924770610' },
  'an amount that ends with zeros': { amount: { value: 1000, currency: 'JPY' } },
  'no amount worth naming': { amount: { value: 0, currency: 'EUR' } },
  'an empty reference': { merchantReference: '' },
};

for (const [name, more] of Object.entries(odd)) {
  test(`Adyen's library and ours sign the same text where an item holds ${name}`, async () => {
    const signed = signedItem(itemOf(more), key);
    assert.deepEqual(await verdictOf(receive, { body: bodyOf([signed]) }), {
      kind: 'authentic',
      secret: 1,
    });
  });
}

test('every item must be signed, whatever the others are', async () => {
  const one = signedItem(itemOf(), key);
  const two = signedItem(itemOf({ pspReference: '2' }), keys[1] ?? '');
  const unsigned = { NotificationRequestItem: itemOf({ pspReference: '3' }) };
  const theirs = signedItem(itemOf({ pspReference: '4' }), 'CD'.repeat(32));
  assert.equal(await isAuthentic(receive, { body: bodyOf([one, two]) }), true);
  const refusals: readonly (readonly [readonly object[], string])[] = [
    [[one, unsigned], 'signature-missing'],
    [[unsigned, one], 'signature-missing'],
    [[one, theirs], 'signature-wrong'],
    [[one, {}], 'signature-missing'],
    [[one, { Other: {} }], 'signature-missing'],
    [[], 'signature-missing'],
  ];
  for (const [items, code] of refusals) {
    const verdict = await verdictOf(receive, { body: bodyOf(items) });
    assert.equal(verdict.kind === 'refused' && verdict.code, code, JSON.stringify(items));
  }
  for (const body of ['', '[]', '{}', '{"notificationItems":{}}', 'no json', '[[[[']) {
    const verdict = await verdictOf(receive, { body });
    assert.equal(verdict.kind === 'refused' && verdict.code, 'signature-missing', body);
  }
});

attackTable({
  name: 'Adyen, signed by its library',
  fields: { verify: standard },
  body: bodyOf([]),
  secrets,
  sign: ({ secret }) => ({ body: bodyOf([signedItem(itemOf(), secret)]) }),
  tamper: (body) => body.replace('1130', '1131'),
});

for (const field of [
  'pspReference',
  'merchantAccountCode',
  'merchantReference',
  'eventCode',
  'success',
]) {
  test(`refuses an Adyen item whose ${field} was changed, as the library does`, async () => {
    const item = {
      ...itemOf(),
      additionalData: { hmacSignature: sdk.calculateHmac(itemOf(), key) },
    };
    const changed = { ...item, [field]: 'changed' } as unknown as Item;
    assert.equal(sdk.validateHMAC(changed, key), false);
    const body = bodyOf([{ NotificationRequestItem: changed }]);
    assert.equal(await isAuthentic(receive, { body }), false);
  });
}

attackTable({
  name: 'Adyen for platforms, signed by its library',
  fields: {
    verify: { hmac: 'sha256', header: 'HmacSignature', encoding: 'base64', key: 'hex' },
  },
  body: '{"data":{"balancePlatform":"YOUR_PLATFORM"},"type":"balancePlatform.accountHolder.created"}',
  secrets,
  sign: ({ secret, body }) => {
    const signature = sdk.calculateHmac(body, secret);
    assert.ok(secret === '' || sdk.validateHMACSignature(secret, signature, body));
    return { headers: { HmacSignature: signature }, body };
  },
});
