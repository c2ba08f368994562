// What `crossdock check` finds in ways to verify beyond their shape.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { errorsOf, loadFiles } from '../support/definition-project.ts';

const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const environment = {
  SECRET: 'canary-secret',
  COLON: 'user:canary',
  BLANK: ' ',
  RSA: publicKey.export({ type: 'spki', format: 'pem' }) as string,
  ED: generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }) as string,
  STAND_IN: 'test-STAND_IN',
  TOPIC: 'arn:aws:sns:eu-west-1:1:t',
};

async function errors(verify: string, more = ''): Promise<readonly string[]> {
  const text = `receive:\n  verify: ${verify}\n${more}  topic: { is: t }\n`;
  return errorsOf(await loadFiles({ 'connectors/one.yaml': text }, { environment }));
}

const secrets = (...names: string[]) =>
  `  secrets: [${names.map((name) => `"\${${name}}"`).join(', ')}]\n`;

test('a secret that is no key is found at its line, and not said', async () => {
  const hmac = (key: string) => `{ hmac: sha256, header: X, encoding: hex, key: ${key} }`;
  const rsa = '{ rsa: sha256, header: X, encoding: base64, key: pem }';
  const jwt = (algorithm: string) => `{ jwt: { header: X, algorithms: [${algorithm}] } }`;
  for (const [verify, names, problem] of [
    [hmac('hex'), ['SECRET'], 'the secret is not written in hex'],
    [hmac('base64'), ['COLON'], 'the secret is not written in base64'],
    [hmac('whsec'), ['COLON'], 'the secret is not written in base64'],
    [rsa, ['SECRET'], 'the secret is no public key, neither PEM nor DER'],
    [rsa, ['ED'], 'the secret is a key of another kind: ed25519, not rsa'],
    [jwt('RS256'), ['SECRET'], 'the secret is no public key, neither PEM nor DER'],
    [jwt('RS256'), ['ED'], 'the secret is a key of another kind: ed25519, not for RS256'],
    [jwt('HS256'), ['RSA'], 'the secret is a public or private key'],
    ['basic', ['SECRET'], 'the secret is not user:password'],
  ] as const) {
    const [line, ...rest] = await errors(verify, secrets(...names));
    assert.equal(line, `connectors/one.yaml:3:13 wrong-value ${problem}`);
    assert.deepEqual(rest, []);
  }
});

test('secrets of a way itself, and dated ones, have their own lines', async () => {
  const verify = `
    any:
      - { hmac: sha256, header: X, encoding: hex, key: hex, secrets: ["\${SECRET}"] }
      - { hmac: sha256, header: Y, encoding: hex, key: hex }`;
  const dated = `  secrets:\n    - { value: "\${SECRET}", notAfter: 2027-01-01T00:00:00Z }\n`;
  assert.deepEqual(await errors(verify, dated), [
    'connectors/one.yaml:4:71 wrong-value the secret is not written in hex',
    'connectors/one.yaml:7:16 wrong-value the secret is not written in hex',
  ]);
});

test('right keys are right, and what stands in for a secret is none to judge', async () => {
  const rsa = '{ rsa: sha256, header: X, encoding: base64, key: pem }';
  assert.deepEqual(await errors(rsa, secrets('RSA', 'STAND_IN')), []);
  assert.deepEqual(await errors('basic', secrets('COLON')), []);
});

test('a secret that is empty is an error, whatever the way', async () => {
  for (const verify of [
    'basic',
    '{ hmac: sha256, header: X, encoding: hex }',
    '{ token: { header: X } }',
    '{ jwt: { header: X, algorithms: [HS256] } }',
    '{ scheme: twilio }',
    '{ rsa: sha256, header: X, encoding: hex, signs: "{secret}", key: { fetch: pem, at: { header: K }, hosts: [a.example] } }',
  ]) {
    const found = await errors(verify, `  url: https://hub.example/\n${secrets('BLANK')}`);
    assert.ok(
      found.some((line) => / secret-missing | variable-unset /.test(line)),
      `${verify}\n${found.join('\n')}`,
    );
  }
});

test('keys are fetched from hosts that are spelled out', async () => {
  const verify = (hosts: string) =>
    `{ rsa: sha256, header: X, encoding: hex, key: { fetch: pem, at: { header: K }, hosts: ${hosts} } }`;
  for (const host of ['*.paypal.com', 'sns.*.amazonaws.com', 'a.example', '*.*.paypal.com']) {
    assert.deepEqual(await errors(verify(`["${host}"]`)), [], host);
  }
  for (const host of ['*', '*.com', 'localhost', '10.0.0.1', 'a.example:443', 'A.example']) {
    assert.match((await errors(verify(`["${host}"]`)))[0] ?? '', / wrong-value /, host);
  }
  for (const host of ['pay*.paypal.com', 'a.example/', 'https://a.example', 'a..example', 'a.*']) {
    assert.match((await errors(verify(`["${host}"]`)))[0] ?? '', / wrong-value /, host);
  }
});

test('places of keys go with the places of signatures', async () => {
  const verify = (header: string, at: string, more = '') =>
    `{ rsa: sha256, header: ${header}, encoding: hex${more}, key: { fetch: pem, at: ${at}, hosts: [a.example] } }`;
  assert.deepEqual(await errors(verify('[A, B]', '{ header: [K, L] }')), []);
  assert.deepEqual(await errors(verify('[A, B]', '{ header: K }')), []);
  assert.match(
    (await errors(verify('[A, B, C]', '{ header: [K, L] }')))[0] ?? '',
    /names 2 places of keys for 3 of signatures/,
  );
  const each = await errors(verify('A', '{ header: K }', ', each: "items[]"'));
  assert.match(each[0] ?? '', /"each" does not go together/);
  const hmac = verify('A', '{ header: K }').replace('rsa', 'hmac');
  assert.match((await errors(hmac))[0] ?? '', /a key that is published verifies no hmac/);
});

test('tokens of an issuer must be for somebody', async () => {
  const verify = (more: string) =>
    `{ jwt: { header: X, jwks: "https://issuer.example/keys", ${more} } }`;
  assert.deepEqual(await errors(verify('algorithms: [RS256], audience: [a]')), []);
  assert.deepEqual(await errors(verify('algorithms: [RS256], claims: { sub: a }')), []);
  const open = await errors(verify('algorithms: [RS256], issuer: [a]'));
  assert.match(open[0] ?? '', /missing-field .* takes every token of the issuer/);
  const shared = await errors(verify('algorithms: [RS256, HS256], audience: [a]'));
  assert.match(shared[0] ?? '', /HS256 has no key that an issuer publishes/);
  const mixed = await errors('{ jwt: { header: X, algorithms: [RS256, HS256] } }', secrets('RSA'));
  assert.match(mixed[0] ?? '', /shared secrets and public keys do not go together/);
});

test('addresses are addresses', async () => {
  assert.deepEqual(await errors('{ addresses: [203.0.113.0/24, "::1"] }'), []);
  assert.deepEqual(await errors('{ addresses: [203.0.113.0/33, hub.example] }'), [
    'connectors/one.yaml:2:25 wrong-value "203.0.113.0/33" must end in /0 to /32 (for example 203.0.113.0/24)',
    'connectors/one.yaml:2:41 wrong-value "hub.example" is no IP address (for example 203.0.113.0/24)',
  ]);
});

test('schemes have names, and what each needs', async () => {
  assert.deepEqual(await errors('{ scheme: snss }'), [
    'connectors/one.yaml:2:21 wrong-value "receive.verify.scheme" must be one of sns, twilio (did you mean "sns"?)',
  ]);
  assert.deepEqual(await errors(`{ scheme: sns, topicArns: ["\${TOPIC}"] }`), []);
  for (const verify of ['{ scheme: sns }', '{ scheme: sns, topicArns: [] }']) {
    assert.match((await errors(verify))[0] ?? '', /missing-field sns without "topicArns"/);
  }
  const url = '  url: https://hub.example/\n';
  assert.deepEqual(await errors('{ scheme: twilio }', `${url}${secrets('SECRET')}`), []);
  assert.match(
    (await errors('{ scheme: twilio }', secrets('SECRET')))[0] ?? '',
    /missing-field "url" is missing in "receive", and it is part of what is signed/,
  );
  const listed = await errors('{ scheme: twilio, topicArns: [a] }', `${url}${secrets('SECRET')}`);
  assert.match(listed[0] ?? '', /"topicArns" is for sns, not for twilio/);
});

test('what is signed with the address needs the address', async () => {
  const verify = '{ hmac: sha1, header: X, encoding: base64, signs: "{url}{form.sorted}" }';
  assert.match((await errors(verify, secrets('SECRET')))[0] ?? '', /"url" is missing in "receive"/);
});
