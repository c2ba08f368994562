// The published schemas: equal to what the code makes, and in agreement with the loader.

import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';
import { packageRoot } from '../../src/config/package-root.ts';
import { connectorKinds } from '../../src/connectors/kinds.ts';
import { type FileSchemaName, fileSchemas } from '../../src/definitions/file-schemas.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { catalogFolder, goodFolder, webKind } from '../support/definition-project.ts';

const published = join(packageRoot, 'schemas/crossdock');

test('the published schemas are those that the code makes', async () => {
  const made = fileSchemas(connectorKinds);
  for (const [name, schema] of Object.entries(made)) {
    const file = join(published, `${name}.json`);
    if (process.env['CROSSDOCK_WRITE_SCHEMAS'] === '1') {
      await writeFile(file, `${JSON.stringify(schema, null, 2)}\n`);
    }
    const text = await readFile(file, 'utf8').catch(() => 'null');
    const hint = `${name}.json is out of date: run this test with CROSSDOCK_WRITE_SCHEMAS=1`;
    assert.deepEqual(JSON.parse(text), schema, hint);
  }
  const names = (await readdir(published)).sort();
  assert.deepEqual(
    names,
    Object.keys(made)
      .map((name) => `${name}.json`)
      .sort(),
  );
});

function validator(name: FileSchemaName, kinds = [webKind]) {
  const ajv = addFormats.default(new Ajv({ strict: false, allErrors: true }));
  const validate = ajv.compile(fileSchemas(kinds)[name]);
  return (value: unknown) => (validate(value) ? [] : (validate.errors ?? []));
}

async function readGood(file: string): Promise<JsonObject> {
  return parse(await readFile(join(goodFolder, file), 'utf8')) as JsonObject;
}

test('files that load are valid as they are written, variables and all', async () => {
  const files: [FileSchemaName, string][] = [
    ['connector', 'connectors/erp.yaml'],
    ['connector', 'connectors/mailbox.yaml'],
    ['connector', 'connectors/shop.yaml'],
    ['flow', 'flows/order-to-erp.yaml'],
    ['flow', 'flows/order-number-mail.yaml'],
    ['flow-test', 'flows/order-to-erp.test.yaml'],
    ['mapping-test', 'mappings/order-to-erp.test.yaml'],
  ];
  for (const [name, file] of files) {
    assert.deepEqual(validator(name)(await readGood(file)), [], file);
  }
});

test('the entries of the catalogue are valid', async () => {
  const validate = validator('catalog-entry', [...connectorKinds]);
  const names = await readdir(catalogFolder);
  for (const file of names.filter((name) => name.endsWith('.yaml'))) {
    const entry: unknown = parse(await readFile(join(catalogFolder, file), 'utf8'));
    assert.deepEqual(validate(entry), [], file);
  }
});

test('a field of a kind is known only with that kind, an unknown one never', async () => {
  const validate = validator('connector');
  const erp = await readGood('connectors/erp.yaml');
  assert.notDeepEqual(validate({ ...erp, hostname: 'x' }), []);
  assert.notDeepEqual(validate({ ...erp, port: true }), []);
  assert.notDeepEqual(validate({ ...erp, operations: { create: { pots: '/a' } } }), []);
  assert.notDeepEqual(validate({ title: 'neither receives nor is called' }), []);
});

test('every field of a published schema is described', () => {
  const undescribed: string[] = [];
  for (const [name, schema] of Object.entries(fileSchemas(connectorKinds))) {
    walk(schema, name, undescribed);
  }
  assert.deepEqual(undescribed, []);
});

function walk(value: unknown, path: string, undescribed: string[]): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, child] of Object.entries(value)) {
    if (key === 'if' || key === 'examples') continue;
    if (key === 'properties') checkFields(child as JsonObject, path, undescribed);
    walk(child, `${path}/${key}`, undescribed);
  }
}

/** `true`, and what conditions add to receive and operations, refine a field described elsewhere. */
function checkFields(fields: JsonObject, path: string, undescribed: string[]): void {
  for (const [name, field] of Object.entries(fields)) {
    const isRefined = ['operations', 'receive'].includes(name) && path.endsWith('/then');
    const refines = field === true || isRefined;
    const described = typeof field === 'object' && field !== null && 'description' in field;
    if (!refines && !described) undescribed.push(`${path}/properties/${name}`);
  }
}
