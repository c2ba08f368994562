import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { functionDocs } from '../../src/mapping/function-docs.ts';
import { engineFunctionNames, loadEngineFunctions } from '../../src/mapping/function-library.ts';
import { evaluate } from '../support/evaluate.ts';

for (const { name, example, result } of functionDocs) {
  test(`the example of $${name} comes to what the documentation says`, async () => {
    assert.equal(await evaluate(example), result);
  });
}

test('every function of JSONata is known and nothing else', async () => {
  const known = await loadEngineFunctions();
  for (const name of engineFunctionNames) {
    assert.equal(known.get(name)?._jsonata_function, true, name);
  }
  const source = readFileSync(createRequire(import.meta.url).resolve('jsonata'), 'utf8');
  const bound = new Set([...source.matchAll(/\.bind\('(\w+)', defineFunction/g)].map((m) => m[1]));
  assert.equal(bound.size, engineFunctionNames.length);
  for (const name of bound) assert.ok(engineFunctionNames.includes(name ?? ''), name);
});

test('arguments of a function are looked up in the context of the call', async () => {
  const body = {
    lines: [
      { price: '1.10', tax: '0.22' },
      { price: '2.00', tax: '0.40' },
    ],
  };
  assert.equal(await evaluate('lines.$decimal.add(price, tax)', body), '["1.32","2.40"]');
});

test('a function takes its first argument from ~> and can be applied in part', async () => {
  const body = { total: '19.995', prices: ['1.005', '2.5'] };
  assert.equal(await evaluate('total ~> $decimal.round(2)', body), '"20.00"');
  assert.equal(await evaluate('$map(prices, $decimal.round(?, 2))', body), '["1.01","2.50"]');
  assert.equal(await evaluate('$map(prices, $slug)', body), '["1-005","2-5"]');
});

test('nothing in gives nothing out', async () => {
  assert.equal(await evaluate('{"a": $decimal.add(missing, "1"), "b": $slug(missing)}'), '{}');
});

test('the name of a function inside a text is text', async () => {
  assert.equal(
    await evaluate('"$decimal.add(1)" & `$date.iso`', { '$date.iso': '!' }),
    '"$decimal.add(1)!"',
  );
});

for (const [expression, result] of [
  ['$decimal.add(0.1, 0.2)', '"0.3"'],
  ['$decimal.add("-0.10", 1)', '"0.90"'],
  ['$decimal.add("999999999999999999999999.99", "0.01")', '"1000000000000000000000000.00"'],
  ['$decimal.multiply("0.1", "0.1")', '"0.01"'],
  ['$decimal.multiply("1e-7", 1)', '"0.0000001"'],
  ['$decimal.divide(1, 3)', '"0.33333333333333333333"'],
  ['$decimal.divide("2", "3", 2)', '"0.67"'],
  ['$decimal.round("2.5")', '"3"'],
  ['$decimal.round("-2.5")', '"-3"'],
  ['$decimal.round("2.5", 0, "half-even")', '"2"'],
  ['$decimal.round("2.51", 1, "down")', '"2.5"'],
  ['$decimal.round("2.51", 1, "up")', '"2.6"'],
  ['$decimal.round("1", 2)', '"1.00"'],
  ['$decimal.compare("1.0", 1)', '0'],
  ['$decimal.sum([])', '"0"'],
  ['$decimal.sum("1.5")', '"1.5"'],
  ['$date.iso("2024-02-29")', '"2024-02-29T00:00:00.000Z"'],
  ['$date.iso(0)', '"1970-01-01T00:00:00.000Z"'],
  ['$date.iso("2024-02-29T12:00:00.123456+0530")', '"2024-02-29T06:30:00.123Z"'],
  ['$date.add("2024-02-28T12:00:00Z", "-2h")', '"2024-02-28T10:00:00.000Z"'],
  ['$date.day("2024-02-28T23:59:59Z")', '"2024-02-28"'],
  ['$slug("  --Über GRÖSSE/ß & Œuvre-- ")', '"uber-grosse-ss-oeuvre"'],
  ['$slug("日本")', '""'],
  ['$hash("abc", "md5", "base64")', '"kAFQmDzST7DWlj99KOF/cg=="'],
] as const) {
  test(`${expression} is ${result}`, async () => {
    assert.equal(await evaluate(expression), result);
  });
}

for (const [expression, message] of [
  ['$decimal.add("1", "ten")', '$decimal.add: argument 2 is no decimal number but another text'],
  ['$decimal.add(null, 1)', '$decimal.add: argument 1 is no decimal number but null'],
  ['$decimal.add({}, 1)', '$decimal.add: argument 1 is no decimal number but of type object'],
  ['$decimal.add("1e999", 1)', '$decimal.add: argument 1 is no decimal number but another text'],
  ['$decimal.divide(1, 0)', '$decimal.divide: argument 2 is zero'],
  [
    '$decimal.round("1", 101)',
    '$decimal.round: argument 2 must be a number of decimals from 0 to 100',
  ],
  ['$decimal.round("1", 1, "x")', 'argument 3 must be "half-up", "half-even", "up" or "down"'],
  ['$date.iso("yesterday")', '$date.iso: argument 1 is no ISO 8601 date'],
  ['$date.iso("2023-02-29")', '$date.iso: argument 1 is no date that exists'],
  [
    '$date.add("2023-02-28", "soon")',
    'argument 2 must be a duration such as "30d", "-2h" or "15m"',
  ],
  ['$date.day("2023-02-28", "Mars/Olympus")', 'argument 2 is no IANA time zone'],
  ['$date.fromUnix(1e300)', 'the date is out of range'],
  ['$hash("a", "crc32")', 'argument 2 must be one of sha256'],
] as const) {
  test(`${expression} is refused: ${message}`, async () => {
    await assert.rejects(evaluate(expression), (error: Error) => error.message.includes(message));
  });
}

test('$now and $millis answer with the time they are given, again and again', async () => {
  const result = await evaluate(
    '[$now(), $millis(), $now("[Y0001]")]',
    {},
    { nowMs: 1_700_000_000_000 },
  );
  assert.equal(result, '["2023-11-14T22:13:20.000Z",1700000000000,"2023"]');
});
