import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  isFingerprint,
  normaliseReason,
  sightProblem,
} from '../../src/model/problem-fingerprint.ts';

const words = fc.constantFrom(
  'order',
  'was refused by',
  'of customer',
  'has no',
  'the total',
  'in',
);
const hexDigits = fc.constantFrom(...'0123456789abcdef');

/** What differs from one failure to the next. */
const varying = fc.oneof(
  fc.uuid(),
  fc.nat().map(String),
  fc.integer().map(String),
  fc.double({ min: 0.01, max: 1e9, noNaN: true }).map((value) => value.toFixed(2)),
  fc
    .date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })
    .map((date) => date.toISOString()),
  fc.string({ unit: hexDigits, minLength: 12, maxLength: 64 }),
  fc.nat().map((value) => `SO-${value}`),
  fc.nat().map((value) => `customer.${value}@shop.example`),
  fc.string().map((value) => JSON.stringify(value)),
);

const sight = (reason: string, connector = 'erp') =>
  sightProblem({ class: 'rejected', code: 'rejected', connector, reason });

test('what differs only in ids, numbers, times, addresses and quoted values is one problem', () => {
  fc.assert(
    fc.property(
      fc.array(words, { minLength: 1, maxLength: 6 }),
      fc.infiniteStream(varying),
      fc.infiniteStream(varying),
      (texts, first, second) => {
        const [one, other] = [first, second].map((values) =>
          texts.map((text) => `${text} ${values.next().value}`).join(' '),
        );
        assert.equal(sight(one ?? '').fingerprint, sight(other ?? '').fingerprint);
      },
    ),
  );
});

test('another connector, class or wording is another problem', () => {
  const one = sight('the ERP answered 422 Unprocessable Entity');
  assert.notEqual(
    one.fingerprint,
    sight('the ERP answered 422 Unprocessable Entity', 'mail').fingerprint,
  );
  assert.notEqual(one.fingerprint, sight('the ERP answered 500 Internal Server Error').fingerprint);
  const auth = {
    class: 'auth',
    code: 'rejected',
    connector: 'erp',
    reason: 'the ERP answered 422',
  };
  assert.notEqual(sight('the ERP answered 422').fingerprint, sightProblem(auth).fingerprint);
});

test('the message of a problem carries no value of a message and is short', () => {
  const reason =
    'no price for "Blue chair", SKU AB-1200, of jane@doe.example at 2026-01-02T03:04:05Z';
  assert.equal(normaliseReason(reason), 'no price for …, SKU …, of … at …');
  assert.ok(normaliseReason('x y '.repeat(2_000)).length <= 300);
});

test('the status of an answer is kept, and no other number', () => {
  for (const [reason, message] of [
    ['the ERP answered 422 Unprocessable Entity', 'the ERP answered 422 Unprocessable Entity'],
    [
      'erp answered 503; order 503 of 422 was not taken',
      'erp answered 503; order … of … was not taken',
    ],
    ['mail answered 550 to RCPT TO', 'mail answered 550 to RCPT TO'],
    [
      'erp answered 200, which is not in the success',
      'erp answered 200, which is not in the success',
    ],
    ['erp answered 4711 and 42 and 600', 'erp answered … and … and …'],
    ['erp answered 422-17', 'erp answered …'],
  ] as const) {
    assert.equal(normaliseReason(reason), message);
  }
  assert.notEqual(sight('erp answered 422').fingerprint, sight('erp answered 409').fingerprint);
  assert.equal(
    sight('erp answered 422 to order 17').fingerprint,
    sight('erp answered 422 to order 4711').fingerprint,
  );
});

test('a fingerprint is 32 hex digits, and its first 12 name it', () => {
  const { fingerprint } = sight('no');
  assert.match(fingerprint, /^[0-9a-f]{32}$/);
  assert.ok(isFingerprint(fingerprint.slice(0, 12)));
  assert.ok(!isFingerprint(fingerprint.slice(0, 11)));
  assert.ok(!isFingerprint('../../../etc'));
});
