import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EXCHANGE_TEXT_MAX } from '../../src/connectors/connector.ts';
import { createRedactor } from '../../src/connectors/redact.ts';

test('replaces every occurrence of every secret, in each form it travels in', () => {
  const secret = 'p"ä ss/+';
  const { redact } = createRedactor([secret, 'other-secret']);
  for (const form of [
    secret,
    JSON.stringify({ secret }),
    JSON.stringify(JSON.stringify({ secret })),
    `q=${encodeURIComponent(secret)}`,
    new URLSearchParams({ secret }).toString(),
    Buffer.from(secret).toString('base64'),
    'other-secret',
  ]) {
    const text = redact(`${form} and again ${form}`);
    assert.equal(text.split('[redacted]').length, 3, text);
    assert.doesNotMatch(text, /ss|cDEi|other/);
  }
});

test('a secret that holds another is replaced whole', () => {
  assert.equal(createRedactor(['abcd', 'xabcdx']).redact('xabcdx abcd'), '[redacted] [redacted]');
});

test('a value too short to be a secret leaves text alone', () => {
  assert.equal(createRedactor(['', 'a', 'abc']).redact('abc'), 'abc');
});

test('knows a secret that is added later', () => {
  const first = createRedactor(['first-secret']);
  const both = first.with('later-secret');
  assert.equal(both.redact('first-secret later-secret'), '[redacted] [redacted]');
  assert.equal(first.redact('later-secret'), 'later-secret');
});

test('an excerpt is within the limit and holds no part of a secret at its cut', () => {
  const secret = 'QWERTYUIOPASDFGH';
  const { excerpt } = createRedactor([secret]);
  fc.assert(
    fc.property(
      fc.integer({ min: EXCHANGE_TEXT_MAX - 40, max: EXCHANGE_TEXT_MAX + 40 }),
      fc.integer({ min: 0, max: 3_000 }),
      (before, repeats) => {
        const text = excerpt('x'.repeat(before) + secret.repeat(repeats));
        assert.ok(text.length <= EXCHANGE_TEXT_MAX);
        assert.doesNotMatch(text, /[QWERTYUIOP]/);
      },
    ),
    { numRuns: 50 },
  );
  const many = excerpt(secret.repeat(3_000));
  assert.doesNotMatch(many, /[QWERTYUIOP]/);
  assert.match(many, /… \[cut\]$/);
});
