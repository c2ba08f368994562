import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { httpKind } from '../../src/connectors/http-connector.ts';
import { createHttpOperation } from '../../src/connectors/http-request.ts';
import { MessageInvalid } from '../../src/connectors/message-invalid.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { messageOf } from '../support/connector-parts.ts';

function problems(fields: JsonObject, operation: JsonObject = { post: '/x' }): string[] {
  const all = { baseUrl: 'https://erp.example/api', ...fields };
  const found = httpKind.check?.(all, new Map([['call', operation]])) ?? [];
  return found.map(({ path, code }) => `${path.join('/')} ${code}`);
}

test('a sound connector has no problems', () => {
  assert.deepEqual(
    problems(
      { auth: { bearer: 'abc' }, headers: { 'X-A': '{$event.id}' } },
      { post: '/orders/{id}', query: { a: '{b}' }, idempotency: { header: 'Idempotency-Key' } },
    ),
    [],
  );
});

test('base addresses that cannot be called are problems', () => {
  for (const [baseUrl, code] of [
    ['erp.example', 'url-invalid'],
    ['ftp://erp.example', 'url-invalid'],
    ['data:text/plain,x', 'url-invalid'],
    ['https://user:pass@erp.example', 'url-invalid'],
    ['https://erp.example?a=b', 'url-invalid'],
    ['https://erp.example#a', 'url-invalid'],
    ['http://169.254.169.254/latest', 'address-forbidden'],
    ['http://2852039166', 'address-forbidden'],
    ['http://0xa9.0xfe.0xa9.0xfe', 'address-forbidden'],
    ['http://[::ffff:a9fe:a9fe]', 'address-forbidden'],
    ['http://0', 'address-forbidden'],
    ['http://[fe80::1]', 'address-forbidden'],
    ['http://[fd00:ec2::254]', 'address-forbidden'],
  ] as const) {
    assert.deepEqual(problems({ baseUrl }), [`baseUrl ${code}`], baseUrl);
  }
  for (const baseUrl of [
    'http://127.0.0.1:3000',
    'http://10.0.0.1',
    'https://[::1]/x',
    'http://erp',
  ]) {
    assert.deepEqual(problems({ baseUrl }), [], baseUrl);
  }
});

test('operations that a schema lets through are checked', () => {
  const at = 'operations/call';
  for (const [operation, expected] of [
    [{}, `${at} method-missing`],
    [{ post: '/a', get: '/b' }, `${at} method-ambiguous`],
    [{ post: 'a' }, `${at}/post path-invalid`],
    [{ post: '//evil.example' }, `${at}/post path-invalid`],
    [{ post: 'https://evil.example' }, `${at}/post path-invalid`],
    [{ post: '/a?b=c' }, `${at}/post path-invalid`],
    [{ post: '/a/../b' }, `${at}/post path-invalid`],
    [{ post: '/a/%2e%2E/b' }, `${at}/post path-invalid`],
    [{ post: '/a\\b' }, `${at}/post path-invalid`],
    [{ post: '/{$nope}' }, `${at}/post template-invalid`],
    [{ get: '/a', body: 'json' }, `${at}/body body-not-allowed`],
    [{ get: '/a', query: { q: '{' } }, `${at}/query/q template-invalid`],
    [{ get: '/a', headers: { Host: 'x' } }, `${at}/headers/Host header-forbidden`],
    [
      { get: '/a', headers: { 'content-LENGTH': '1' } },
      `${at}/headers/content-LENGTH header-forbidden`,
    ],
    [{ get: '/a', headers: { 'Proxy-X': 'x' } }, `${at}/headers/Proxy-X header-forbidden`],
    [{ get: '/a', headers: { 'X A': 'x' } }, `${at}/headers/X A header-forbidden`],
    [{ get: '/a', headers: { 'X-A': 'x\r\ny' } }, `${at}/headers/X-A header-invalid`],
    [
      { post: '/a', idempotency: { header: 'Connection' } },
      `${at}/idempotency/header header-forbidden`,
    ],
  ] as const) {
    assert.deepEqual(problems({}, operation as JsonObject), [expected]);
  }
});

test('credentials that no header can carry are problems', () => {
  for (const [auth, expected] of [
    [{ bearer: 'a b' }, 'auth/bearer header-invalid'],
    [{ basic: { user: 'a:b', password: 'c' } }, 'auth/basic/user header-invalid'],
    [{ header: { name: 'Host', value: 'a' } }, 'auth/header/name header-forbidden'],
    [{ header: { name: 'X-A', value: 'a\n' } }, 'auth/header/value header-invalid'],
    [
      { oauth2: { tokenUrl: 'x', clientId: 'a', clientSecret: 'b' } },
      'auth/oauth2/tokenUrl url-invalid',
    ],
  ] as const) {
    assert.deepEqual(problems({ auth }), [expected]);
  }
});

test('no message leads a call away from the base address', () => {
  const base = 'https://erp.example:8443/api/v1';
  const operation = createHttpOperation(
    { baseUrl: `${base}/` },
    { get: '/a/{x}{y}/b', query: { q: '{x}' } },
  );
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '.',
      '..',
      '%2e',
      '/',
      '//evil.example',
      '@evil.example',
      '\\',
      '?',
      '#',
      '\r\n',
    ),
  );
  fc.assert(
    fc.property(piece, piece, (x, y) => {
      let url: URL;
      try {
        url = new URL(operation.build(messageOf('call', JSON.stringify({ x, y }))).url);
      } catch (error) {
        assert.ok(error instanceof MessageInvalid, String(error));
        return;
      }
      assert.equal(url.origin, 'https://erp.example:8443');
      assert.equal(url.username, '');
      assert.match(url.pathname, /^\/api\/v1\/a\/[^/]+\/b$/);
      assert.deepEqual([...url.searchParams], [['q', x]]);
    }),
  );
});
