// Several mistakes in one connector file: none of them hides another, and no secret stays unseen.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectorKinds } from '../../src/connectors/kinds.ts';
import type { LoadOptions } from '../../src/definitions/load-definitions.ts';
import { errorsOf, loadFiles } from '../support/definition-project.ts';

const hook = `receive:
  verify: { hmac: sha1, header: X-Sig, encoding: hex }
  secrets: [ "\${HOOK_SECRET}" ]
  topic: { header: X-Topic }
  bodyMax: 64kb
`;
const web = `kind: web
baseUrl: https://web.example
operations: { send: { post: /send } }
`;

async function loadOne(text: string, options: Partial<LoadOptions> = {}) {
  const result = await loadFiles({ 'connectors/one.yaml': text }, options);
  return { result, one: result.definitions?.connectors.get('one') };
}

async function errors(text: string, environment: LoadOptions['environment'] = {}) {
  return errorsOf((await loadOne(text, { environment })).result);
}

test('a mistake of shape hides nothing that the kind finds elsewhere', async () => {
  const text = `kind: http
baseUrl: "http://a b"
limits: { rate: x/s }
auth: { basic: { user: "a:b", password: 1 } }
operations:
  one: { pots: /a }
  two: { post: [/a], get: /b, body: json }
  three: { get: a, headers: { X-A: 1, Host: b } }
`;
  const { result } = await loadOne(text, { kinds: connectorKinds });
  assert.deepEqual(
    errorsOf(result).map((line) => line.split(' ').slice(0, 3).join(' ')),
    [
      'connectors/one.yaml:2:10 url-invalid "baseUrl"',
      'connectors/one.yaml:3:17 wrong-value "limits.rate"',
      'connectors/one.yaml:4:24 header-invalid a',
      'connectors/one.yaml:4:41 wrong-type "auth.basic.password"',
      'connectors/one.yaml:4:41 secret-in-clear "auth.basic.password"',
      'connectors/one.yaml:6:10 unknown-field "pots"',
      'connectors/one.yaml:7:16 wrong-type "operations.two.post"',
      'connectors/one.yaml:7:37 body-not-allowed a',
      'connectors/one.yaml:8:17 path-invalid a',
      'connectors/one.yaml:8:36 wrong-type "operations.three.headers.X-A"',
      'connectors/one.yaml:8:45 header-forbidden this',
    ],
  );
});

test('every kind looks at files of which nothing fits', async () => {
  for (const kind of connectorKinds) {
    const fields = Object.keys(Object(kind.connectorSchema['properties']));
    const operation = Object.keys(Object(kind.operationSchema['properties']));
    for (const wrong of ['1', '[]', '{}', 'null', '{ a: 1 }', '[1]']) {
      const own = fields.map((name) => `${name}: ${wrong}\n`).join('');
      const inside = operation.map((name) => `    ${name}: ${wrong}\n`).join('');
      const text = `kind: ${kind.kind}\n${own}operations:\n  one:\n${inside}`;
      const { result } = await loadOne(text, { kinds: connectorKinds });
      assert.equal(result.definitions, undefined, text);
    }
    const { result } = await loadOne(`kind: ${kind.kind}\noperations: { one: {} }\n`, {
      kinds: connectorKinds,
    });
    assert.ok(errorsOf(result).some((line) => line.includes('missing-field')));
  }
});

test('a mistake in verify or bodyMax hides none in the other', async () => {
  const text = hook.replace('64kb', '11mb').replace('sha1,', 'sha2,');
  assert.deepEqual(
    (await errors(text, { HOOK_SECRET: 'abcdef' })).map((line) => line.split(' ')[0]),
    ['connectors/one.yaml:2:19', 'connectors/one.yaml:5:12'],
  );
});

test('a secret in clear is seen whatever the kind is called', async () => {
  for (const kind of ['kind: wep\n', '']) {
    const found = await errors(`${web.replace('kind: web\n', kind)}auth: { bearer: canary }\n`);
    assert.ok(
      found.some((line) => line.includes(' secret-in-clear "auth.bearer"')),
      found.join('\n'),
    );
    assert.doesNotMatch(found.join('\n'), /canary/);
  }
});

test('headers whose names speak of a secret are secrets, here and at an operation', async () => {
  const text = (key: string, token: string) => `kind: http
baseUrl: https://erp.example
headers: { X-Api-Key: ${key}, X-Client: hub, X-Signature: "{signature}" }
operations:
  send: { post: /send, headers: { authorization: ${token}, X-Request-Key: "a-{$key}" } }
`;
  const options = { kinds: connectorKinds, environment: { A: 'canary-key', B: 'canary-value' } };
  const clear = await loadOne(text('canary-1', '"Bearer canary-2"'), options);
  assert.deepEqual(errorsOf(clear.result), [
    'connectors/one.yaml:3:23 secret-in-clear "headers.X-Api-Key" is a secret and is written in clear (put it into an environment variable)',
    'connectors/one.yaml:5:50 secret-in-clear "operations.send.headers.authorization" is a secret and is written in clear (put it into an environment variable)',
  ]);
  const { one, result } = await loadOne(text(`"\${A}"`, `"Bearer \${B}"`), options);
  assert.deepEqual(errorsOf(result), []);
  assert.deepEqual(one?.secrets, ['Bearer canary-value', 'canary-key']);
});
