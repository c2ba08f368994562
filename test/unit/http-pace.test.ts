import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Pace, paceOf } from '../../src/connectors/http-pace.ts';
import { RETRY_AFTER_MAX_MS } from '../../src/model/retry.ts';

const nowMs = Date.parse('2026-11-22T12:00:00Z');
const nowSeconds = nowMs / 1_000;

function pace(status: number, headers: Record<string, string>): Pace {
  return paceOf(status, headers, nowMs);
}

describe('Retry-After', () => {
  test('says when the message may come again; on 429 and 503 the lane rests that long', () => {
    const headers = { 'retry-after': '30' };
    assert.deepEqual(pace(429, headers), { afterMs: 30_000, restMs: 30_000 });
    assert.deepEqual(pace(503, headers), { afterMs: 30_000, restMs: 30_000 });
    assert.deepEqual(pace(408, headers), { afterMs: 30_000 });
    const date = { 'retry-after': 'Sun, 22 Nov 2026 12:01:00 GMT' };
    assert.deepEqual(pace(503, date), { afterMs: 60_000, restMs: 60_000 });
  });

  test('comes before what the limits say', () => {
    const headers = { 'retry-after': '5', 'ratelimit-remaining': '0', 'ratelimit-reset': '60' };
    assert.deepEqual(pace(429, headers), { afterMs: 5_000, restMs: 5_000 });
  });
});

describe('a limit', () => {
  test('is read in each of its forms', () => {
    for (const headers of [
      { 'ratelimit-limit': '100', 'ratelimit-remaining': '0', 'ratelimit-reset': '30' },
      { ratelimit: '"default";r=0;t=30' },
      { ratelimit: '"burst";r=0;t=3, "hour";r=0;t=30;pk=:a:, "day";r=9;t=3600' },
      { ratelimit: 'limit=10, remaining=0, reset=30' },
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '30' },
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(nowSeconds + 30) },
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(nowMs + 30_000) },
      { 'x-rate-limit-remaining': '0', 'x-rate-limit-reset': '30.0' },
    ]) {
      assert.deepEqual(pace(200, headers), { restMs: 30_000 }, JSON.stringify(headers));
    }
  });

  test('of which something remains asks for no rest', () => {
    assert.deepEqual(pace(200, { 'ratelimit-remaining': '1', 'ratelimit-reset': '30' }), {});
    assert.deepEqual(pace(200, { ratelimit: '"default";r=1;t=30' }), {});
    assert.deepEqual(pace(200, { 'x-ratelimit-reset': '30' }), {});
  });

  test('stands for Retry-After on a 429, also without a count', () => {
    const asked = { afterMs: 30_000, restMs: 30_000 };
    assert.deepEqual(pace(429, { 'x-ratelimit-reset': '30' }), asked);
    assert.deepEqual(pace(429, { ratelimit: '"default";r=0;t=30' }), asked);
  });
});

test('a 429 that says nothing asks for nothing', () => {
  assert.deepEqual(pace(429, {}), {});
});

const names = [
  'retry-after',
  'ratelimit',
  'ratelimit-remaining',
  'ratelimit-reset',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
];
const values = fc.oneof(
  fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }).map(String),
  fc.integer({ min: -9, max: 9 }).map(String),
  fc.integer().map((t) => `"default";r=0;t=${t}`),
  fc.string(),
);

test('is never negative and never beyond the cap, whatever the headers say', () => {
  const headers = fc.dictionary(fc.constantFrom(...names), values);
  const statuses = fc.constantFrom(200, 404, 429, 500, 503);
  fc.assert(
    fc.property(statuses, headers, (status, given) => {
      for (const ms of Object.values(pace(status, given))) {
        assert.ok(ms >= 0 && ms <= RETRY_AFTER_MAX_MS, String(ms));
      }
    }),
    { numRuns: 2_000 },
  );
});

test('is nothing where the headers are garbage', () => {
  const garbage = fc.string().filter((text) => !/^\s*\d|[;,=]\s*\d|^[A-Za-z]{3},? /.test(text));
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), garbage), (given) => {
      assert.deepEqual(pace(429, given), {});
    }),
  );
});
