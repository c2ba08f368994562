import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { after, before, beforeEach, test } from 'node:test';
import { KeyUnavailable } from '../../src/intake/key-unavailable.ts';
import { createPublishedKeys, type PublishedKeys } from '../../src/intake/published-keys.ts';
import {
  type KeyServer,
  keysFrom,
  signer,
  silentLog,
  startKeyServer,
} from '../support/key-server.ts';
import { waitUntil } from '../support/wait-until.ts';

let server: KeyServer;
let nowMs: number;
let keys: PublishedKeys;

before(async () => {
  server = await startKeyServer();
});
beforeEach(() => {
  server.answer(signer.certificate);
  nowMs = Date.parse('2026-11-01T00:00:00Z');
  keys = keysFrom(server.agent, () => nowMs);
});
after(() => server.close());

const HOUR_MS = 3_600_000;
const hosts = ['*.vendor.example'];
let paths = 0;

/** An address that nobody has asked for yet. */
function newUrl(): string {
  paths += 1;
  return `https://keys.vendor.example/${paths}.pem`;
}

function x509(url: string) {
  return keys.publicKey({ url, form: 'x509', hosts, cacheMs: HOUR_MS });
}

function pem(url: string) {
  return keys.publicKey({ url, form: 'pem', hosts, cacheMs: HOUR_MS });
}

function times(url: string): number {
  return server.asked.filter((one) => `https://${one}` === url).length;
}

function fails(promise: Promise<unknown>, failure: string): Promise<void> {
  return assert.rejects(
    promise,
    (error) => error instanceof KeyUnavailable && error.failure === failure,
  );
}

const expected = createPublicKey(signer.certificate);

test('fetches a certificate once, for requests one after another and at once', async () => {
  const url = newUrl();
  const found = await Promise.all([x509(url), x509(url), x509(url)]);
  assert.ok(found.every((key) => key.equals(expected)));
  assert.ok((await x509(url)).equals(expected));
  assert.equal(times(url), 1);
});

test('takes a public key as PEM, and no private one for public', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  server.answer(publicKey.export({ type: 'spki', format: 'pem' }).toString());
  assert.ok((await pem(newUrl())).equals(publicKey));
  server.answer(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  assert.equal((await pem(newUrl())).type, 'public');
});

test('asks nobody where the address is not allowed', async () => {
  const before = server.asked.length;
  for (const url of ['https://keys.evil.example/1', 'http://keys.vendor.example/1', 'x']) {
    await fails(x509(url), 'address-not-allowed');
  }
  assert.equal(server.asked.length, before);
});

test('follows no redirect', async () => {
  const url = newUrl();
  const target = newUrl();
  server.answer((_request, response) => response.writeHead(302, { location: target }).end());
  await fails(x509(url), 'redirected');
  assert.equal(times(target), 0);
});

test('says what was wrong with what came', async () => {
  const answers = {
    'no-key': '<html>Not Found</html>',
    'too-large': signer.certificate + 'x'.repeat(64 * 1_024),
  };
  for (const [failure, answer] of Object.entries(answers)) {
    server.answer(answer);
    await fails(x509(newUrl()), failure);
  }
  server.answer((_request, response) => response.writeHead(404).end(signer.certificate));
  await fails(x509(newUrl()), 'bad-status');
  server.answer((request) => request.socket.destroy());
  await fails(x509(newUrl()), 'connection-failed');
  server.answer((_request, response) => {
    response.writeHead(200, { 'content-length': 5_000 });
    response.write(signer.certificate, () => response.destroy());
  });
  await fails(x509(newUrl()), 'connection-failed');
});

test('trusts no host whose certificate is for another', async () => {
  const elsewhere = { hosts: ['*.example.com'], form: 'x509', cacheMs: HOUR_MS } as const;
  await fails(
    keys.publicKey({ ...elsewhere, url: 'https://keys.example.com/1' }),
    'connection-failed',
  );
});

test('a certificate counts only while it is valid, also from memory', async () => {
  nowMs = Date.parse('2019-12-31T00:00:00Z');
  await fails(x509(newUrl()), 'not-valid-now');
  nowMs = Date.parse('2119-12-31T23:30:00Z');
  const url = newUrl();
  await x509(url);
  nowMs += HOUR_MS;
  await fails(x509(url), 'not-valid-now');
  assert.equal(times(url), 2);
});

test('a certificate that lies where a PEM key is wanted is bound by its dates too', async () => {
  nowMs = Date.parse('2121-01-01T00:00:00Z');
  await fails(pem(newUrl()), 'not-valid-now');
});

test('what failed is not tried again at once, and then it is', async () => {
  const url = newUrl();
  server.answer((_request, response) => response.writeHead(500).end());
  await fails(x509(url), 'bad-status');
  server.answer(signer.certificate);
  await fails(x509(url), 'bad-status');
  assert.equal(times(url), 1);
  nowMs += 10_001;
  assert.ok((await x509(url)).equals(expected));
});

test('past its time a key is used while it is fetched anew, and as long again at most', async () => {
  const url = newUrl();
  await x509(url);
  server.answer((_request, response) => response.writeHead(503).end());
  nowMs += HOUR_MS;
  assert.ok((await x509(url)).equals(expected));
  await waitUntil('it is fetched anew', () => (times(url) === 2 ? true : undefined));
  assert.ok((await x509(url)).equals(expected));
  nowMs += HOUR_MS;
  await fails(x509(url), 'bad-status');
});

test('a request waits a second at most; the next one finds the key', async () => {
  const url = newUrl();
  let release: () => void = () => undefined;
  server.answer((_request, response) => {
    release = () => response.end(signer.certificate);
  });
  await fails(x509(url), 'timed-out');
  const second = x509(url);
  release();
  assert.ok((await second).equals(expected));
  assert.equal(times(url), 1);
});

test('gives a host that never answers up', async () => {
  const url = newUrl();
  let closed: Promise<unknown> | undefined;
  server.answer((request) => {
    closed = once(request.socket, 'close');
  });
  await fails(x509(url), 'timed-out');
  await closed;
  assert.equal(times(url), 1);
});

test('addresses without end cost a host thirty fetches a minute, and no known key', async () => {
  const known = newUrl();
  await x509(known);
  const before = server.asked.length;
  const forged = Array.from({ length: 100 }, () => x509(newUrl()).catch((error) => error));
  const outcomes = await Promise.all(forged);
  assert.equal(server.asked.length - before, 29);
  assert.ok(outcomes.some((one) => one.failure === 'too-many-fetches'));
  assert.ok((await x509(known)).equals(expected));
  nowMs += 60_000;
  assert.ok((await x509(newUrl())).equals(expected));
});

test('what was a key once is fetched anew although others used up the fetches', async () => {
  const known = newUrl();
  await x509(known);
  const url = newUrl();
  nowMs += 3 * HOUR_MS;
  await Promise.all(Array.from({ length: 60 }, () => x509(newUrl()).catch((error) => error)));
  await fails(x509(url), 'too-many-fetches');
  assert.ok((await x509(known)).equals(expected));
  assert.equal(times(known), 2);
});

test('for who names too many keys that are none, only one in memory counts', async () => {
  const known = newUrl();
  await x509(known);
  const keptOnly = (address: string) =>
    keys.publicKey({ url: address, form: 'x509', hosts, cacheMs: HOUR_MS, keptOnly: true });
  assert.ok((await keptOnly(known)).equals(expected));
  const url = newUrl();
  await fails(keptOnly(url), 'too-many-fetches');
  assert.equal(times(url), 0);
  assert.ok((await x509(url)).equals(expected));
});

test('keeps a bounded number of keys, those that were used last', async () => {
  const first = newUrl();
  await x509(first);
  for (let minute = 0; minute < 9; minute += 1) {
    nowMs += 60_000;
    await Promise.all(Array.from({ length: 29 }, () => x509(newUrl())));
    await x509(first);
  }
  assert.equal(times(first), 1);
});

test('counts each fetch, and logs failures once a minute without what a request said', async () => {
  const lines: object[] = [];
  const counted: string[] = [];
  keys = createPublishedKeys({
    agent: server.agent,
    now: () => nowMs,
    log: { ...silentLog, warn: (fields) => lines.push(fields) },
    meter: { keyFetch: (result) => counted.push(result) },
  });
  await x509(newUrl());
  server.answer((_request, response) => response.writeHead(404).end());
  await fails(x509(newUrl()), 'bad-status');
  await fails(x509(newUrl()), 'bad-status');
  nowMs += 60_000;
  await fails(x509(newUrl()), 'bad-status');
  const line = { code: 'bad-status', detail: '404', source: '*.vendor.example' };
  assert.deepEqual(lines, [line, line]);
  assert.deepEqual(counted, ['fetched', 'bad-status', 'bad-status', 'bad-status']);
});

test('a key set is fetched again when a key is missing in it, but not at once', async () => {
  const url = newUrl();
  server.answer(JSON.stringify({ keys: [] }));
  await keys.keySet(url);
  await keys.keySet(url, { again: true });
  assert.equal(times(url), 1);
  nowMs += 30_000;
  await keys.keySet(url);
  assert.equal(times(url), 1);
  await keys.keySet(url, { again: true });
  assert.equal(times(url), 2);
});

test('what is no key set is none', async () => {
  for (const text of ['{}', '[]', 'null', '{"keys":1}', '{"keys":[1]}', 'x']) {
    server.answer(text);
    await fails(keys.keySet(newUrl()), 'no-key');
  }
});
