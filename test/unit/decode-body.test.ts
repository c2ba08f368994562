import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { decodeBody, encodingOf } from '../../src/http/decode-body.ts';
import { isCrossdockError } from '../../src/model/errors.ts';

const body = Buffer.from('{"id":1}'.repeat(50));
const encoded: readonly (readonly [string, Buffer])[] = [
  ['gzip', gzipSync(body)],
  ['x-gzip', gzipSync(body)],
  ['deflate', deflateSync(body)],
  ['deflate', deflateRawSync(body)],
  ['br', brotliCompressSync(body)],
];
const is =
  (code: 'body-too-large' | 'request-malformed' | 'encoding-unsupported') => (error: unknown) =>
    isCrossdockError(error, code);

describe('a compressed body', () => {
  test('is decoded up to its limit, and not a byte beyond', async () => {
    for (const [encoding, bytes] of encoded) {
      assert.deepEqual(await decodeBody(bytes, encoding, body.length), body, encoding);
      await assert.rejects(decodeBody(bytes, encoding, body.length - 1), is('body-too-large'));
    }
  });

  test('that is cut off, damaged or not compressed at all is refused', async () => {
    for (const [encoding, bytes] of encoded) {
      const cut = bytes.subarray(0, bytes.length - 5);
      await assert.rejects(decodeBody(cut, encoding, 10_000), is('request-malformed'), encoding);
      await assert.rejects(decodeBody(Buffer.alloc(0), encoding, 10_000), is('request-malformed'));
    }
    await assert.rejects(decodeBody(body, 'gzip', 10_000), is('request-malformed'));
  });

  test('of an encoding that is not known, or of two, is refused before it is read', () => {
    assert.equal(encodingOf(undefined), undefined);
    assert.equal(encodingOf(' Identity '), undefined);
    assert.equal(encodingOf('GZIP'), 'gzip');
    for (const header of ['zstd', 'gzip, br', 'compress', 'x']) {
      assert.throws(() => encodingOf(header), is('encoding-unsupported'));
    }
  });

  test('that would fill the memory does not: 200 MB in 200 kB', async () => {
    const bombs = [gzipSync(Buffer.alloc(200 * 1_048_576)), brotliCompressSync(Buffer.alloc(1e7))];
    globalThis.gc?.();
    const before = process.memoryUsage().rss;
    await assert.rejects(decodeBody(bombs[0] ?? body, 'gzip', 1_048_576), is('body-too-large'));
    await assert.rejects(decodeBody(bombs[1] ?? body, 'br', 1_048_576), is('body-too-large'));
    const grownMb = (process.memoryUsage().rss - before) / 1_048_576;
    assert.ok(grownMb < 20, `${grownMb} MB more`);
  });
});
