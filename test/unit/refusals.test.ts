// What becomes of senders whose requests fail.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAILURES_PER_WINDOW_MAX } from '../../src/intake/failure-limits.ts';
import { createRefusals, KEYLESS_WEIGHT } from '../../src/intake/refusals.ts';
import { isCrossdockError } from '../../src/model/errors.ts';
import { silentMeter } from '../../src/model/meter.ts';
import { receiveOf, requestOf } from '../support/receiver.ts';

const receive = receiveOf({ verify: 'none' });

function refusalsOf() {
  const kept: string[] = [];
  const refusals = createRefusals({
    meter: silentMeter,
    quarantine: {
      keep: (_received, { code }) => void kept.push(code),
      close: async () => undefined,
    },
  });
  const from = (address: string) => ({
    connector: 'one',
    receive,
    request: requestOf({ address }),
  });
  const note = (address: string, code: 'key-unavailable' | 'signature-wrong') =>
    refusals.note(from(address), { kind: 'refused', code, reason: 'as it is' });
  return { refusals, kept, note, from };
}

test('who names keys that cannot be had is fetched none for the rest of the minute', () => {
  const { refusals, kept, note } = refusalsOf();
  for (let count = 0; count < FAILURES_PER_WINDOW_MAX / KEYLESS_WEIGHT; count += 1) {
    assert.equal(refusals.mayFetch('203.0.113.1'), true);
    assert.ok(isCrossdockError(note('203.0.113.1', 'key-unavailable'), 'key-unavailable'));
  }
  assert.equal(refusals.mayFetch('203.0.113.1'), false);
  assert.equal(refusals.mayFetch('203.0.113.2'), true);
  assert.equal(refusals.mayFetch(undefined), true);
  // It is no proof of anything, and not kept.
  assert.deepEqual(kept, []);
});

test('a good one of the same address speaks for it', () => {
  const { refusals, note, from } = refusalsOf();
  note('203.0.113.1', 'signature-wrong');
  refusals.passed(from('203.0.113.1'));
  for (let count = 0; count < 50; count += 1) note('203.0.113.1', 'key-unavailable');
  assert.equal(refusals.mayFetch('203.0.113.1'), true);
});

test('past the limit failures are answered 429 and not kept', () => {
  const { kept, note } = refusalsOf();
  for (let count = 0; count < FAILURES_PER_WINDOW_MAX; count += 1) {
    assert.ok(isCrossdockError(note('203.0.113.1', 'signature-wrong'), 'signature-invalid'));
  }
  assert.ok(isCrossdockError(note('203.0.113.1', 'signature-wrong'), 'too-many-refused'));
  assert.equal(kept.length, FAILURES_PER_WINDOW_MAX);
});
