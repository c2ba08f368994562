// What the manual lists, against the code that it lists: functions, variables, metrics, commands.

import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { test } from 'node:test';
import { createProgram } from '../../src/cli/program.ts';
import { packageRoot } from '../../src/config/package-root.ts';
import { connectorKinds } from '../../src/connectors/kinds.ts';
import { functionDocs } from '../../src/mapping/function-docs.ts';
import { plainCell, readRepositoryFile, tableBelow, withoutFences } from '../support/markdown.ts';

const ARCHITECTURE_LINES_MAX = 150;

const pages = [
  ...readdirSync(packageRoot).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(packageRoot, 'docs')).map((name) => `docs/${name}`),
].filter((name) => name.endsWith('.md'));

for (const page of pages) {
  test(`every link of ${page} leads somewhere`, () => {
    for (const [, target = ''] of withoutFences(readRepositoryFile(page)).matchAll(linkPattern)) {
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : posix.join(dirname(page), path);
      assert.ok(existsSync(join(packageRoot, file)), `${target}: there is no ${file}`);
      if (anchor === undefined) continue;
      assert.ok(anchorsOf(file).includes(anchor), `${target}: ${file} has no such heading`);
    }
  });
}

const linkPattern = /\]\((?!https?:)([^)\s]+)\)/g;

/** Headings as GitHub makes them addresses. */
function anchorsOf(file: string): readonly string[] {
  const headings = withoutFences(readRepositoryFile(file)).matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test('mappings.md says of every function what the code says', () => {
  const page = readRepositoryFile('docs/mappings.md');
  const listed = tableBelow(page, '## Functions').map((row) => row.map(plainCell));
  const known = functionDocs.map(({ name, parameters, doc, example, result }) => [
    `$${name}(${parameters.join(', ')})`,
    plainCell(doc),
    example,
    result,
  ]);
  assert.deepEqual(listed, known);
});

test('operating.md has every variable that the hub reads', () => {
  const source = readRepositoryFile('src/config/environment.ts');
  const read = new Set([...source.matchAll(/'([A-Z][A-Z_]+)'/g)].map(([, name]) => name));
  const page = readRepositoryFile('docs/operating.md');
  const listed = tableBelow(page, '## Environment').map(([name = '']) => plainCell(name));
  assert.deepEqual(listed.toSorted(), [...read].toSorted());
});

test('operating.md has every metric of the hub', () => {
  const source = ['metrics', 'lane-gauges'].map((name) =>
    readRepositoryFile(`src/http/${name}.ts`),
  );
  const made = [...source.join('\n').matchAll(/'(crossdock_[a-z_]+)'/g)].map(([, name]) => name);
  const page = readRepositoryFile('docs/operating.md');
  const listed = [...page.matchAll(/^\| `(crossdock_[a-z_]+)` \| `/gm)].map(([, name]) => name);
  assert.ok(made.length > 10);
  assert.deepEqual(listed.toSorted(), made.toSorted());
});

test('cli.md has every command with its options', async () => {
  const sections = readRepositoryFile('docs/cli.md').split(/^### /m).slice(1);
  const { commands } = await createProgram();
  assert.deepEqual(
    sections.map((section) => /^`([a-z]+)/.exec(section)?.[1]).toSorted(),
    commands.map((command) => command.name()).toSorted(),
  );
  for (const command of commands) {
    const section = sections.find((text) => text.startsWith(`\`${command.name()}`)) ?? '';
    // What `dev` shares with `start` is said there.
    if (command.name() === 'dev') continue;
    const listed = [...section.matchAll(/^\| `(--[a-z-]+)/gm)].map(([, name]) => name);
    const options = command.options.map(({ long }) => long).filter((name) => name !== '--json');
    assert.deepEqual(listed.toSorted(), options.toSorted(), command.name());
  }
});

test('every kind of connector has its page, and connectors.md leads to it', () => {
  const page = readRepositoryFile('docs/connectors.md');
  for (const { kind } of connectorKinds) {
    assert.ok(pages.includes(`docs/connector-${kind}.md`), kind);
    assert.ok(page.includes(`(connector-${kind}.md)`), kind);
  }
});

test('ARCHITECTURE.md stays short', () => {
  const lines = readRepositoryFile('ARCHITECTURE.md').split('\n').length;
  assert.ok(lines <= ARCHITECTURE_LINES_MAX, `${lines} lines`);
});
