import assert from 'node:assert/strict';
import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createRequire } from 'node:module';
import { after, before, beforeEach, test } from 'node:test';
import { crc32 } from 'node:zlib';
import type { PublishedKeys } from '../../src/intake/published-keys.ts';
import { type KeyServer, keysFrom, signer, startKeyServer } from '../support/key-server.ts';
import { receiveOf, type TestRequest, verdictOf } from '../support/receiver.ts';

interface SignatureUtils {
  readonly exportFunctions: {
    verifySignature(
      signatures: readonly string[],
      payload: string,
      publicKeys: readonly string[],
      clientId: string,
    ): Promise<boolean | undefined>;
  };
}

const { exportFunctions: adobe } = createRequire(import.meta.url)(
  '@adobe/aio-lib-events/src/signatureUtils.js',
) as SignatureUtils;

let server: KeyServer;
let keys: PublishedKeys;

before(async () => {
  server = await startKeyServer();
});
beforeEach(() => {
  server.answer(signer.certificate);
  keys = keysFrom(server.agent);
});
after(() => server.close());

async function codeOf(receive: Parameters<typeof verdictOf>[0], request: TestRequest) {
  const verdict = await verdictOf(receive, request, { keys });
  return verdict.kind === 'refused' ? verdict.code : verdict;
}

function sign(text: string | Buffer, key: string | KeyObject = signer.privateKey): string {
  return createSign('sha256').update(text).sign(key, 'base64');
}

// https://developer.paypal.com/api/rest/webhooks/rest/#verify-webhook-signature
const paypal = receiveOf({
  verify: {
    rsa: 'sha256',
    header: 'PAYPAL-TRANSMISSION-SIG',
    encoding: 'base64',
    signs: '{header:PAYPAL-TRANSMISSION-ID}|{timestamp}|{secret}|{body.crc32}',
    timestamp: { header: 'PAYPAL-TRANSMISSION-TIME', unit: 'iso' },
    key: {
      fetch: 'x509',
      at: { header: 'PAYPAL-CERT-URL' },
      hosts: ['*.paypal.com', '*.sandbox.paypal.com'],
    },
    equal: [['{header:PAYPAL-AUTH-ALGO}', 'SHA256withRSA']],
  },
  secrets: ['WH-0001', 'WH-0002'],
});

function fromPaypal(webhookId = 'WH-0002', more: Readonly<Record<string, string>> = {}) {
  const body = '{"id":"WH-2WR","event_type":"PAYMENT.CAPTURE.COMPLETED","amount":"10.00"}';
  const time = '2026-11-20T10:00:00Z';
  return {
    body,
    headers: {
      'PAYPAL-TRANSMISSION-ID': 'b2f1',
      'PAYPAL-TRANSMISSION-TIME': time,
      'PAYPAL-TRANSMISSION-SIG': sign(`b2f1|${time}|${webhookId}|${crc32(body)}`),
      'PAYPAL-CERT-URL': 'https://api.paypal.com/v1/notifications/certs/CERT-1',
      'PAYPAL-AUTH-ALGO': 'SHA256withRSA',
      ...more,
    },
  };
}

test('PayPal: the certificate that the request names, the webhook id as the secret', async () => {
  assert.deepEqual(await codeOf(paypal, fromPaypal('WH-0001')), { kind: 'authentic', secret: 1 });
  assert.deepEqual(await codeOf(paypal, fromPaypal('WH-0002')), { kind: 'authentic', secret: 2 });
});

test('PayPal: each part that is signed counts', async () => {
  const good = fromPaypal();
  assert.equal(await codeOf(paypal, fromPaypal('WH-9999')), 'signature-wrong');
  assert.equal(await codeOf(paypal, { ...good, body: `${good.body} ` }), 'signature-wrong');
  for (const [name, value, code] of [
    ['PAYPAL-TRANSMISSION-ID', 'b2f2', 'signature-wrong'],
    ['PAYPAL-TRANSMISSION-TIME', '2026-11-20T10:00:01Z', 'signature-wrong'],
    ['PAYPAL-TRANSMISSION-TIME', '', 'timestamp-missing'],
    ['PAYPAL-AUTH-ALGO', 'SHA1withRSA', 'not-equal'],
    ['PAYPAL-TRANSMISSION-SIG', '', 'signature-missing'],
    ['PAYPAL-TRANSMISSION-SIG', '%%', 'signature-unreadable'],
    [
      'PAYPAL-TRANSMISSION-SIG',
      good.headers['PAYPAL-TRANSMISSION-SIG'].slice(0, -4),
      'signature-wrong',
    ],
    ['PAYPAL-CERT-URL', 'https://api.paypal.com.evil.example/c', 'key-not-allowed'],
    ['PAYPAL-CERT-URL', '', 'key-not-allowed'],
  ] as const) {
    assert.equal(await codeOf(paypal, fromPaypal('WH-0002', { [name]: value })), code, name);
  }
});

test('a signature header that came twice is refused before any key is fetched', async () => {
  const before = server.asked.length;
  const request = { ...fromPaypal(), repeated: ['paypal-transmission-sig'] };
  assert.equal(await codeOf(paypal, request), 'signature-repeated');
  assert.equal(server.asked.length, before);
});

test('a key that cannot be had is told apart from a wrong signature', async () => {
  server.answer((_request, response) => response.writeHead(503).end());
  assert.equal(await codeOf(paypal, fromPaypal()), 'key-unavailable');
});

test('a key of another kind verifies nothing', async () => {
  const { publicKey } = generateKeyPairSync('ed25519');
  server.answer(publicKey.export({ type: 'spki', format: 'pem' }).toString());
  const verify = { rsa: 'sha256', header: 'S', encoding: 'base64' };
  const key = { fetch: 'pem', at: { header: 'K' }, hosts: ['keys.vendor.example'] };
  const request = { headers: { S: sign('x'), K: 'https://keys.vendor.example/1' }, body: 'x' };
  const receive = receiveOf({ verify: { ...verify, key } });
  assert.equal(await codeOf(receive, request), 'key-unavailable');
});

// https://developer.adobe.com/events/docs/guides/#security-considerations
const io = receiveOf({
  verify: {
    rsa: 'sha256',
    header: ['x-adobe-digital-signature-1', 'x-adobe-digital-signature-2'],
    encoding: 'base64',
    key: {
      fetch: 'pem',
      at: { header: ['x-adobe-public-key1-path', 'x-adobe-public-key2-path'] },
      base: 'https://static.adobeioevents.com',
      hosts: ['static.adobeioevents.com'],
    },
    equal: [['{json:recipient_client_id}', 'client-1']],
  },
});
const pairs = [1, 2].map(() => generateKeyPairSync('rsa', { modulusLength: 2_048 }));
const pems = pairs.map(
  ({ publicKey }) => publicKey.export({ type: 'spki', format: 'pem' }) as string,
);
const adobeBody = '{"recipient_client_id":"client-1","event_id":"e-1"}';
const [signature1 = '', signature2 = ''] = pairs.map((pair) => sign(adobeBody, pair.privateKey));
const broken = `${signature1.startsWith('A') ? 'B' : 'A'}${signature1.slice(1)}`;

function fromAdobe(headers: Readonly<Record<string, string>> = {}, body = adobeBody) {
  server.answer((request, response) => {
    const index = /^\/prod\/keys\/pub-key-([12])\.pem$/.exec(request.url ?? '')?.[1];
    if (index === undefined) response.writeHead(403).end();
    else response.end(pems[Number(index) - 1]);
  });
  return {
    body,
    headers: {
      'x-adobe-digital-signature-1': signature1,
      'x-adobe-digital-signature-2': signature2,
      'x-adobe-public-key1-path': '/prod/keys/pub-key-1.pem',
      'x-adobe-public-key2-path': '/prod/keys/pub-key-2.pem',
      ...headers,
    },
  };
}

test("Adobe I/O: either of two signatures, as Adobe's own code has it", async () => {
  for (const [one, two, expected] of [
    [signature1, signature2, true],
    [broken, signature2, true],
    [signature1, broken, true],
    [broken, broken, false],
    [signature2, signature1, false],
  ] as const) {
    const request = fromAdobe({
      'x-adobe-digital-signature-1': one,
      'x-adobe-digital-signature-2': two,
    });
    const theirs = await adobe.verifySignature([one, two], adobeBody, pems, 'client-1');
    assert.equal(theirs ?? false, expected);
    const ours = await codeOf(io, request);
    assert.deepEqual(ours, expected ? { kind: 'authentic' } : 'signature-wrong');
  }
});

test('Adobe I/O: one signature alone is enough, none is missing', async () => {
  const one = fromAdobe({ 'x-adobe-digital-signature-1': '', 'x-adobe-public-key1-path': '' });
  assert.deepEqual(await codeOf(io, one), { kind: 'authentic' });
  const none = { 'x-adobe-digital-signature-1': '', 'x-adobe-digital-signature-2': '' };
  assert.equal(await codeOf(io, fromAdobe(none)), 'signature-missing');
});

test('Adobe I/O: a path leads nowhere but to the host that is named', async () => {
  const before = server.asked.length;
  for (const path of [
    '@evil.example/k.pem',
    '.evil.example/k.pem',
    '//evil.example',
    ':444/k',
    '',
  ]) {
    const names = { 'x-adobe-public-key1-path': path, 'x-adobe-public-key2-path': path };
    const code = await codeOf(io, fromAdobe(names));
    if (path !== '//evil.example') assert.equal(code, 'key-not-allowed', path);
    else assert.equal(code, 'key-unavailable');
  }
  const asked = server.asked.slice(before);
  assert.ok(asked.every((one) => one.startsWith('static.adobeioevents.com/')));
});

test('Adobe I/O: one key that is away leaves the other to decide', async () => {
  const away = { 'x-adobe-public-key1-path': '/prod/keys/gone.pem' };
  assert.deepEqual(await codeOf(io, fromAdobe(away)), { kind: 'authentic' });
  const wrong = { ...away, 'x-adobe-digital-signature-2': broken };
  assert.equal(await codeOf(io, fromAdobe(wrong)), 'key-unavailable');
});

test('Adobe I/O: the event must be for this client', async () => {
  const body = adobeBody.replace('client-1', 'client-2');
  const signature = sign(body, pairs[0]?.privateKey);
  const request = fromAdobe({ 'x-adobe-digital-signature-1': signature }, body);
  assert.equal(await codeOf(io, request), 'not-equal');
});
