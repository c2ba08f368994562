import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkExpression } from '../../src/mapping/check-expression.ts';
import { expressionOf } from '../support/evaluate.ts';

function check(source: string): string[] {
  return checkExpression(expressionOf(source)).map(
    ({ severity, line, column, code, message, hint }) =>
      `${severity} ${line}:${column} ${code} ${message}${hint === undefined ? '' : ` (${hint})`}`,
  );
}

for (const source of [
  '{"id": id, "lines": [lines.{"sku": sku}]}',
  '($x := 1; $f := function($a, $b){ $a + $b + $x }; $map([1], $f))',
  'orders@$o.items@$i[$o.id = $i.order].{"n": $i.name}',
  'items#$n.{"n": $n}',
  '$map(lines, $uppercase) ~> $join(", ")',
  '$decimal.add(price, tax) ~> $decimal.round(2)',
  '$map(prices, $decimal.round(?, 2))',
  'a ?? b ?: c',
  '$event.source = "shop" and $sent.id = 1',
  '$.id & $$.id',
  '$contains(name, /^(a+)+$/i)',
  'quantity * 2',
  'total_count + 1',
  'items^(>price)',
  '/* only a comment */ 1',
]) {
  test(`${source} has nothing wrong`, () => {
    assert.deepEqual(check(source), []);
  });
}

for (const [source, problems] of [
  [
    '{"a": 1,,}',
    ['error 1:9 expression-syntax S0211 The symbol "," cannot be used as a unary operator'],
  ],
  [
    '{\n  "a": (1 + \n}',
    ['error 3:1 expression-syntax S0211 The symbol "}" cannot be used as a unary operator'],
  ],
  ['{"a": 1  ', ['error 1:8 expression-syntax S0203 Expected "}" before end of expression']],
  ['/(/', ['error 1:3 expression-syntax S0302 No terminating / in regular expression']],
  [
    '{\n  "a": $upercase(b)\n}',
    ['error 2:8 unknown-function there is no function $upercase (did you mean "$uppercase"?)'],
  ],
  [
    '$decimal.ad(1, 2)',
    ['error 1:1 unknown-function no $decimal.ad (did you mean "$decimal.add"?)'],
  ],
  [
    '$decimal .add(1, 2)',
    [
      'error 1:1 unknown-function $decimal.add must be written without spaces (did you mean "$decimal.add"?)',
    ],
  ],
  ['sum(lines.qty)', ['error 1:1 unknown-function sum is no function (did you mean "$sum"?)']],
  [
    'fetch(url)',
    ['error 1:1 unknown-function fetch is no function (the names of functions start with $)'],
  ],
  ['$xyzzy()', ['error 1:1 unknown-function there is no function $xyzzy']],
  [
    'a ~> $trimm',
    ['warning 1:6 unknown-variable nothing gives $trimm a value (did you mean "$trim"?)'],
  ],
  [
    '($shipTo := 1; $shipto)',
    ['warning 1:16 unknown-variable nothing gives $shipto a value (did you mean "$shipTo"?)'],
  ],
  [
    'total_price * 1.19',
    [
      'warning 1:13 money-arithmetic * on total_price calculates money in binary fractions ' +
        '(use $decimal.add, .subtract, .multiply or .divide)',
    ],
  ],
  [
    '$number(line.price) + 1',
    [
      'warning 1:21 money-arithmetic + on price calculates money in binary fractions ' +
        '(use $decimal.add, .subtract, .multiply or .divide)',
    ],
  ],
  [
    'id = 820982911946154508',
    [
      'warning 1:6 number-inexact a number cannot hold the digits of 820982911946154508 ' +
        '(write it as a text, and compare it with $string(…))',
    ],
  ],
] as const) {
  test(`${JSON.stringify(source)} is reported`, () => {
    assert.deepEqual(check(source), problems);
  });
}

for (const source of ['$match(a, /(?<!x)y/)', '$match(a, /(?=x)/)', '$match(a, /(x)\\1/)']) {
  test(`the regular expression in ${source} is refused at its place`, () => {
    const [problem] = checkExpression(expressionOf(source));
    assert.equal(problem?.code, 'regex-unsupported');
    assert.equal(problem?.severity, 'error');
    assert.deepEqual([problem?.line, problem?.column], [1, 11]);
  });
}

test('places count from where the expression starts in its file', () => {
  const expression = { source: 'a +\n $x()', file: 'flows/a.yaml', line: 12, column: 7 };
  const [problem] = checkExpression(expression);
  assert.deepEqual([problem?.line, problem?.column], [13, 2]);
  const [first] = checkExpression({ ...expression, source: '$x()' });
  assert.deepEqual([first?.line, first?.column], [12, 7]);
});

test('an expression that nests without end is a problem, not a crash', () => {
  const [problem] = checkExpression(expressionOf('('.repeat(100_000)));
  assert.equal(problem?.code, 'expression-syntax');
  const [long] = checkExpression(expressionOf(' '.repeat(300_000)));
  assert.equal(long?.code, 'expression-syntax');
});
