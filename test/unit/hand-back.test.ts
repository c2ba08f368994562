import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hubErrorMs } from '../../src/delivery/hub-errors.ts';

test('errors of the hub in a row are waited for longer each time, and never over half a minute', () => {
  const longest = [0, 1, 2, 3, 4, 5, 50].map((before) => hubErrorMs(before, () => 1));
  assert.deepEqual(longest, [2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  assert.equal(
    hubErrorMs(0, () => 0),
    1_000,
  );
});
