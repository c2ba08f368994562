// `outcomes` of flows and operations, `lookup` of operations: as they are read, and their mistakes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkExpression } from '../../src/mapping/check-expression.ts';
import { errorsOf, linesOf, loadFiles } from '../support/definition-project.ts';

const shop = 'receive: { verify: none, topic: { header: X-Topic } }\n';
const erp = `kind: web
baseUrl: https://erp.example
operations:
  create:
    post: /a
    outcomes:
      - { status: 409, then: delivered }
    lookup:
      operation: find
      found: $count(body) > 0
  find: { post: /b }
`;
const flow = `from: { connector: shop, topics: [a] }
to: erp.create
outcomes:
  - status: [400, 422]
    when: body.code = 'DUP'
    then: delivered
  - { when: "status = 404", then: retry }
`;

function load(files: { readonly erp?: string; readonly flow?: string } = {}) {
  return loadFiles(
    {
      'connectors/shop.yaml': shop,
      'connectors/erp.yaml': files.erp ?? erp,
      'flows/one.yaml': files.flow ?? flow,
    },
    { checkExpression },
  );
}

test('are read with the place of each expression', async () => {
  const { definitions } = await load();
  const file = 'flows/one.yaml';
  assert.deepEqual(definitions?.flows.get('one')?.revision.outcomes, [
    {
      statuses: [400, 422],
      when: { source: "body.code = 'DUP'", file, line: 5, column: 11 },
      // biome-ignore lint/suspicious/noThenProperty: the word of the files
      then: 'delivered',
    },
    // biome-ignore lint/suspicious/noThenProperty: the word of the files
    { when: { source: 'status = 404', file, line: 7, column: 14 }, then: 'retry' },
  ]);
  const create = definitions?.connectors.get('erp')?.operations.get('create');
  // biome-ignore lint/suspicious/noThenProperty: the word of the files
  assert.deepEqual(create?.outcomes, [{ statuses: [409], then: 'delivered' }]);
  assert.deepEqual(create?.lookup, {
    operation: 'find',
    found: { source: '$count(body) > 0', file: 'connectors/erp.yaml', line: 10, column: 14 },
  });
});

test('of a flow are part of its revision, those of an operation are not', async () => {
  const hashOf = async (files: Parameters<typeof load>[0]) =>
    (await load(files)).definitions?.flows.get('one')?.revision.hash;
  const hash = await hashOf({});
  assert.notEqual(await hashOf({ flow: flow.replace('404', '405') }), hash);
  assert.equal(await hashOf({ erp: erp.replace('409', '410') }), hash);
});

test('that say nothing, or nothing that exists, are mistakes with their place', async () => {
  const outcomes = `from: { connector: shop, topics: [a] }
to: erp.create
outcomes:
  - { then: delivered }
  - { status: 42, then: dead }
  - { status: 404 }
  - { status: 404, then: ignore }
  - { status: 404, than: dead, then: dead }
  - { when: "body.code =", then: dead }
`;
  assert.deepEqual(errorsOf(await load({ flow: outcomes })), [
    'flows/one.yaml:4:5 missing-field "outcomes[1]" needs one of "status", "when"',
    'flows/one.yaml:5:15 wrong-value "outcomes[2].status" must be at least 100',
    'flows/one.yaml:6:5 missing-field "then" is missing in "outcomes[3]" (What becomes of the delivery)',
    'flows/one.yaml:7:26 wrong-value "outcomes[4].then" must be one of delivered, retry, dead',
    'flows/one.yaml:8:20 unknown-field "than" is not a field of "outcomes[5]" (did you mean "then"?)',
    'flows/one.yaml:9:25 expression-syntax S0207 Unexpected end of expression',
  ]);
});

test('a variable in one of their expressions is warned of', async () => {
  const lines = linesOf(await load({ flow: flow.replace("'DUP'", `'\${CODE}'`) }));
  assert.ok(
    lines.some((line) => line.startsWith('warning flows/one.yaml:5:11 variable-in-expression')),
  );
});

test('a lookup names another operation of its connector, one that only looks', async () => {
  const errors = async (from: string, to: string) =>
    errorsOf(await load({ erp: erp.replace(from, to) }));
  assert.deepEqual(await errors('operation: find', 'operation: fnd'), [
    'connectors/erp.yaml:9:18 unknown-operation there is no operation "fnd" to look with (did you mean "find"?)',
  ]);
  assert.deepEqual(await errors('operation: find', 'operation: create'), [
    'connectors/erp.yaml:9:18 wrong-value "create" looks with itself, which would do the work once more (name an operation that only reads)',
  ]);
  const circle = '{ post: /b, lookup: { operation: create, found: "true" } }';
  assert.deepEqual(await errors('{ post: /b }', circle), [
    'connectors/erp.yaml:9:18 wrong-value "find" has a lookup itself, so it does more than look (name an operation that only reads)',
    'connectors/erp.yaml:11:42 wrong-value "create" has a lookup itself, so it does more than look (name an operation that only reads)',
  ]);
  assert.deepEqual(await errors('      found: $count(body) > 0\n', '      fund: x\n'), [
    'connectors/erp.yaml:8:5 missing-field "found" is missing in "operations.create.lookup" (JSONata over { status, headers, body } of its answer; $sent is the message)',
    'connectors/erp.yaml:10:7 unknown-field "fund" is not a field of "operations.create.lookup" (did you mean "found"?)',
  ]);
});
