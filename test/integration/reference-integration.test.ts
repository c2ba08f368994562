// The files that a fresh clone starts with: connectors/, flows/, mappings/, schemas/, .env.example.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { packageRoot } from '../../src/config/package-root.ts';

const cli = fileURLToPath(new URL('../../src/cli/crossdock.js', import.meta.url));

describe('the reference integration', () => {
  test('every file has a test, and `check` is clean with the values of .env.example', async () => {
    const { stdout } = await crossdock(
      ['--env-file=.env.example'],
      ['check', '--strict', '--json'],
    );
    const { files, problems } = JSON.parse(stdout);
    assert.deepEqual(problems, []);
    assert.ok(files >= 12, `${files} files`);
    for (const folder of ['flows', 'mappings']) {
      const names = await readdir(join(packageRoot, folder));
      for (const id of names.flatMap(
        (name) => /^([a-z-]+)[.](?:yaml|jsonata)$/.exec(name)?.[1] ?? [],
      )) {
        assert.ok(names.includes(`${id}.test.yaml`), `${folder}/${id} has no test`);
      }
    }
  });

  test('every case of its tests passes, without a variable set', async () => {
    const { stdout } = await crossdock([], ['test', '--json']);
    const { passed, failed } = JSON.parse(stdout);
    assert.equal(failed, 0);
    assert.ok(passed >= 30, `${passed} cases`);
  });

  test('`check` names every variable that is missing, all at once', async () => {
    const failure = await crossdock([], ['check', '--json']).then(
      () => assert.fail('check found nothing'),
      (error: { code: number; stdout: string }) => error,
    );
    assert.equal(failure.code, 1);
    const problems: { code: string; message: string }[] = JSON.parse(failure.stdout).problems;
    const unset = problems.filter(({ code }) => code === 'variable-unset');
    const named = unset.map(({ message }) => /variable (\w+)/.exec(message)?.[1]);
    assert.deepEqual(named.toSorted(), [
      'ERP_TOKEN',
      'ERP_URL',
      'MAIL_FROM',
      'SHOPIFY_SHOP',
      'SHOPIFY_WEBHOOK_SECRET',
      'SMTP_HOST',
      'SMTP_PASSWORD',
      'SMTP_USER',
    ]);
    assert.equal(problems.length, unset.length);
  });

  test('.env.example has every variable that the files, the hub and Compose read, and no other', async () => {
    const example = await readFile(join(packageRoot, '.env.example'), 'utf8');
    const offered = [...example.matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name);
    const read = new Set<string | undefined>();
    for (const file of await readdir(join(packageRoot, 'connectors'))) {
      if (!file.endsWith('.yaml')) continue;
      const text = await readFile(join(packageRoot, 'connectors', file), 'utf8');
      for (const [, name] of text.matchAll(/\$\{([A-Z_]+)(?::[^}]*)?\}/g)) read.add(name);
    }
    const compose = await readFile(join(packageRoot, 'docker-compose.yml'), 'utf8');
    for (const [, name] of compose.matchAll(/\$\{([A-Z_]+)[:}]/g)) read.add(name);
    const reader = await readFile(join(packageRoot, 'src/config/environment.ts'), 'utf8');
    for (const [, name] of reader.matchAll(/'([A-Z][A-Z_]+)'/g)) read.add(name);
    assert.deepEqual(offered.toSorted(), [...read].toSorted());
  });
});

/** Rejects when it does not exit with 0. */
function crossdock(nodeOptions: readonly string[], args: readonly string[]) {
  return promisify(execFile)(process.execPath, [...nodeOptions, cli, ...args], {
    cwd: packageRoot,
    env: { PATH: process.env['PATH'] },
  });
}
