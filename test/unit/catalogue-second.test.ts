// The second half of the catalogue: ERP systems, shipping, loyalty, the clouds and the generic
// senders. What each of them sends, made here by its own recipe, passes its entry and no other way.

import assert from 'node:assert/strict';
import { createHash, createHmac, generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connectorKinds } from '../../src/connectors/kinds.ts';
import type { ReceiveDefinition } from '../../src/definitions/receive.ts';
import { identify } from '../../src/intake/identify.ts';
import { createRequestReader } from '../../src/intake/webhook-request.ts';
import { entryOf, loadEntry, part, verifyOf } from '../support/catalogue-entry.ts';
import { catalogFolder, errorsOf, loadFiles } from '../support/definition-project.ts';
import { requestOf, type TestRequest, verdictOf } from '../support/receiver.ts';
import {
  hmac,
  KEY,
  now,
  nowMs,
  publicKey,
  type Recipe,
  recipes,
  SECRET,
  seconds,
} from '../support/sender-recipes.ts';

const entries = [
  'odoo',
  'frappe',
  'business-central',
  'netsuite',
  'xero',
  'quickbooks',
  'shipstation',
  'easypost',
  'loyaltylion',
  'smile',
  'yotpo',
  'recharge',
  'pubsub',
  'eventarc',
  'sns',
  'event-grid',
  'cloudevents',
  'standard-webhooks',
  'svix',
  'generic-hmac',
  'generic-basic',
  'generic-token',
  'generic-jwt',
];

test('every entry tells what operators ask, and lets nobody in unverified', () => {
  for (const name of entries) {
    const entry = entryOf(name);
    assert.ok(verifyOf(entry) !== undefined && verifyOf(entry) !== 'none', name);
    assert.match(String(entry['setup']), /https:\/\/<your hub>\/webhooks\/<connector>/, name);
    assert.ok(Array.isArray(entry['troubleshooting']), name);
    assert.ok(Object.keys(part(entry['samples'])).length > 0, name);
    const facts = part(entry['facts']);
    const wanted = ['success', 'timeout', 'retries', 'givesUp', 'badSignature'];
    for (const fact of [...wanted, 'rotation', 'dedupe', 'unverified']) {
      assert.ok(facts[fact], `${name}: facts.${fact}`);
    }
  }
});

for (const [index, recipe] of recipes.entries()) {
  const { entry, sample } = recipe;
  test(`${entry} takes what is sent with ${sample}, by recipe ${index + 1}`, async () => {
    const receive = await receiveOf(recipe);
    const body = readFileSync(join(catalogFolder, 'samples', entry, `${sample}.json`), 'utf8');
    const sent = { ...recipe.sent(body), body };
    const kindOf = async (request: TestRequest) =>
      (await verdictOf(receive, request, { nowMs })).kind;
    assert.equal((await verdictOf(receive, sent, { nowMs })).kind, 'authentic');
    if (recipe.anyBody === undefined) {
      assert.equal(await kindOf({ ...sent, body: body.replace('2026', '2027') }), 'refused');
    }
    assert.equal(await kindOf({ body: body.replace('the-text-of', 'a-guess-at') }), 'refused');
    const other = await receiveOf({ ...recipe, ...otherKeys(recipe) });
    assert.equal((await verdictOf(other, sent, { nowMs })).kind, 'refused');
  });
}

/** What fits as a key and is another one. */
function otherKeys({ secret, settings }: Recipe): Pick<Recipe, 'secret' | 'settings'> {
  const key = Buffer.alloc(32, 8).toString('base64');
  if (secret?.startsWith('whsec_') === true) return { secret: `whsec_${key}` };
  if (settings?.['publicKey']?.startsWith('whpk_') === true) {
    const { publicKey: other } = generateKeyPairSync('ed25519');
    const bytes = other.export({ type: 'spki', format: 'der' }).subarray(-32);
    return { secret: '', settings: { publicKey: `whpk_${bytes.toString('base64')}` } };
  }
  if (settings?.['publicKey'] !== undefined) {
    const { publicKey: other } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    return {
      secret: '',
      settings: { publicKey: String(other.export({ type: 'spki', format: 'pem' })) },
    };
  }
  const more = settings === undefined ? {} : { settings };
  return { secret: secret === undefined ? 'another long secret' : `x${secret}`, ...more };
}

async function receiveOf({ entry, secret = SECRET, settings }: Recipe): Promise<ReceiveDefinition> {
  if (settings === undefined) {
    const { receive } = await loadEntry(entry, secret);
    assert.ok(receive !== undefined);
    return receive;
  }
  const { receive, errors } = await loadWith(entry, { secret, settings });
  assert.deepEqual(errors, []);
  assert.ok(receive !== undefined);
  return receive;
}

async function loadWith(
  entry: string,
  given: { readonly secret: string; readonly settings: Readonly<Record<string, string>> },
) {
  const environment = Object.fromEntries(
    Object.entries(given.settings).map(([name, value]) => [`SETTING_${name}`, value]),
  );
  const settings = Object.keys(given.settings).map((name) => `  ${name}: "\${SETTING_${name}}"\n`);
  const text = [
    `uses: ${entry}\n`,
    ...(settings.length === 0 ? [] : ['settings:\n', ...settings]),
    'receive: { secrets: ["',
    '$',
    '{THE_SECRET:}"] }\n',
  ].join('');
  const result = await loadFiles(
    { 'connectors/one.yaml': text },
    { kinds: [...connectorKinds], environment: { ...environment, THE_SECRET: given.secret } },
  );
  const receive = result.definitions?.connectors.get('one')?.receive;
  return { errors: errorsOf(result), receive };
}

test('of two ways one may go without its secret, both may not', async () => {
  for (const entry of ['standard-webhooks', 'shipstation']) {
    const { errors } = await loadWith(entry, { secret: '', settings: {} });
    assert.ok(errors.length > 0, entry);
    assert.ok(
      errors.every((line) => line.includes('secret-missing')),
      entry,
    );
    const { receive } = await loadWith(entry, { secret: KEY, settings: {} });
    assert.ok(receive?.verify?.kind === 'any' && receive.verify.of.length === 1, entry);
  }
});

test('a public key never serves as the secret of an HMAC', async () => {
  const whpk = `whpk_${publicKey.toString('base64')}`;
  const settings = { publicKey: whpk };
  const receive = await receiveOf({
    entry: 'standard-webhooks',
    sample: '',
    secret: '',
    settings,
    sent: () => ({}),
  });
  const body = '{"type":"contact.created"}';
  const forged = createHmac('sha256', publicKey).update(`msg_1.${seconds}.${body}`);
  const signature = forged.digest('base64');
  for (const tag of ['v1', 'v1a']) {
    const headers = {
      'webhook-id': 'msg_1',
      'webhook-timestamp': seconds,
      'webhook-signature': `${tag},${signature}`,
    };
    assert.equal((await verdictOf(receive, { headers, body }, { nowMs })).kind, 'refused');
  }
});

test('easypost: what is moved from the body into the path is refused', async () => {
  const settings = { path: '/webhooks/easypost' };
  const receive = await receiveOf({ entry: 'easypost', sample: '', settings, sent: () => ({}) });
  const time = now.toUTCString();
  const signature = `hmac-sha256-hex=${hmac('hex', time, 'POST', '/webhooks/easypost', '[{"id":1}')}`;
  const headers = { 'X-Timestamp': time, 'X-Hmac-Signature-V2': signature };
  const moved = { ...headers, 'X-Path': '/webhooks/easypost[' };
  const plain = { ...headers, 'X-Path': '/webhooks/easypost' };
  assert.equal(
    (await verdictOf(receive, { headers: moved, body: '{"id":1}' }, { nowMs })).kind,
    'refused',
  );
  assert.equal(
    (await verdictOf(receive, { headers: plain, body: '[{"id":1}' }, { nowMs })).kind,
    'authentic',
  );
});

test('recharge: the older signature, which can be continued by a stranger, is not taken', async () => {
  const { receive } = await loadEntry('recharge', SECRET);
  assert.ok(receive !== undefined);
  const body = '{"charge":{"id":1}}';
  const headers = {
    'X-Recharge-Hmac-Sha256': createHash('sha256')
      .update(SECRET + body)
      .digest('hex'),
  };
  assert.equal((await verdictOf(receive, { headers, body })).kind, 'refused');
});

test('a CloudEvent has one id in its binary and in its structured form', async () => {
  const { receive } = await loadEntry('cloudevents', SECRET);
  assert.ok(receive !== undefined);
  const of = (request: TestRequest) =>
    identify(receive, createRequestReader(requestOf(request)), {
      bytes: Buffer.from(request.body ?? ''),
    });
  const headers = {
    'ce-id': '1',
    'ce-source': '/shop',
    'ce-type': 'order',
    'ce-time': '2026-11-22T14:30:00Z',
  };
  const binary = of({ headers, body: '{"total":1}' });
  const body =
    '{"id":"1","source":"/shop","type":"order","time":"2026-11-22T14:30:00Z","data":{"total":1}}';
  const structured = of({ body });
  assert.equal(binary.dedupeKey, '/shop#1');
  for (const field of ['topic', 'dedupeKey', 'shop', 'occurredAt'] as const) {
    assert.deepEqual(binary[field], structured[field], field);
  }
});

test('volusion says how it is read, and takes no webhooks', () => {
  const entry = entryOf('volusion');
  assert.match(String(entry['setup']), /no webhooks/);
  assert.ok(part(entry['facts'])['unverified']);
});
