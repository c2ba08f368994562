import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { identify as identifyBy } from '../../src/intake/identify.ts';
import { signedHeaders } from '../../src/intake/sign.ts';
import { isAuthentic, readerOf, receiveOf } from '../support/receiver.ts';

const fields = {
  verify: { hmac: 'sha256', header: 'X-Sig', encoding: 'hex', prefix: 'v1=' },
  secrets: ['new secret', 'old secret'],
  topic: { header: ['X-Topic', 'topic'] },
  dedupe: { header: 'X-Id' },
  occurredAt: { header: 'X-Time' },
  shop: { header: 'X-Shop' },
};
const receive = receiveOf(fields);
const body = Buffer.from('{"id":1}');

type Headers = Readonly<Record<string, string>>;

function identify(by: typeof receive, headers: Headers, bytes: Buffer) {
  return identifyBy(by, readerOf(by, { headers, body: bytes }), { bytes });
}

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

  test('is never a reason to refuse: no topic is "unnamed", and in what cannot be read "unreadable"', () => {
    const long = 'i'.repeat(513);
    for (const headers of [{}, { 'x-topic': '' }, { 'x-topic': long }] as Headers[]) {
      assert.equal(identify(receive, headers, body).topic, 'unnamed');
      const from = readerOf(receive, { headers, body });
      const unreadable = 'not JSON';
      assert.equal(identifyBy(receive, from, { bytes: body, unreadable }).topic, 'unreadable');
    }
    assert.equal(identify(receive, { 'x-topic': 't', 'x-shop': long }, body).shop, undefined);
  });

  test('an id too long for an index counts by its hash', () => {
    const key = (id: string) => identify(receive, { 'x-topic': 't', 'x-id': id }, body).dedupeKey;
    assert.match(key('i'.repeat(513)), /^sha256:[0-9a-f]{64}$/);
    assert.notEqual(key('i'.repeat(513)), key('i'.repeat(514)));
    assert.equal(key('i'.repeat(512)), 'i'.repeat(512));
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
    ...signedHeaders(receiveOf({ ...fields, secrets: [secret] }), { topic: 't', id: '1', body }),
  });

  test('of either live secret passes, of no other', async () => {
    assert.equal(await isAuthentic(receive, { headers: signedWith('new secret'), body }), true);
    assert.equal(await isAuthentic(receive, { headers: signedWith('old secret'), body }), true);
    assert.equal(await isAuthentic(receive, { headers: signedWith('another'), body }), false);
    assert.equal(await isAuthentic(receive, { headers: {}, body }), false);
  });

  test('passes for the exact bytes only, and no forged header ever throws or passes', async () => {
    const headers = signedWith('new secret');
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.string(), async (bytes, forged) => {
        const other = Buffer.from(bytes);
        if (!other.equals(body))
          assert.equal(await isAuthentic(receive, { headers: headers, body: other }), false);
        const header = { 'x-sig': forged };
        assert.equal(
          await isAuthentic(receive, { headers: header, body }),
          forged === headers['x-sig'],
        );
        assert.equal(
          await isAuthentic(receive, { headers: { 'x-sig': `v1=${forged}` }, body }),
          false,
        );
      }),
    );
  });

  test('in hexadecimal may be written in capitals, with its prefix as it is', async () => {
    const headers = signedWith('new secret');
    const upper = (headers['x-sig'] ?? '').replace(/[0-9a-f]{64}/, (hex) => hex.toUpperCase());
    assert.equal(await isAuthentic(receive, { headers: { 'x-sig': upper }, body }), true);
    assert.equal(
      await isAuthentic(receive, { headers: { 'x-sig': upper.replace('v1=', 'V1=') }, body }),
      false,
    );
  });
});
