import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createEventReader, parseEventPath } from '../../src/definitions/event-path.ts';
import { versionText } from '../../src/definitions/event-version.ts';
import { decimalText } from '../../src/model/decimal-text.ts';

function read(path: string, body: string | Buffer, shop?: string): string | undefined {
  return valueAt(path, body, shop)?.text;
}

function valueAt(path: string, body: string | Buffer, shop?: string) {
  const parsed = parseEventPath(path);
  if ('problem' in parsed) throw new Error(parsed.problem.message);
  const event = { source: 'shop', topic: 'orders/create', body: Buffer.from(body) };
  return createEventReader(shop === undefined ? event : { ...event, shop })(parsed.path);
}

function version(literal: string): string | undefined {
  return versionText(valueAt('v', `{"v":${literal}}`));
}

test('a path leads to names, indexes and odd names of the body', () => {
  const body =
    '{"id":7,"customer":{"id":"c1"},"line_items":[{"sku":"a-1"}],"odd name":{"x.y":true}}';
  assert.equal(read('id', body), '7');
  assert.equal(read('customer.id', body), 'c1');
  assert.equal(read('line_items[0].sku', body), 'a-1');
  assert.equal(read('`odd name`.`x.y`', body), 'true');
  assert.equal(read('[1]', '[1,2]'), '2');
  assert.equal(read('[0].id', '[{"id":3}]'), '3');
});

test('a path that leads nowhere, to nothing or to a structure gives no key', () => {
  const body = '{"a":null,"b":{},"c":[],"d":""}';
  for (const path of ['a', 'b', 'c', 'd', 'e', 'a.b', 'c[0]', 'c.length', 'b[0]', 'toString']) {
    assert.equal(read(path, body), undefined, path);
  }
  for (const broken of ['', '{', 'plain text', '\u00ff', '"text"', '1']) {
    assert.equal(read('a', broken), undefined, broken);
  }
  assert.equal(read('a', Buffer.from([0xff, 0xfe])), undefined);
});

test('the hub knows an event without its body', () => {
  assert.equal(read('$event.shop', 'no json', 'tiny.example'), 'tiny.example');
  assert.equal(read('$event.shop', '{}'), undefined);
  assert.equal(read('$event.topic', ''), 'orders/create');
  assert.equal(read('$event.source', ''), 'shop');
});

test('numbers are keys by their digits: neighbours differ, other spellings do not', () => {
  assert.equal(read('id', '{"id":820982911946154508}'), '820982911946154508');
  assert.notEqual(read('id', '{"id":820982911946154509}'), '820982911946154508');
  for (const one of ['1', '1.0', '1.00', '10e-1', '0.1E1', '"1"']) {
    assert.equal(read('id', `{"id":${one}}`), '1', one);
  }
  assert.equal(read('id', '{"id":-0.0}'), '0');
  assert.equal(read('id', '{"id":12345678901234567890.50}'), '12345678901234567890.5');
});

test('text that is no path says where it breaks', () => {
  for (const text of [
    '',
    '.a',
    'a.',
    'a..b',
    'a b',
    'a[',
    'a[x]',
    'a[-1]',
    '1a',
    '$',
    '$event',
    '``',
  ]) {
    assert.ok('problem' in parseEventPath(text), text);
  }
  for (const text of ['$event.id', '$event.shop.x', '$sum(a)', 'a[0]b', 'a'.repeat(501)]) {
    assert.ok('problem' in parseEventPath(text), text);
  }
});

test('a path of any names leads to what stands there', () => {
  const name = fc
    .string({ minLength: 1, maxLength: 8, unit: 'grapheme' })
    .filter((s) => !s.includes('`'));
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), fc.bigInt(), (names, id) => {
      const path = names.map((one) => `\`${one}\``).join('.');
      const body = names.reduceRight((inner, one) => `{${JSON.stringify(one)}:${inner}}`, `${id}`);
      assert.equal(read(path, body), `${id}`);
    }),
  );
});

test('a version is a number, exact, or a time in milliseconds', () => {
  assert.equal(version('820982911946154508'), '820982911946154508');
  assert.equal(version('"820982911946154509"'), '820982911946154509');
  assert.equal(version('1.50'), '1.5');
  assert.equal(version('"2026-01-01T00:00:00Z"'), '1767225600000');
  assert.equal(version('"2026-01-01T01:00:00+01:00"'), '1767225600000');
  assert.equal(version('"2025-12-31T19:00:00.123456-0500"'), '1767225600123.456');
  assert.equal(version('"2026-01-01"'), '1767225600000');
  assert.equal(version('"2026-01-01 00:00"'), '1767225600000');
  assert.equal(version('"1969-12-31T23:59:59.5Z"'), '-500');
  assert.equal(version('"2025-12-31T23:59:60Z"'), '1767225600000');
});

test('what is neither a number nor a time is no version', () => {
  const none = ['true', 'null', '{}', '"soon"', '"2026-02-30"', '"2026-01-01T25:00Z"', '1e400'];
  for (const one of [
    ...none,
    '"2026-01-01T00:61Z"',
    '"2026-01-01T00:00+99"',
    '"NaN"',
    '1e-99999',
  ]) {
    assert.equal(version(one), undefined, one);
  }
});

test('equal numbers have one text, and a text is its number', () => {
  fc.assert(
    fc.property(fc.bigInt(), fc.integer({ min: 0, max: 20 }), (digits, zeros) => {
      const spelled = `${digits}${'0'.repeat(zeros)}e-${zeros}`;
      assert.equal(decimalText(spelled), `${digits}`);
    }),
  );
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
      assert.equal(Number(decimalText(String(number))), number === 0 ? 0 : number);
    }),
  );
});
