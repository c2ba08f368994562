import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { IntakeRequest } from '../../src/intake/intake.ts';
import { type HttpHub, startHttp } from '../support/http-hub.ts';

const BODY_BYTES_MAX = 1_000;
let hub: HttpHub;
let accepted: IntakeRequest[] = [];

before(async () => {
  hub = await startHttp({
    intake: {
      questionMethods: () => [],
      bodyBytesMax: () => BODY_BYTES_MAX,
      accept: async (request) => {
        accepted.push(request);
        return { status: 200, body: { id: 'e1' } };
      },
    },
  });
});
after(() => hub.server.close(1_000));
beforeEach(() => {
  accepted = [];
});

const post = (path: string, init: RequestInit = {}) =>
  fetch(`${hub.url}${path}`, { method: 'POST', ...init });

test('a compressed body reaches intake decoded and as it was sent, within the limit', async () => {
  const body = '{"id":1}';
  const encodings = {
    gzip: gzipSync(body),
    deflate: deflateSync(body),
    br: brotliCompressSync(body),
  };
  for (const [encoding, bytes] of Object.entries(encodings)) {
    accepted = [];
    const headers = { 'content-encoding': encoding };
    assert.equal((await post('/webhooks/shop', { body: bytes, headers })).status, 200);
    assert.equal(accepted[0]?.body.toString(), body);
    assert.deepEqual(accepted[0]?.sentBody, bytes);
  }
  const identity = { 'content-encoding': 'identity' };
  assert.equal((await post('/webhooks/shop', { body: 'x', headers: identity })).status, 200);
  assert.equal(accepted.at(-1)?.sentBody, undefined);
});

test('a compressed body is 413 beyond the limit, 400 when broken, 415 when not known', async () => {
  const send = async (encoding: string, body: Buffer) =>
    (await post('/webhooks/shop', { body, headers: { 'content-encoding': encoding } })).status;
  const bomb = gzipSync(Buffer.alloc(BODY_BYTES_MAX + 1));
  assert.equal(await send('gzip', bomb), 413);
  assert.equal(await send('gzip', gzipSync(Buffer.alloc(BODY_BYTES_MAX))), 200);
  assert.equal(await send('gzip', gzipSync('{"id":1}').subarray(0, 15)), 400);
  assert.equal(await send('zstd', bomb), 415);
  assert.equal(await send('gzip, gzip', bomb), 415);
  assert.equal(accepted.length, 1);
});
