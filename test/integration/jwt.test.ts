// Tokens of an issuer that is not ours: oauth2-mock-server, as Google signs Pub/Sub's pushes.

import assert from 'node:assert/strict';
import { createHash, createHmac, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import { importPKCS8, SignJWT } from 'jose';
import { OAuth2Server } from 'oauth2-mock-server';
import type { PublishedKeys } from '../../src/intake/published-keys.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { agentTo, keysFrom, tlsFile } from '../support/key-server.ts';
import { receiveOf, type TestRequest, verdictOf } from '../support/receiver.ts';

const google = new OAuth2Server(tlsFile('server-key'), tlsFile('server'));
let keys: PublishedKeys;
let nowMs: number;
let fetched = 0;

before(async () => {
  await google.issuer.keys.generate('RS256');
  await google.start(0, 'localhost');
  google.issuer.url = 'https://accounts.google.com';
});
beforeEach(() => {
  nowMs = Date.now();
  const agent = agentTo(google.address().port);
  const published = keysFrom(agent, () => nowMs);
  fetched = 0;
  keys = {
    ...published,
    keySet(url, options) {
      fetched += 1;
      return published.keySet(url, options);
    },
  };
});
after(() => google.stop());

// https://docs.cloud.google.com/pubsub/docs/authenticate-push-subscriptions
const claims = { email: 'push@project.iam.gserviceaccount.com', email_verified: true };
const audience = 'https://hub.example/webhooks/pubsub';
const jwt = {
  header: 'Authorization',
  prefix: 'Bearer ',
  algorithms: ['RS256'],
  jwks: 'https://localhost/jwks',
  issuer: ['https://accounts.google.com', 'accounts.google.com'],
  audience: [audience],
  claims: { email: claims.email, email_verified: 'true' },
  skew: '30s',
};
const pubsub = receiveOf({ verify: { jwt } });

function issue(change: JsonObject = {}): Promise<string> {
  return google.issuer.buildToken({
    scopesOrTransform: (_header, payload) => {
      Object.assign(payload, { aud: audience, ...claims, ...change });
      for (const [name, value] of Object.entries(change)) {
        if (value === null) delete payload[name];
      }
    },
  });
}

function bearing(token: string, more: TestRequest = {}): TestRequest {
  return { headers: { authorization: `Bearer ${token}` }, body: '{"message":{}}', ...more };
}

async function codeOf(request: TestRequest, receive = pubsub): Promise<unknown> {
  const verdict = await verdictOf(receive, request, { keys, nowMs });
  return verdict.kind === 'refused' ? `${verdict.code}: ${verdict.reason}` : verdict;
}

test("takes a token as Google's, and fetches the keys once", async () => {
  for (let count = 0; count < 3; count += 1) {
    assert.deepEqual(await codeOf(bearing(await issue())), { kind: 'authentic' });
  }
  assert.equal(fetched, 3);
});

test('refuses tokens for others, of others and without what is asked for', async () => {
  for (const [change, reason] of [
    [{ aud: 'https://other.example' }, 'its claim "aud" is missing or another one'],
    [{ aud: null }, 'its claim "aud" is missing or another one'],
    [{ iss: 'https://evil.example' }, 'its claim "iss" is missing or another one'],
    [{ iss: null }, 'its claim "iss" is missing or another one'],
    [{ email: 'other@evil.example' }, 'its claim "email" is missing or another one'],
    [{ email: null }, 'its claim "email" is missing or another one'],
    [{ email_verified: false }, 'its claim "email_verified" is missing or another one'],
    [{ exp: null }, 'its claim "exp" is missing or another one'],
    [{ exp: 'soon' }, 'its claim "exp" is missing or another one'],
  ] as const) {
    assert.equal(await codeOf(bearing(await issue(change))), `token-invalid: ${reason}`);
  }
});

test('holds to the times of a token, give or take the skew', async () => {
  const nowS = Math.floor(nowMs / 1_000);
  const at = async (change: JsonObject) => codeOf(bearing(await issue(change)));
  assert.deepEqual(await at({ exp: nowS - 20 }), { kind: 'authentic' });
  assert.equal(await at({ exp: nowS - 40 }), 'token-invalid: the token has ended');
  assert.deepEqual(await at({ nbf: nowS + 20 }), { kind: 'authentic' });
  assert.equal(await at({ nbf: nowS + 40 }), 'token-invalid: the token is not valid yet');
});

test('refuses what is no token, or not the whole of one', async () => {
  const token = await issue();
  assert.match(String(await codeOf({ body: 'x' })), /^credentials-missing/);
  const basic = { headers: { authorization: `Basic ${token}` } };
  assert.match(String(await codeOf(basic)), /^credentials-missing/);
  const twice = bearing(token, { repeated: ['authorization'] });
  assert.match(String(await codeOf(twice)), /^signature-repeated/);
  const [head = '', payload = '', signature = ''] = token.split('.');
  for (const wrong of [
    '',
    'x',
    `${head}.${payload}`,
    `${head}.${payload}.`,
    `${head}.${payload}.${signature.slice(0, -8)}`,
    `${head}.${payload.slice(0, -4)}.${signature}`,
    `${head.slice(4)}.${payload}.${signature}`,
    `${token}.${signature}`,
    'a'.repeat(20_000),
  ]) {
    assert.match(String(await codeOf(bearing(wrong))), /^token-invalid/, wrong.slice(0, 40));
  }
});

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

test('a token without a signature, or signed with the public key as a secret, is none', async () => {
  const token = await issue();
  const [head = '', payload = ''] = token.split('.');
  const { kid } = JSON.parse(Buffer.from(head, 'base64url').toString());
  const none = `${encode({ alg: 'none', kid })}.${payload}.`;
  assert.match(String(await codeOf(bearing(none))), /^token-invalid: it is signed in a way/);
  const [jwk] = google.issuer.keys.toJSON();
  const pem = createPublicKey({ key: jwk as never, format: 'jwk' }).export({
    type: 'spki',
    format: 'pem',
  });
  const signed = `${encode({ alg: 'HS256', kid })}.${payload}`;
  const forged = `${signed}.${createHmac('sha256', pem).update(signed).digest('base64url')}`;
  assert.match(String(await codeOf(bearing(forged))), /^token-invalid: it is signed in a way/);
  const careless = receiveOf({ verify: { jwt: { ...jwt, algorithms: ['RS256', 'HS256'] } } });
  assert.match(String(await codeOf(bearing(forged), careless)), /^token-invalid/);
});

test('a new key of the issuer is found, and a stranger cannot make the hub look for it again', async () => {
  assert.deepEqual(await codeOf(bearing(await issue())), { kind: 'authentic' });
  const { kid } = await google.issuer.keys.generate('RS256');
  const token = await google.issuer.buildToken({
    kid,
    scopesOrTransform: (_header, payload) =>
      void Object.assign(payload, { aud: audience, ...claims }),
  });
  const unknown = 'token-invalid: it is signed with a key that the issuer does not publish';
  assert.equal(await codeOf(bearing(token)), unknown);
  nowMs += 30_000;
  assert.deepEqual(await codeOf(bearing(token)), { kind: 'authentic' });
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const strange = await new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'RS256', kid: 'other' })
    .setAudience(audience)
    .setIssuer('https://accounts.google.com')
    .setExpirationTime('1h')
    .sign(await importPKCS8(pem, 'RS256'));
  assert.equal(await codeOf(bearing(strange)), unknown);
});

test('keys that cannot be fetched are told apart from a wrong token', async () => {
  const gone = receiveOf({ verify: { jwt: { ...jwt, jwks: 'https://localhost/gone' } } });
  const code = String(await codeOf(bearing(await issue()), gone));
  assert.match(code, /^key-unavailable/);
});

function shared(
  change: JsonObject = {},
  secrets: readonly (JsonObject | string)[] = ['one', 'two'],
) {
  const { jwks: _jwks, audience: _audience, claims: _claims, ...rest } = jwt;
  return receiveOf({
    verify: { jwt: { ...rest, algorithms: ['HS256'], issuer: ['vendor'], ...change } },
    secrets: [...secrets],
  });
}

function hmacToken(secret: string, payload: JsonObject = {}): Promise<string> {
  return new SignJWT({ iss: 'vendor', ...payload })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('5m')
    .sign(Buffer.from(secret));
}

test('takes tokens by shared secrets, and says which one fitted', async () => {
  const authentic = { kind: 'authentic', secret: 2 };
  assert.deepEqual(await codeOf(bearing(await hmacToken('two')), shared()), authentic);
  const none = 'token-invalid: its signature fits no secret';
  assert.equal(await codeOf(bearing(await hmacToken('three')), shared()), none);
  const ended = shared({}, ['one', { value: 'two', notAfter: '2026-01-01T00:00:00Z' }]);
  const code = String(await codeOf(bearing(await hmacToken('two')), ended));
  assert.match(code, /^secret-expired/);
});

test('takes tokens by public keys in PEM, of every kind', async () => {
  for (const [algorithm, pair] of [
    ['RS256', generateKeyPairSync('rsa', { modulusLength: 2_048 })],
    ['PS256', generateKeyPairSync('rsa', { modulusLength: 2_048 })],
    ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['EdDSA', generateKeyPairSync('ed25519')],
  ] as const) {
    const pem = pair.publicKey.export({ type: 'spki', format: 'pem' }) as string;
    const token = await new SignJWT({ iss: 'vendor' })
      .setProtectedHeader({ alg: algorithm })
      .setExpirationTime('5m')
      .sign(pair.privateKey);
    const receive = shared({ algorithms: [algorithm], key: 'pem' }, [pem]);
    assert.deepEqual(await codeOf(bearing(token), receive), { kind: 'authentic', secret: 1 });
    const forged = bearing(await hmacToken(pem));
    assert.match(String(await codeOf(forged, receive)), /^token-invalid/);
  }
});

test('a public key is no shared secret', () => {
  const { publicKey } = generateKeyPairSync('ed25519');
  const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
  return assert.rejects(
    async () => codeOf({}, shared({}, [pem])),
    /the secret is a public or private key/,
  );
});

test('a claim can bind the token to the body', async () => {
  const { jwks: _jwks, audience: _audience, claims: _claims, ...rest } = jwt;
  const receive = receiveOf({
    verify: {
      jwt: { ...rest, algorithms: ['HS256'], issuer: ['vendor'] },
      equal: [['{claim:payload_hash}', '{body.sha256}']],
    },
    secrets: ['one'],
  });
  const body = '{"id":1}';
  const hash = createHash('sha256').update(body).digest('hex');
  const token = await new SignJWT({ iss: 'vendor', payload_hash: hash })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(Buffer.from('one'));
  assert.deepEqual(await codeOf(bearing(token, { body }), receive), {
    kind: 'authentic',
    secret: 1,
  });
  const other = String(await codeOf(bearing(token, { body: '{"id":2}' }), receive));
  assert.match(other, /^not-equal/);
  const without = bearing(await hmacToken('one'), { body });
  assert.match(String(await codeOf(without, receive)), /^not-equal/);
});
