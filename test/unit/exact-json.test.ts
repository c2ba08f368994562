import assert from 'node:assert/strict';
import { test } from 'node:test';
import Big from 'big.js';
import fc from 'fast-check';
import { createNumerals, keepsDigits, parseKeepingDigits } from '../../src/model/exact-json.ts';
import {
  decodeJson,
  JSON_DEPTH_MAX,
  JSON_KEYS_MAX,
  UnreadableJson,
} from '../../src/model/json-text.ts';

function roundTrip(text: string): string | undefined {
  const numerals = createNumerals([text]);
  return numerals.stringify(numerals.parse(text));
}

function refusal(text: string): string {
  try {
    roundTrip(text);
  } catch (error) {
    assert.ok(error instanceof UnreadableJson);
    return error.message;
  }
  return 'accepted';
}

test('820982911946154508 comes out as 820982911946154508', () => {
  assert.equal(roundTrip('{"id":820982911946154508}'), '{"id":820982911946154508}');
});

for (const text of [
  '820982911946154508',
  '-9007199254740993',
  '[10.10,0.1,1.50e-3,0.00000012]',
  '[123456789012345678901234567890.123456789]',
  '[1e400,-1e-400]',
  '{"a":{"b":[9007199254740993,{"c":9007199254740995}]}}',
  '["10.10",10.10,"820982911946154508"]',
  '[true,false,null,"",0,-1,{},[]]',
]) {
  test(`${text} comes out with the same characters`, () => {
    assert.equal(roundTrip(text), text);
  });
}

test('whole numbers with other digits come out as the same number in plain digits', () => {
  assert.equal(roundTrip('[10.00, 1e3, -0.0, 1.0]'), '[10,1000,0,1]');
});

test('a price of 10.00 does not turn a quantity of 10 into 10.00', () => {
  assert.equal(roundTrip('{"price":10.00,"quantity":10}'), '{"price":10,"quantity":10}');
});

test('the first text of a fraction wins', () => {
  assert.equal(roundTrip('[10.10,10.1,10.100]'), '[10.10,10.10,10.10]');
});

test('a long number inside a longer text, or as a key, is text', () => {
  const source = '{"id":820982911946154508}';
  const numerals = createNumerals([source]);
  const { id } = numerals.parse(source) as { id: string };
  assert.equal(
    numerals.stringify({ order: `SO-${id}`, [id]: id, list: [id, `${id} `], quoted: `x"${id}` }),
    '{"order":"SO-820982911946154508","820982911946154508":820982911946154508,' +
      '"list":[820982911946154508,"820982911946154508 "],"quoted":"x\\"820982911946154508"}',
  );
});

test('noncharacters of the body are data, raw and escaped', () => {
  const text = '{"a":"1\uFDD0","b":"2\\ufdd1","c":"\uFDD2","id":820982911946154508}';
  assert.equal(
    roundTrip(text),
    '{"a":"1\uFDD0","b":"2\uFDD1","c":"\uFDD2","id":820982911946154508}',
  );
});

test('prototype keys are data', () => {
  const text = '{"__proto__":{"id":820982911946154508},"constructor":1,"prototype":2}';
  assert.equal(roundTrip(text), text);
});

test('a number where a key should be stays an error', () => {
  assert.match(
    refusal('{820982911946154508:1}'),
    /^not JSON: unexpected token at line 1 column 2$/,
  );
});

for (const [text, message] of [
  ['', 'not JSON: unexpected end'],
  ['{"a":1', 'not JSON: unexpected end'],
  ['{"a":1,}', 'not JSON: unexpected token at line 1 column 8'],
  ['{\n  "a": 1\n  "b": 2}', 'not JSON: unexpected token at line 3 column 3'],
  ['[1,2', 'not JSON: unexpected end'],
  ['[01]', 'not JSON: unexpected token at line 1 column 2'],
  ['secret', 'not JSON: unexpected token at line 1 column 1'],
  ['{"a":"secret\n"}', 'not JSON: unexpected token at line 1 column 6'],
  ['[1] secret', 'not JSON: unexpected token at line 1 column 5'],
  ["{'secret':1}", 'not JSON: unexpected token at line 1 column 2'],
  ['[1.]', 'not JSON: unexpected token at line 1 column 2'],
  ['["\\x"]', 'not JSON: unexpected token at line 1 column 2'],
] as const) {
  test(`${JSON.stringify(text)} is refused with "${message}"`, () => {
    assert.equal(refusal(text), message);
  });
}

test('a text nested at the limit is read and one deeper is refused', () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  assert.equal(roundTrip(nested(JSON_DEPTH_MAX)), nested(JSON_DEPTH_MAX));
  assert.equal(refusal(nested(JSON_DEPTH_MAX + 1)), 'nested deeper than 100 levels');
  assert.equal(refusal('{"a":'.repeat(1_000_000)), 'nested deeper than 100 levels');
});

test('an object with keys at the limit is read and one more is refused', () => {
  const keyed = (count: number) =>
    `{${Array.from({ length: count }, (_, index) => `"k${index}":1`).join(',')}}`;
  assert.equal(roundTrip(keyed(JSON_KEYS_MAX)), keyed(JSON_KEYS_MAX));
  assert.equal(refusal(keyed(JSON_KEYS_MAX + 1)), 'an object has over 10000 keys');
});

test('brackets, colons and quotes inside strings count for nothing', () => {
  const text = JSON.stringify({ a: '['.repeat(200), b: '":{\\'.repeat(100), c: '\\"' });
  assert.equal(roundTrip(text), text);
});

test('bytes are UTF-8, with or without a byte order mark', () => {
  assert.equal(decodeJson(Buffer.from('{"ä":"€"}')), '{"ä":"€"}');
  assert.equal(decodeJson(Buffer.from('\uFEFF{"a":1}')), '{"a":1}');
  assert.throws(() => decodeJson(Buffer.from('{"ä":1}', 'latin1')), UnreadableJson);
  assert.throws(() => roundTrip(decodeJson(Buffer.from('{"a":1}', 'utf16le'))), UnreadableJson);
});

test('parseKeepingDigits gives text for every number that would print otherwise', () => {
  assert.deepEqual(parseKeepingDigits('[820982911946154508,10.10,10.00,1e3,42,0.5,-1,"x",null]'), [
    '820982911946154508',
    '10.10',
    '10.00',
    '1e3',
    42,
    0.5,
    -1,
    'x',
    null,
  ]);
});

test('keepsDigits tells which literals a double can hold', () => {
  assert.deepEqual(
    ['9007199254740993', '9007199254740992', '0.1', '1e400', '0.12345678901234567890'].map(
      keepsDigits,
    ),
    [false, true, true, false, false],
  );
});

const literal = fc.oneof(
  fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }).map(String),
  fc
    .tuple(fc.bigInt({ min: 0n, max: 10n ** 25n }), fc.stringMatching(/^\d{1,25}$/))
    .map(([whole, fraction]) => `${whole}.${fraction}`),
  fc
    .tuple(
      fc.integer({ min: -9, max: 9 }),
      fc.stringMatching(/^\d{1,5}$/),
      fc.integer({ min: -30, max: 30 }),
    )
    .map(([whole, fraction, power]) => `${whole}.${fraction}e${power}`),
);

test('any JSON comes out with every number at its value and everything else unchanged', () => {
  const value = fc.json({ maxDepth: 3 });
  fc.assert(
    fc.property(fc.array(literal, { maxLength: 8 }), value, fc.string(), (literals, json, text) => {
      const source = `{"numbers":[${literals.join(',')}],"rest":${json},${JSON.stringify(`k${text}`)}:1}`;
      const out = roundTrip(source) ?? '';
      const numbers = /^\{"numbers":\[(.*?)\],"rest"/.exec(out)?.[1] ?? '';
      const back = numbers === '' ? [] : numbers.split(',');
      assert.equal(back.length, literals.length);
      for (const [index, written] of literals.entries()) {
        assert.ok(
          new Big(back[index] ?? 'NaN').eq(new Big(written)),
          `${written} as ${back[index]}`,
        );
      }
      const { numbers: _in, ...restIn } = JSON.parse(source);
      const { numbers: _out, ...restOut } = JSON.parse(out);
      assert.deepEqual(restOut, JSON.parse(JSON.stringify(restIn)));
    }),
    { numRuns: 300 },
  );
});
