import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Program, SchemaText } from '../../src/model/flow-revision.ts';
import { evaluate, expressionOf, runProgram } from '../support/evaluate.ts';

const shopifyId = '820982911946154508';
const order = `{"id":${shopifyId},"total":10.10,"count":3,"lines":[{"id":${shopifyId}},{"id":2}]}`;

function map(source: string): Program {
  return { map: expressionOf(source, 'mappings/order.jsonata') };
}

async function failure(source: string, body: unknown = {}): Promise<string> {
  const answer = await runProgram(map(source), body);
  assert.equal(answer.kind, 'failed');
  return answer.kind === 'failed' ? `${answer.code} | ${answer.message}` : '';
}

for (const [source, output] of [
  ['id', shopifyId],
  ['{"id": id, "t": total}', `{"id":${shopifyId},"t":10.10}`],
  ['"SO-" & id', `"SO-${shopifyId}"`],
  ['$string(id)', `"${shopifyId}"`],
  ['id & ""', `"${shopifyId}"`],
  ['"" & id', `"${shopifyId}"`],
  ['missing & ""', '""'],
  ['$string($)', JSON.stringify(order.replace('10.10', '10.1'))],
  ['$type(id)', '"number"'],
  ['lines.id', `[${shopifyId},2]`],
  ['lines[id = $$.id].id', shopifyId],
  ['id = lines[0].id', 'true'],
  ['$string(id) = "820982911946154508"', 'true'],
  ['$length(id)', '18'],
  ['$substring(id, 0, 3)', '"820"'],
  ['$join(["a", $string(id)], "-")', `"a-${shopifyId}"`],
  ['{id: 1}', null],
  ['{$string(id): 1}', `{"${shopifyId}":1}`],
  ['$decimal.add(id, 1)', '"820982911946154509"'],
  ['$clone($).id', shopifyId],
  ['$uppercase($encodeUrlComponent(id))', `"${shopifyId}"`],
  ['total + 1', '11.1'],
  ['$number("10.10")', '10.10'],
  ['count', '3'],
  ['$', order],
  ['$merge([$, {"extra": true}])', `${order.slice(0, -1)},"extra":true}`],
] as const) {
  test(`${source} over an order with a long id is ${output ?? 'that id as a key'}`, async () => {
    assert.equal(await evaluate(source, order), output ?? `{"${shopifyId}":1}`);
  });
}

test('numbers of the message that an answer belongs to survive too', async () => {
  const sent = '{"id":9007199254740993,"price":1.50}';
  const source = '{"id": $sent.id, "price": $sent.price, "own": id}';
  assert.equal(
    await evaluate(source, '{"id":5}', { sent }),
    '{"id":9007199254740993,"price":1.50,"own":5}',
  );
});

for (const [source, message] of [
  ['{\n  "a": id + 1\n}', 'mappings/order.jsonata:2:11 T2001 the left side of + has more digits'],
  ['1 * id', ':1:3 T2002 the right side of * has more digits than a number can hold; use $decimal'],
  ['$number(id)', ':1:1 function-failed $number: the value has more digits than a number can hold'],
  ['$number("9007199254740993")', ':1:1 function-failed $number: the value has more digits'],
  ['id > 5', ':1:4 T2009 one side of > has more digits than a number can hold; use $decimal'],
] as const) {
  test(`${JSON.stringify(source)} says that a number has too many digits`, async () => {
    const text = await failure(source, order);
    assert.ok(text.startsWith('mapping-failed | '), text);
    assert.ok(text.includes(message), text);
  });
}

for (const [source, message] of [
  ['1 +\n  name * 2', 'mappings/order.jsonata:2:8 T2001 the left side of * is no number'],
  ['{"a": 1,\n "b": $number(name)}', 'mappings/order.jsonata:2:7 D3030 the value cannot be made'],
  ['name ~> $number', ':1:9 D3030'],
  ['$map([name], $number)', 'D3030'],
  ['$nothing(name)', ':1:1 T1006 nothing is no function'],
  ['-name', ':1:1 D1002'],
  ['name < 5', ':1:6 T2009'],
  ['{5: name}', ':1:1 T1003'],
  ['$substring(name, name)', ':1:1 T0410 argument 2 of $substring() has the wrong type'],
  ['$sum([name])', ':1:1 T0412'],
  ['$error("no SKU")', ':1:1 D3137 no SKU'],
  [
    '$error("no SKU for " & name)',
    'D3137 $error() stopped the mapping with a message made from data',
  ],
  ['$assert(false, name)', 'D3141 $assert() stopped the mapping'],
  ['$eval(name & "(")', 'D3120'],
  ['$eval("$number(name)")', 'D3121'],
  ['[{"k": 1}, {"k": name}]^(k)', 'T2007'],
  ['$toMillis(name)', 'D3110'],
  ['$formatNumber(5, name)', 'D30'],
  ['$hash(name, name)', ':1:1 function-failed $hash: argument 2 must be one of'],
  ['$decimal.add(name, 1)', ':1:1 function-failed $decimal.add: argument 1'],
  ['|$|{"a": 1}, 5|\n ~> name', ':2:2 T2006'],
  ['{"a": {"b": $uppercase}}', 'the result holds a function'],
  ['function($x){$x}', 'the result holds a function'],
  ['missing', 'the mapping produced nothing'],
  ['($f := function($x){ 1 + $f($x) }; $f(name))', 'D1011 the recursion is too deep'],
] as const) {
  test(`${JSON.stringify(source)} fails with its place and without the canary`, async () => {
    const text = await failure(source, { name: 'canary(secret' });
    assert.ok(text.includes(message), text);
    assert.doesNotMatch(text, /canary|secret/);
  });
}

for (const [source, message] of [
  ['{"a": 1,,}', ':1:9 S0211'],
  ['(\n  1;\n  a +', ':3:6 S020'],
  ['a b', ':1:3 S0201'],
  ['"abc', 'S0101'],
  ['$decimal.add(1, 2', ':1:18 S0203'],
  ['1 + /[b-a]/', ':1:5 S0303'],
  ['$f(/(?=x)/)', 'cannot be evaluated'],
] as const) {
  test(`${JSON.stringify(source)} is a mistake at ${message}`, async () => {
    const text = await failure(source, { a: 'x' });
    assert.ok(text.startsWith('mapping-failed | '), text);
    if (!source.startsWith('$f')) assert.ok(text.includes(message), text);
  });
}

test('a position counts from where the expression stands in its file', async () => {
  const when = { source: 'a = \n b + 1', file: 'flows/a.yaml', line: 7, column: 9 };
  const answer = await runProgram({ when }, { b: 'x' });
  assert.equal(
    answer.kind === 'failed' && answer.message.startsWith('flows/a.yaml:8:4 T2001'),
    true,
  );
  const first = await runProgram({ when: { ...when, source: 'b + 1' } }, { b: 'x' });
  assert.equal(
    first.kind === 'failed' && first.message.startsWith('flows/a.yaml:7:11 T2001'),
    true,
  );
});

for (const [source, kind] of [
  ['status = "paid"', 'unchanged'],
  ['status = "open"', 'filtered'],
  ['missing', 'filtered'],
  ['[]', 'filtered'],
  ['0', 'filtered'],
  ['"0"', 'unchanged'],
  ['{}', 'filtered'],
  ['[false, 1]', 'unchanged'],
  ['$event.topic = "orders/create"', 'unchanged'],
] as const) {
  test(`when ${source} the delivery is ${kind}`, async () => {
    const answer = await runProgram({ when: expressionOf(source) }, { status: 'paid' });
    assert.equal(answer.kind, kind);
  });
}

test('a false when runs no mapping, and a failing input schema no when', async () => {
  const input: SchemaText = { file: 'schemas/in.json', text: '{"required":["id"]}' };
  const when = expressionOf('$error("when")');
  const broken = expressionOf('$error("map")');
  const filtered = await runProgram({ when: expressionOf('false'), map: broken }, {});
  assert.equal(filtered.kind, 'filtered');
  const refused = await runProgram({ input, when, map: broken }, {});
  assert.equal(refused.kind === 'failed' && refused.code, 'input-invalid');
  assert.match(
    refused.kind === 'failed' ? refused.message : '',
    /must have required property 'id'/,
  );
});

const schema: SchemaText = {
  file: 'schemas/order.json',
  text: JSON.stringify({
    type: 'object',
    required: ['id'],
    properties: {
      id: { type: 'integer' },
      price: { type: 'number', multipleOf: 0.01 },
      sku: { type: 'string', pattern: '^(a+)+$' },
      email: { type: 'string', format: 'email' },
    },
    additionalProperties: { type: 'string' },
  }),
};

for (const [body, message] of [
  [`{"id":${shopifyId},"price":4.35}`, undefined],
  ['{"id":"secret"}', 'schemas/order.json: /id must be integer'],
  ['{}', "schemas/order.json: the value must have required property 'id'"],
  ['{"id":1,"secret":5}', 'schemas/order.json: /* must be string'],
  ['{"id":1,"email":"secret"}', 'schemas/order.json: /email must match format "email"'],
  [`{"id":1,"sku":"${'a'.repeat(5_000)}!"}`, 'schemas/order.json: /sku must match pattern'],
] as const) {
  test(`a schema answers ${message ?? 'nothing'} to ${body.slice(0, 40)}`, async () => {
    for (const side of ['input', 'output'] as const) {
      const answer = await runProgram({ [side]: schema }, body);
      assert.equal(answer.kind, message === undefined ? 'unchanged' : 'failed');
      if (answer.kind !== 'failed' || message === undefined) continue;
      assert.equal(answer.code, `${side}-invalid`);
      assert.ok(answer.message.startsWith(message), answer.message);
    }
  });
}

test('a mapping is checked by the output schema as the numbers it writes', async () => {
  const program: Program = { map: expressionOf('{"id": id}'), output: schema };
  assert.equal((await runProgram(program, order)).kind, 'mapped');
  const texts: Program = { map: expressionOf('{"id": $string(id)}'), output: schema };
  assert.equal((await runProgram(texts, order)).kind, 'failed');
});

test('draft-07 schemas are read as such', async () => {
  const draft7 = { $schema: 'http://json-schema.org/draft-07/schema#', dependencies: { a: ['b'] } };
  const input = { file: 'schemas/x.json', text: JSON.stringify(draft7) };
  assert.equal((await runProgram({ input }, { a: 1, b: 2 })).kind, 'unchanged');
  const answer = await runProgram({ input }, { a: 1 });
  assert.match(
    answer.kind === 'failed' ? answer.message : '',
    /must have property b when property a/,
  );
});

for (const text of [
  '{"typ":"object"}',
  '{',
  '{"pattern":"(?=a)","type":"string"}',
  '{"format":"x"}',
]) {
  test(`the unusable schema ${text} is named with its file`, async () => {
    const answer = await runProgram({ input: { file: 'schemas/x.json', text } }, '"x"');
    assert.equal(answer.kind === 'failed' && answer.code, 'input-invalid', text);
    assert.match(
      answer.kind === 'failed' ? answer.message : '',
      /^schemas\/x\.json: the schema is/,
    );
  });
}

for (const [body, message] of [
  ['{"secret', 'the body is not JSON: unexpected token at line 1 column 2'],
  ['', 'the body is not JSON: unexpected end'],
  [`${'['.repeat(101)}${']'.repeat(101)}`, 'the body is nested deeper than 100 levels'],
] as const) {
  test(`a body that starts with ${JSON.stringify(body.slice(0, 8))} is unreadable: ${message}`, async () => {
    const answer = await runProgram(map('$'), body);
    assert.deepEqual(answer, { kind: 'failed', code: 'body-unreadable', message });
  });
}

test('a result over 1 MiB is too large', async () => {
  const text = await failure('$pad("x", 1048576)');
  assert.match(
    text,
    /^mapping-too-large \| mappings\/order\.jsonata: the mapping produced 1048578 bytes/,
  );
});

for (const [expression, place] of [
  ['{"a": amount / 0, "b": 1}', ' at a'],
  ['{"note": null, "lines": [{"price": 1}, {"price": [2, 0 / 0]}]}', ' at lines[1].price[1]'],
  ['{"a": {"b": -1 / 0}, "c": 1 / 0}', ' at a.b'],
  ['[1, 1 / 0]', ' at [1]'],
  ['amount / 0', ''],
] as const) {
  test(`the result of ${expression} is refused: JSON would make a null of it`, async () => {
    assert.equal(
      await failure(expression, { amount: 5 }),
      `mapping-failed | mappings/order.jsonata: the result holds a number that is not finite${place}`,
    );
  });
}

test('nulls and the text null are no numbers that are not finite', async () => {
  const expression = '{"a": null, "b": [null, "null", x], "null": 1e3}';
  assert.equal(
    await evaluate(expression, { x: null }),
    '{"a":null,"b":[null,"null",null],"null":1000}',
  );
});

test('a mapping of 600 fields is not taken for a recursion', async () => {
  const fields = Array.from({ length: 600 }, (_, index) => `"f${index}": a.b.c & "${index}"`);
  const output = await evaluate(`{${fields.join(',')}}`, { a: { b: { c: 'x' } } });
  assert.equal(Object.keys(JSON.parse(output)).length, 600);
});
