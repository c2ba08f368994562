import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CommanderError } from 'commander';
import { createProgram } from '../../src/cli/program.ts';
import { packageRoot } from '../../src/config/package-root.ts';
import { runCrossdock } from '../support/run-crossdock.ts';

const commands = [
  'start',
  'dev',
  'check',
  'test',
  'map',
  'send',
  'events',
  'deliveries',
  'lanes',
  'pollers',
  'pause',
  'resume',
  'replay',
  'replays',
  'problems',
  'quarantine',
  'explain',
  'migrate',
  'doctor',
];

test('without a command the help goes to stderr and the exit code is 2', async () => {
  const { code, stdout, stderr } = await runCrossdock([]);
  assert.equal(code, 2);
  assert.equal(stdout, '');
  for (const command of commands) assert.match(stderr, new RegExp(`^ {2}${command} `, 'm'));
});

test('--version prints the version of the package', async () => {
  const text = await readFile(join(packageRoot, 'package.json'), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  assert.deepEqual(await runCrossdock(['--version']), {
    code: 0,
    stdout: `${version}\n`,
    stderr: '',
  });
});

test('the help of every command has a description, --json and an example of its own', async () => {
  const program = await createProgram();
  assert.deepEqual(
    program.commands.map((command) => command.name()),
    commands,
  );
  for (const command of program.commands) {
    let help = '';
    command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
    const name = command.name();
    assert.match(help, /^Usage: crossdock .*\n\n[A-Z].*/, name);
    assert.match(help, /--json/, name);
    assert.match(help, new RegExp(`Examples:\n.*crossdock ${name}`, 's'), name);
  }
});

test('an unknown command or option is one line with a suggestion, and exits 2', async () => {
  assert.deepEqual(await runCrossdock(['chek']), {
    code: 2,
    stdout: '',
    stderr: "crossdock: usage: unknown command 'chek' (Did you mean check?)\n",
  });
  assert.deepEqual(await runCrossdock(['check', '--jsn']), {
    code: 2,
    stdout: '',
    stderr: "crossdock: usage: unknown option '--jsn' (Did you mean --json?)\n",
  });
});

test('wrong arguments are refused before anything is done', async () => {
  const wrong = [
    ['map', 'order-to-erp'],
    ['check', 'too-much'],
    ['start', '--role', 'everything'],
    ['events', '--limit', '0'],
    ['deliveries', '--state', 'lost'],
    ['send', 'shop', 'orders/paid', '--rate', 'fast'],
  ];
  for (const args of wrong) {
    const program = await createProgram();
    for (const command of program.commands) command.configureOutput({ writeErr: () => undefined });
    await assert.rejects(
      program.parseAsync(args, { from: 'user' }),
      CommanderError,
      args.join(' '),
    );
  }
});

test('an argument that is no id, no file or no address exits 2', async () => {
  const wrong = [
    ['replay', '01a204c4'],
    ['send', 'shop', 'orders/paid', '/there/is/no/file.json'],
    ['send', 'shop', 'orders/paid', '--url', 'ftp://hub'],
  ];
  for (const args of wrong) {
    const { code, stdout, stderr } = await runCrossdock(args, { env: { SHOP_SECRET: 'a-secret' } });
    assert.equal(code, 2, args.join(' '));
    assert.equal(stdout, '', args.join(' '));
    assert.match(stderr, /^crossdock: usage: .*\n$/, args.join(' '));
  }
});

test('a mistake in the environment exits 3, also as JSON, without a stack', async () => {
  const env = { PORT: '99999', REDIS_URL: 'http://redis' };
  const { code, stdout, stderr } = await runCrossdock(['check', '--json'], { env });
  assert.equal(code, 3);
  assert.match(stderr, /^crossdock: configuration-invalid: .*REDIS_URL.*PORT.*\n$/);
  const { error } = JSON.parse(stdout) as { error: { code: string; todo: string } };
  assert.equal(error.code, 'configuration-invalid');
  assert.match(error.todo, /\w/);
});

test('an .env that cannot be read exits 3 and is named', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'crossdock-cli-usage-'));
  try {
    await mkdir(join(folder, '.env'));
    const { code, stderr } = await runCrossdock(['check'], { project: folder });
    assert.equal(code, 3);
    assert.ok(
      stderr.startsWith(`crossdock: configuration-invalid: ${folder}/.env cannot be read: EISDIR.`),
      stderr,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a data folder that cannot be made is told apart from one database or another', async () => {
  const env = { CROSSDOCK_DATA_DIR: join(packageRoot, 'package.json', 'data') };
  const { code, stderr } = await runCrossdock(['events'], { env });
  assert.equal(code, 3);
  assert.match(stderr, /^crossdock: embedded-server-failed: .*CROSSDOCK_DATA_DIR/);
  assert.equal(stderr.match(/DATABASE_URL/g)?.length, 1);
});

test('variables that are not set lead to the file that lists them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'crossdock-cli-usage-'));
  try {
    await mkdir(join(folder, 'connectors'));
    const text = `kind: file\ndirectory: \${NOT_SET_ANYWHERE}\noperations: { keep: { file: a } }\n`;
    await writeFile(join(folder, 'connectors', 'one.yaml'), text);
    const without = await runCrossdock(['start'], { project: folder });
    assert.equal(without.code, 1);
    assert.match(without.stderr, /variable-unset/);
    assert.match(without.stderr, /: 1 error in .*\. Set these variables, .*\n$/);
    await writeFile(join(folder, '.env.example'), 'NOT_SET_ANYWHERE=\n');
    const withExample = await runCrossdock(['start'], { project: folder });
    assert.match(withExample.stderr, /\. Copy \.env\.example to \.env and fill it in\.\n$/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a journal that is away exits 3, and only LOG_LEVEL=debug shows where', async () => {
  const DATABASE_URL = 'postgres://someone:canary-password@127.0.0.1:1/none';
  const quiet = await runCrossdock(['events'], { env: { DATABASE_URL } });
  assert.equal(quiet.code, 3);
  assert.match(quiet.stderr, /^crossdock: journal-unavailable: .*DATABASE_URL.*\n$/);
  const loud = await runCrossdock(['events'], { env: { DATABASE_URL, LOG_LEVEL: 'debug' } });
  assert.match(loud.stderr, /\n {4}at /);
  assert.doesNotMatch(quiet.stderr + loud.stderr, /canary-password/);
});

test('a pipe gets no colours', async () => {
  const { stdout, stderr } = await runCrossdock(['check'], { project: 'broken' });
  assert.doesNotMatch(stdout + stderr, /\p{Cc}\[/u);
});
