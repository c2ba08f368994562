import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Digits, formatExact, parseExactJson, parseYamlList } from '../../src/cli/exact-value.ts';
import { compareExact, isSameNumber } from '../../src/cli/testing/compare.ts';

function differences(expected: string, received: string) {
  return compareExact('', parseExactJson(expected), parseExactJson(received));
}

test('JSON text that is parsed and written again keeps every digit', () => {
  const text = '{"id":820982911946154508,"price":10.10,"list":[1e3,-0.5],"text":"12.30"}';
  assert.equal(formatExact(parseExactJson(text)), text);
});

test('any JSON value is the same after being parsed and written again', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      assert.deepEqual(JSON.parse(formatExact(parseExactJson(text))), JSON.parse(text));
    }),
  );
});

test('numbers of YAML keep the digits that are written', () => {
  const [item] = parseYamlList('- { id: 820982911946154508, price: 10.10, hex: 0x10, text: "7" }');
  assert.ok(item);
  assert.equal(
    formatExact(item.value),
    '{"id":820982911946154508,"price":10.10,"hex":16,"text":"7"}',
  );
});

test('an element of a YAML list knows its line', () => {
  const items = parseYamlList('# a comment\n- name: one\n\n- name: two\n');
  assert.deepEqual(
    items.map(({ line }) => line),
    [2, 4],
  );
});

test('numbers are the same by their value, not by their writing', () => {
  const same = (left: string, right: string) => isSameNumber(new Digits(left), new Digits(right));
  assert.ok(same('10.10', '10.1'));
  assert.ok(same('1e3', '1000'));
  assert.ok(same('-0', '0'));
  assert.ok(!same('820982911946154508', '820982911946154509'));
  assert.ok(!same('0.1', '-0.1'));
  assert.ok(!same('100', '10'));
});

test('equal values have no differences, in whatever order their fields stand', () => {
  assert.deepEqual(differences('{"a":1,"b":[true,null]}', '{"b":[true,null],"a":1.0}'), []);
});

test('each place that differs is named with both values', () => {
  assert.deepEqual(
    differences('{"lines":[{"sku":"a"},{"sku":"b"}],"a b":1}', '{"lines":[{"sku":"c"}],"x":null}'),
    [
      { path: 'lines[0].sku', expected: '"a"', received: '"c"' },
      { path: 'lines[1]', expected: '{"sku":"b"}', received: undefined },
      { path: '["a b"]', expected: '1', received: undefined },
      { path: 'x', expected: undefined, received: 'null' },
    ],
  );
});

test('a number and its text differ', () => {
  assert.deepEqual(differences('{"id":1}', '{"id":"1"}'), [
    { path: 'id', expected: '1', received: '"1"' },
  ]);
});

test('a field called __proto__ is compared like any other', () => {
  assert.equal(differences('{"__proto__":1}', '{}').length, 1);
  assert.deepEqual(differences('{"__proto__":1}', '{"__proto__":1}'), []);
});
