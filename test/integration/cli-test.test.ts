import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCrossdock } from '../support/run-crossdock.ts';

interface Answer {
  readonly passed: number;
  readonly failed: number;
  readonly cases: readonly {
    readonly file: string;
    readonly line: number;
    readonly name: string;
    readonly differences: readonly { path: string; expected?: string; received?: string }[];
    readonly durationMs: number;
  }[];
}

async function runJson(
  args: readonly string[],
  project: string,
): Promise<Answer & { code: unknown }> {
  const { code, stdout } = await runCrossdock(['test', '--json', ...args], { project });
  return { ...(JSON.parse(stdout) as Answer), code };
}

test('all cases of mappings and flows pass without a network and with no variable set', async () => {
  const { code, stdout, stderr } = await runCrossdock(['test']);
  assert.match(stdout, /✓ a paid order reaches the ERP with its digits/);
  assert.match(stdout, /✓ no answer and no connection use up the attempts/);
  assert.match(stdout, /✓ a mail server that is busy is tried again/);
  assert.match(stdout, /\n13 passed \(\d+ ms\)\n$/);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
});

test('a failing case shows what was expected and what came, place by place, and exits 1', async () => {
  const { code, stdout } = await runCrossdock(['test'], { project: 'failing' });
  assert.equal(code, 1);
  assert.match(
    stdout,
    /✗ has another digit and another line mappings\/order-to-erp\.test\.yaml:5\n/,
  );
  assert.match(stdout, / id\n +expected {2}820982911946154509\n +received {2}820982911946154508\n/);
  assert.match(stdout, / lines\[1\]\.sku\n +expected {2}"c"\n +received {2}"b"\n/);
  assert.match(stdout, / lines\[2\]\n +expected {2}\{"sku":"d"\}\n +received {2}\(nothing\)\n/);
  assert.match(stdout, /\n1 passed, 3 failed \(\d+ ms\)\n$/);
});

test('a flow is compared by state, requests, headers and paths', async () => {
  const { code, cases } = await runJson(['--filter', 'another path'], 'failing');
  assert.equal(code, 1);
  assert.equal(cases.length, 1);
  assert.deepEqual(cases[0]?.differences, [
    {
      path: 'state',
      expected: 'delivered',
      received: 'dead (rejected: erp answered 400 Bad Request)',
    },
    { path: 'requests[0].path', expected: '/sales-orders', received: '/orders' },
    { path: 'requests[0].headers.x-missing', expected: 'here' },
    { path: 'requests[1]', expected: 'erp.createOrder' },
  ]);
});

test('a webhook that the flow does not listen to fails the case', async () => {
  const { cases } = await runJson(['--filter', 'does not listen'], 'failing');
  assert.deepEqual(cases[0]?.differences, [
    {
      path: 'webhook',
      expected: 'shop with orders/paid',
      received: 'shop with orders/cancelled',
    },
  ]);
});

test('--filter takes a part of the file or of the name, in any case', async () => {
  const byFile = await runJson(['--filter', 'FLOWS/order-number'], 'good');
  assert.deepEqual([byFile.passed, byFile.failed, byFile.code], [2, 0, 0]);
  const byName = await runJson(['--filter', 'keeps every'], 'good');
  assert.deepEqual([byName.passed, byName.cases[0]?.file], [1, 'mappings/order-to-erp.test.yaml']);
});

test('--filter that fits no case exits 2 and says so', async () => {
  const { code, stdout, stderr } = await runCrossdock(['test', '--filter', 'zzz']);
  assert.deepEqual({ code, stdout }, { code: 2, stdout: '' });
  assert.match(stderr, /^crossdock: usage: no case has "zzz" in its file or name\. .*\n$/);
});

test('retries do not wait', async () => {
  const { cases } = await runJson(['--filter', 'until it answers'], 'good');
  assert.equal(cases.length, 1);
  assert.deepEqual(cases[0]?.differences, []);
  assert.ok((cases[0]?.durationMs ?? Number.NaN) < 5_000, 'Retry-After asked for half an hour');
});

test('files with errors are not run', async () => {
  const { code, stdout, stderr } = await runCrossdock(['test'], { project: 'broken' });
  assert.equal(code, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /unknown-operation/);
  assert.match(stderr, /crossdock: definitions-invalid: 3 errors in /);
});
