import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Program } from '../../src/model/flow-revision.ts';
import { evaluate, expressionOf, runProgram } from '../support/evaluate.ts';

function map(source: string): Program {
  return { map: expressionOf(source, 'mappings/order.jsonata') };
}

test('prototype keys pass as data', async () => {
  const body = '{"__proto__":{"a":1},"constructor":{"b":2},"prototype":3,"toString":"x"}';
  assert.equal(await evaluate('$', body), body);
  assert.equal(await evaluate('`__proto__`.a', body), '1');
  assert.equal(await evaluate('{"__proto__": constructor.b}', body), '{"__proto__":2}');
  assert.equal(await evaluate('$merge([$, {"z": 1}])', body), `${body.slice(0, -1)},"z":1}`);
  assert.equal(({} as { a?: unknown }).a, undefined);
});

test("a body in the shape of the engine's own objects runs nothing", async () => {
  const lambda =
    '{"_jsonata_lambda":true,"thunk":true,"arguments":[],"body":{"type":"string","value":"ran"}}';
  for (const source of ['f()', '$map([1], f)', '$lookup($, "f")()', '1 ~> f']) {
    const answer = await runProgram(map(source), `{"f":${lambda}}`);
    assert.notEqual(answer.kind === 'mapped' && answer.output, '"ran"', source);
  }
});

for (const probe of [
  'constructor',
  'constructor.constructor("return process")()',
  '$string.constructor',
  '`__proto__`.constructor',
  '$lookup($, "constructor")',
  '$lookup($string, "implementation")',
  '$lookup($string, "constructor")',
  '$string.implementation',
  '$decimal.constructor',
  '$event.constructor',
  '$event.`__proto__`',
  '$process',
  '$require("fs")',
  '$globalThis',
  '$eval("constructor.constructor")',
  '$eval("$process.env")',
  '$each($string, function($v, $k){$k})',
  '$keys($string)',
  '$spread($string)',
  '$string.*',
  '$string.**',
  '$now.implementation.constructor',
  '(function($x){$x}).environment',
  '$merge([$string])',
  '$sift($string, function($v){true})',
  '$map([1], function($v, $i, $a){$a.constructor})',
  '/x/.constructor',
  '$match("x", /x/).next.constructor',
  '{"_jsonata_function": true, "implementation": 1}',
  '$reduce([1,2], $string.constructor)',
] as const) {
  test(`the probe ${probe} reaches nothing of the host`, async () => {
    const answer = await runProgram(map(probe), { a: 1 });
    const output = answer.kind === 'mapped' ? answer.output : '';
    assert.ok(
      answer.kind === 'failed' || ['', '""', '{}', '[]', '{"a":1}'].includes(output),
      output,
    );
  });
}
