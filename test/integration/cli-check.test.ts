import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCrossdock } from '../support/run-crossdock.ts';

const variables = {
  ERP_URL: 'http://erp.example',
  ERP_TOKEN_URL: 'http://erp.example/token',
  ERP_CLIENT: 'client',
  ERP_SECRET: 'a-secret',
  SMTP_HOST: 'mail.example',
  SMTP_PORT: '25',
  MAIL_FROM: 'hub@shop.example',
  SHOP_SECRET: 'another-secret',
};

test('files without a mistake exit 0', async () => {
  assert.deepEqual(await runCrossdock(['check'], { env: variables }), {
    code: 0,
    stdout: '11 files, no problems\n',
    stderr: '',
  });
});

test('all mistakes are told at once with their places, and exit 1', async () => {
  const { code, stdout } = await runCrossdock(['check'], { project: 'broken' });
  assert.equal(code, 1);
  const lines = stdout.trimEnd().split('\n');
  const expected = [
    'connectors/erp.yaml:2:10 variable-unset',
    'connectors/erp.yaml:3:1 unknown-field',
    'flows/order-to-erp.yaml:2:6 unknown-mapping',
    'flows/order-to-erp.yaml:3:5 unknown-operation',
  ];
  for (const start of expected) {
    assert.ok(
      lines.some((line) => line.startsWith(start)),
      start,
    );
  }
  assert.match(stdout, /\(did you mean "timeout"\?\)/);
  assert.match(lines.at(-1) ?? '', /^4 errors, \d+ warnings in 4 files$/);
});

test('--json has the same problems and nothing else on stdout', async () => {
  const { code, stdout, stderr } = await runCrossdock(['check', '--json'], { project: 'broken' });
  assert.equal(code, 1);
  assert.equal(stderr, '');
  const answer = JSON.parse(stdout) as {
    errors: number;
    problems: { code: string; line: number }[];
  };
  assert.equal(answer.errors, 4);
  assert.ok(answer.problems.some(({ code, line }) => code === 'unknown-field' && line === 3));
});

test('warnings alone exit 0, and 1 with --strict', async () => {
  const lenient = await runCrossdock(['check'], { project: 'failing' });
  assert.match(
    lenient.stdout,
    /^connectors\/shop.yaml:\d+:\d+ unverified-receiver .*\n1 warning in 6 files\n$/,
  );
  assert.equal(lenient.code, 0);
  assert.equal((await runCrossdock(['check', '--strict'], { project: 'failing' })).code, 1);
});

test('a folder without definitions is told', async () => {
  const { stdout } = await runCrossdock(['check'], { project: 'good/mappings' });
  assert.match(stdout, / no-definitions /);
});
