import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectorKinds } from '../../src/connectors/kinds.ts';

/** The loader's own fields, of a connector and of an operation. */
const reserved = {
  connectorSchema: [
    'kind',
    'title',
    'description',
    'docs',
    'uses',
    'settings',
    'receive',
    'limits',
    'timeout',
    'operations',
  ],
  operationSchema: ['description', 'result'],
} as const;

test('each kind has its own name', () => {
  const names = connectorKinds.map(({ kind }) => kind);
  assert.deepEqual(names, ['http', 'smtp', 'file']);
  assert.equal(new Set(names).size, names.length);
});

test('no kind claims a field that belongs to the loader', () => {
  for (const kind of connectorKinds) {
    for (const schema of ['connectorSchema', 'operationSchema'] as const) {
      const own = Object.keys(kind[schema]['properties'] as object);
      const claimed = reserved[schema].filter((name) => own.includes(name));
      assert.deepEqual(claimed, [], kind.kind);
    }
  }
});

test('each secret field is a field of the schema', () => {
  for (const { connectorSchema, secretFields } of connectorKinds) {
    for (const path of secretFields) {
      let schema: unknown = connectorSchema;
      for (const name of path.split('/')) {
        schema = (schema as { properties: Record<string, unknown> }).properties[name];
        assert.notEqual(schema, undefined, path);
      }
    }
  }
});
