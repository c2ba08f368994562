import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { ReceiveDefinition } from '../../src/definitions/definitions.ts';
import { identify } from '../../src/intake/identify.ts';
import { signedHeaders } from '../../src/intake/sign.ts';
import { isAuthentic } from '../../src/intake/verify.ts';
import { isCrossdockError } from '../../src/model/errors.ts';

const receive: ReceiveDefinition = {
  verify: { kind: 'hmac', algorithm: 'sha256', headers: ['x-sig'], encoding: 'hex', prefix: 'v1=' },
  secrets: ['new secret', 'old secret'],
  topic: { headers: ['x-topic', 'topic'] },
  dedupe: { headers: ['x-id'] },
  occurredAt: ['x-time'],
  shop: ['x-shop'],
  bodyBytesMax: 1_000,
};
const body = Buffer.from('{"id":1}');

describe('what an event is called', () => {
  test('comes from the first header that is there', () => {
    const headers = { topic: 'b', 'x-id': '7', 'x-time': '2026-11-22T12:00:00Z', 'x-shop': 's' };
    const { sha256, ...identity } = identify(receive, headers, body);
    assert.deepEqual(identity, {
      topic: 'b',
      dedupeKey: '7',
      occurredAt: new Date('2026-11-22T12:00:00Z'),
      shop: 's',
    });
    assert.match(sha256, /^[0-9a-f]{64}$/);
    assert.equal(identify(receive, { ...headers, 'x-topic': 'a' }, body).topic, 'a');
  });

  test('without an id is told apart by topic and body', () => {
    const key = (topic: string, text: string): string =>
      identify(receive, { 'x-topic': topic }, Buffer.from(text)).dedupeKey;
    assert.equal(key('a', '1'), key('a', '1'));
    assert.notEqual(key('a', '1'), key('b', '1'));
    assert.notEqual(key('a', '1'), key('a', '2'));
  });

  test('needs a topic, and ids of a sane length', () => {
    for (const headers of [{}, { 'x-topic': '' }, { 'x-topic': 't', 'x-id': 'i'.repeat(513) }]) {
      assert.throws(
        () => identify(receive, headers, body),
        (error: unknown) => isCrossdockError(error, 'request-malformed'),
      );
    }
  });

  test('a time that nobody can read is left out', () => {
    for (const time of ['yesterday', '', '999999-01-01', '1e99']) {
      const headers = { 'x-topic': 't', 'x-time': time };
      assert.equal(identify(receive, headers, body).occurredAt, undefined);
    }
    const seconds = identify(receive, { 'x-topic': 't', 'x-time': '1795348800' }, body);
    assert.equal(seconds.occurredAt?.toISOString(), '2026-11-22T12:00:00.000Z');
  });
});

describe('a signature', () => {
  const signedWith = (secret: string): Record<string, string> => ({
    ...signedHeaders({ ...receive, secrets: [secret] }, { topic: 't', id: '1', body }),
  });

  test('of either live secret passes, of no other', () => {
    assert.equal(isAuthentic(receive, signedWith('new secret'), body), true);
    assert.equal(isAuthentic(receive, signedWith('old secret'), body), true);
    assert.equal(isAuthentic(receive, signedWith('another'), body), false);
    assert.equal(isAuthentic(receive, {}, body), false);
  });

  test('passes for the exact bytes only, and no forged header ever throws or passes', () => {
    const headers = signedWith('new secret');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.string(), (bytes, forged) => {
        const other = Buffer.from(bytes);
        if (!other.equals(body)) assert.equal(isAuthentic(receive, headers, other), false);
        const header = { 'x-sig': forged };
        assert.equal(isAuthentic(receive, header, body), forged === headers['x-sig']);
        assert.equal(isAuthentic(receive, { 'x-sig': `v1=${forged}` }, body), false);
      }),
    );
  });

  test('in hexadecimal may be written in capitals, with its prefix as it is', () => {
    const headers = signedWith('new secret');
    const upper = (headers['x-sig'] ?? '').replace(/[0-9a-f]{64}/, (hex) => hex.toUpperCase());
    assert.equal(isAuthentic(receive, { 'x-sig': upper }, body), true);
    assert.equal(isAuthentic(receive, { 'x-sig': upper.replace('v1=', 'V1=') }, body), false);
  });
});
