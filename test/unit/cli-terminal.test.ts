import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { adviceFor, exitCodes } from '../../src/cli/exit-codes.ts';
import { withPlaceholders } from '../../src/cli/placeholder-variables.ts';
import { formatTable, inOneLine } from '../../src/cli/table.ts';
import { countOf } from '../../src/cli/terminal.ts';

test('columns are as wide as their widest cell and lines have no trailing blanks', () => {
  assert.deepEqual(
    formatTable(
      ['A', 'LONG'],
      [
        ['one', ''],
        ['x', 'y'],
      ],
    ),
    ['A    LONG', 'one', 'x    y'],
  );
});

test('what a stranger wrote cannot steer the terminal', () => {
  const [, row] = formatTable(['TOPIC'], [['a\u001b[31m\nb']]);
  assert.equal(row, 'a\u{FFFD}[31m\u{FFFD}b');
});

test('a long reason is one line of 100 characters in a list, and a short one is whole', () => {
  const long = `connect ECONNREFUSED 127.0.0.1:4010\n    at TCPConnectWrap.${'x'.repeat(500)}`;
  const line = inOneLine(long);
  assert.equal(line.length, 100);
  assert.match(line, /^connect ECONNREFUSED 127\.0\.0\.1:4010 at TCPConnectWrap\.x+…$/);
  assert.equal(inOneLine('refused\nby erp'), 'refused by erp');
  assert.equal(inOneLine('a\u001b[31m'), 'a\u{FFFD}[31m');
});

test('one is singular', () => {
  assert.equal(countOf(1, 'error'), '1 error');
  assert.equal(countOf(0, 'delivery', 'deliveries'), '0 deliveries');
});

test('errors of files, of the call and of the environment have different exit codes', () => {
  assert.equal(adviceFor('definitions-invalid').exit, exitCodes.findings);
  assert.equal(adviceFor('usage').exit, exitCodes.usage);
  assert.equal(adviceFor('journal-unavailable').exit, exitCodes.environment);
  assert.deepEqual(Object.values(exitCodes), [0, 1, 2, 3]);
});

test('only variables without a value and without a default get a placeholder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'crossdock-cli-'));
  try {
    await mkdir(join(folder, 'connectors'));
    const writeConnector = (id: string, names: readonly string[]) => {
      const lines = names.map((name, index) => `field${index}: $\{${name}}`);
      return writeFile(join(folder, 'connectors', `${id}.yaml`), lines.join('\n'));
    };
    await writeConnector('erp', ['SET', 'UNSET', 'EMPTY', 'DEFAULT:x', 'ERP_URL']);
    await writeConnector('shop', ['SHOP_SECRET', 'ERP_URL']);
    const variables = { SET: 'mine', EMPTY: '' };
    assert.deepEqual(await withPlaceholders(folder, variables, 'shop'), {
      SET: 'mine',
      UNSET: 'test-UNSET',
      EMPTY: 'test-EMPTY',
    });
    const all = await withPlaceholders(folder, variables);
    assert.equal(all['ERP_URL'], 'http://erp-url.invalid');
    assert.equal(all['SHOP_SECRET'], 'test-SHOP_SECRET');
  } finally {
    await rm(folder, { recursive: true });
  }
});
