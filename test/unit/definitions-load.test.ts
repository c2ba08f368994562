import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Definitions } from '../../src/definitions/definitions.ts';
import { problemCodes } from '../../src/definitions/problem-codes.ts';
import {
  goodEnvironment,
  goodFolder,
  linesOf,
  load,
  loadFiles,
  withProject,
} from '../support/definition-project.ts';

async function loadGood(environment = {}): Promise<Definitions> {
  const result = await load(goodFolder, { environment: { ...goodEnvironment, ...environment } });
  assert.deepEqual(linesOf(result), []);
  assert.ok(result.definitions);
  return result.definitions;
}

test('loads a project without a problem', async () => {
  const { folder, connectors, flows } = await loadGood();
  assert.equal(folder, goodFolder.replace(/\/$/, ''));
  assert.deepEqual([...connectors.keys()], ['erp', 'mailbox', 'shop']);
  assert.deepEqual([...flows.keys()], ['order-number-mail', 'order-to-erp']);
});

test('a connector has its fields interpolated, its operations, limits and defaults', async () => {
  const { connectors } = await loadGood();
  const erp = connectors.get('erp');
  assert.deepEqual(erp?.fields, {
    baseUrl: 'https://erp.example',
    port: 8443,
    auth: { bearer: '12345678' },
  });
  assert.deepEqual(erp.limits, { concurrency: 4, rate: { count: 40, perMs: 1_000 } });
  assert.equal(erp.timeoutMs, 20_000);
  assert.equal(erp.title, 'The ERP');
  const create = erp.operations.get('createSalesOrder');
  assert.deepEqual(create?.fields, { post: '/api/sales-orders', success: [200, 201, 409] });
  const mailbox = connectors.get('mailbox');
  assert.deepEqual(mailbox?.limits, { concurrency: 8 });
  assert.equal(mailbox?.receive, undefined);
});

test('expressions stand where their first character stands', async () => {
  const { connectors, flows } = await loadGood();
  const quoted = connectors.get('erp')?.operations.get('createSalesOrder')?.result;
  assert.deepEqual(quoted, {
    source: '{ "erpNumber": number }',
    file: 'connectors/erp.yaml',
    line: 13,
    column: 14,
  });
  const plain = flows.get('order-to-erp')?.revision.program.when;
  assert.deepEqual([plain?.line, plain?.column], [3, 7]);
  assert.equal(plain?.source, "financial_status = 'paid'");
  const block = flows.get('order-number-mail')?.revision.program.when;
  assert.deepEqual([block?.line, block?.column], [6, 3]);
  const mapping = flows.get('order-to-erp')?.revision.program.map;
  assert.deepEqual(
    [mapping?.file, mapping?.line, mapping?.column],
    ['mappings/order-to-erp.jsonata', 1, 1],
  );
});

test('a block expression that begins with an empty line begins on that line', async () => {
  const { connectors } = await loadGood();
  const result = connectors.get('erp')?.operations.get('cancelSalesOrder')?.result;
  assert.equal(result?.source, '\n{ "cancelled": true }\n');
  assert.equal(result.line, 17);
});

test('a flow has its retry policy over the defaults, its schema as text and what it emits', async () => {
  const { flows } = await loadGood();
  const { revision, description, from } = flows.get('order-to-erp') ?? assert.fail();
  assert.equal(description, 'Paid shop orders become ERP sales orders.');
  assert.deepEqual(from, { connector: 'shop', topics: ['orders/create', 'orders/paid'] });
  assert.deepEqual(revision.retry, {
    attempts: 5,
    firstMs: 2_000,
    maxMs: 3_600_000,
    horizonMs: 259_200_000,
  });
  assert.deepEqual(revision.emit, { source: 'erp', topic: 'order-created' });
  assert.equal(revision.program.output?.file, 'schemas/sales-order.json');
  assert.equal(JSON.parse(revision.program.output.text).type, 'object');
  assert.equal(revision.program.input, undefined);
  assert.match(revision.hash, /^[0-9a-f]{32}$/);
});

test('the hash of a flow changes with its mapping and with nothing else of the project', async () => {
  const before = await loadGood();
  await withProject({}, async (folder) => {
    await cp(goodFolder, folder, { recursive: true });
    const mapping = join(folder, 'mappings/order-to-erp.jsonata');
    await cp(join(folder, 'flows/samples/order.json'), mapping);
    const { definitions } = await load(folder);
    const hashOf = (loaded: Definitions | undefined, flow: string) =>
      loaded?.flows.get(flow)?.revision.hash;
    assert.notEqual(hashOf(definitions, 'order-to-erp'), hashOf(before, 'order-to-erp'));
    assert.equal(hashOf(definitions, 'order-number-mail'), hashOf(before, 'order-number-mail'));
    const again = await loadGood({ ERP_URL: 'https://other.example' });
    assert.equal(hashOf(again, 'order-to-erp'), hashOf(before, 'order-to-erp'));
  });
});

test('problems of expressions are asked for once each and bring their own positions', async () => {
  const asked: string[] = [];
  const result = await load(goodFolder, {
    checkExpression: ({ file, line, source }) => {
      asked.push(`${file}:${line}`);
      return source.startsWith('financial')
        ? [{ severity: 'error', line: 3, column: 9, code: 'S0201', message: 'is no JSONata' }]
        : [];
    },
  });
  assert.deepEqual(asked.sort(), [
    'connectors/erp.yaml:13',
    'connectors/erp.yaml:17',
    'flows/order-number-mail.yaml:6',
    'flows/order-to-erp.yaml:3',
    'mappings/order-to-erp.jsonata:1',
  ]);
  assert.deepEqual(linesOf(result), ['flows/order-to-erp.yaml:3:9 S0201 is no JSONata']);
  assert.equal(result.definitions, undefined);
});

test('all mistakes of all files are reported at once, in the order of files and lines', async () => {
  const result = await loadFiles({
    'connectors/erp.yaml': [
      'kind: web',
      'baseurl: https://erp.example',
      'port: "443"',
      'timeout: 20 seconds',
      'limits: { concurrency: 0, rates: 4 }',
      'auth: { bearer: hunter2 }',
      'operations:',
      '  create:',
      '    pots: /orders',
      '',
    ].join('\n'),
    'connectors/hook.yaml': [
      'receive:',
      '  verify: { hmac: sha265, header: X-Sig, encoding: hex }',
      '  dedupe: bodi',
      `  secrets: ["\${HOOK_SECRET}"]`,
      '',
    ].join('\n'),
    'flows/orders.yaml': [
      'from: { connector: hok, topics: [created] }',
      'when: 42',
      'map: order',
      'to: erp.creat',
      '',
    ].join('\n'),
    'mappings/orders.jsonata': '$',
  });
  assert.equal(result.definitions, undefined);
  assert.deepEqual(linesOf(result), [
    'connectors/erp.yaml:1:1 missing-field "baseUrl" is missing in this file (Where it is)',
    'connectors/erp.yaml:2:1 unknown-field "baseurl" is not a field of this file (did you mean "baseUrl"?)',
    'connectors/erp.yaml:3:7 wrong-type "port" must be a whole number, not text',
    'connectors/erp.yaml:4:10 wrong-value "timeout" is not written in its form (for example 20s)',
    'connectors/erp.yaml:5:24 wrong-value "limits.concurrency" must be at least 1',
    'connectors/erp.yaml:5:27 unknown-field "rates" is not a field of "limits" (did you mean "rate"?)',
    'connectors/erp.yaml:6:17 secret-in-clear "auth.bearer" is a secret and is written in clear (put it into an environment variable)',
    'connectors/erp.yaml:8:3 missing-field "post" is missing in "operations.create" (The path)',
    'connectors/erp.yaml:9:5 unknown-field "pots" is not a field of "operations.create" (did you mean "post"?)',
    'connectors/hook.yaml:1:1 missing-field "topic" is missing in "receive" (What the event is about: taken from the request, or always the same)',
    'connectors/hook.yaml:2:19 wrong-value "receive.verify.hmac" must be one of sha1, sha256, sha512 (did you mean "sha256"?)',
    'connectors/hook.yaml:3:11 wrong-value "receive.dedupe" must be "body" or a mapping (did you mean "body"?)',
    `connectors/hook.yaml:4:13 variable-unset the variable HOOK_SECRET is not set (set it, or write \${HOOK_SECRET:default})`,
    'warning flows/orders.yaml:1:1 untested has no test (add flows/orders.test.yaml)',
    'flows/orders.yaml:1:20 unknown-connector there is no connector "hok" (did you mean "hook"?)',
    'flows/orders.yaml:2:7 wrong-type "when" must be text, not a number',
    'flows/orders.yaml:3:6 unknown-mapping there is no mapping "order" (did you mean "orders"?)',
    'flows/orders.yaml:4:5 unknown-operation the connector "erp" has no operation "creat" (did you mean "create"?)',
    'warning mappings/orders.jsonata:1:1 unused-file no flow uses this file',
    'warning mappings/orders.jsonata:1:1 untested has no test (add mappings/orders.test.yaml)',
  ]);
});

test('every code of a problem has a meaning and something to do', () => {
  for (const [code, { meaning, todo }] of Object.entries(problemCodes)) {
    assert.match(code, /^[a-z0-9-]+$/);
    assert.match(meaning, /[.]$/, code);
    assert.match(todo, /[.]$/, code);
  }
});
