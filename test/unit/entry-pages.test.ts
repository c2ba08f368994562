// The pages of the catalogue's entries: equal to what the code makes of the entries.

import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { packageRoot } from '../../src/config/package-root.ts';
import { type Entry, entryList, entryPage } from '../../src/definitions/entry-page.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { catalogFolder } from '../support/definition-project.ts';

const folder = join(packageRoot, 'docs/connectors');

async function readEntries(): Promise<readonly Entry[]> {
  const files = (await readdir(catalogFolder)).filter((name) => name.endsWith('.yaml')).sort();
  return Promise.all(
    files.map(async (file) => ({
      name: file.replace(/\.yaml$/, ''),
      value: parse(await readFile(join(catalogFolder, file), 'utf8')) as JsonObject,
    })),
  );
}

test('docs/connectors has the page of every entry as the code makes it', async () => {
  const entries = await readEntries();
  const pages = new Map(entries.map((entry) => [`${entry.name}.md`, entryPage(entry)]));
  pages.set('README.md', entryList(entries));
  const writes = process.env['CROSSDOCK_WRITE_DOCS'] === '1';
  if (writes) await mkdir(folder, { recursive: true });
  for (const [name, page] of pages) {
    if (writes) await writeFile(join(folder, name), page);
    const text = await readFile(join(folder, name), 'utf8').catch(() => '');
    assert.equal(text, page, `${name} is out of date: run this test with CROSSDOCK_WRITE_DOCS=1`);
  }
  assert.deepEqual((await readdir(folder)).sort(), [...pages.keys()].sort());
});
