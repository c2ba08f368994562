// The JSON Schemas that are published under schemas/crossdock/, so that editors complete the
// files of a project. Built from the fragments that the loader checks by, and from the kinds.

import type { Json, JsonObject } from '../model/json.ts';
import { catalogueProperties } from './catalogue-schema.ts';
import { connectorProperties, operationProperties } from './connector-schema.ts';
import type { KindSchema } from './definitions.ts';
import { flowSchema } from './flow-schema.ts';
import { publishedReceiveSchema, receiveRequired, whole } from './receive-schema.ts';
import { flowTestSchema, mappingTestSchema } from './test-schemas.ts';

export type FileSchemaName = 'connector' | 'catalog-entry' | 'flow' | 'mapping-test' | 'flow-test';

/** Draft-07 schemas by the base name of the file they are published as. */
export function fileSchemas(
  kinds: readonly KindSchema[],
): Readonly<Record<FileSchemaName, JsonObject>> {
  const names = kinds.map(({ kind }) => kind);
  const connector = withKinds(
    { ...connectorProperties(names), receive: publishedReceiveSchema() },
    kinds,
  );
  const entry = withKinds(
    { ...catalogueProperties(names), receive: publishedReceiveSchema() },
    kinds,
  );
  return {
    connector: publish('Crossdock connector', {
      ...interpolable(connector),
      anyOf: [{ required: ['uses'] }, { required: ['kind'] }, { required: ['receive'] }],
      ...wholeReceive,
    }),
    'catalog-entry': publish('Crossdock catalogue entry', {
      ...interpolable(entry),
      required: ['title'],
    }),
    flow: publish('Crossdock flow', interpolable(flowSchema)),
    'mapping-test': publish('Tests of a Crossdock mapping', mappingTestSchema),
    'flow-test': publish('Tests of a Crossdock flow', flowTestSchema),
  };
}

/** What the catalogue leaves out of `receive` must be given where no entry is used. */
const wholeReceive: JsonObject = {
  if: { not: { required: ['uses'] } },
  // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
  then: { properties: { receive: whole(receiveRequired) } },
};

function publish(title: string, schema: JsonObject): JsonObject {
  return { $schema: 'http://json-schema.org/draft-07/schema#', title, ...schema };
}

/** The fields of each kind where `kind` names it; those of any kind where the catalogue may. */
function withKinds(properties: JsonObject, kinds: readonly KindSchema[]): JsonObject {
  const anyKind = Object.assign(
    {},
    ...kinds.map(({ connectorSchema }) => fieldsOf(connectorSchema)),
  );
  const allowed = Object.fromEntries(Object.keys({ ...anyKind, ...properties }).map(allow));
  return {
    type: 'object',
    properties,
    allOf: [
      ...kinds.map((kind) => ({
        if: { properties: { kind: { const: kind.kind } }, required: ['kind'] },
        // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
        then: kindBranch(kind, properties),
      })),
      {
        if: { not: { required: ['kind'] } },
        // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
        then: { properties: allowed, additionalProperties: false },
      },
    ],
  };
}

function kindBranch(kind: KindSchema, properties: JsonObject): JsonObject {
  const { type: _type, ...connectorSchema } = kind.connectorSchema;
  return {
    ...connectorSchema,
    properties: {
      ...Object.fromEntries(Object.keys(properties).map(allow)),
      ...fieldsOf(kind.connectorSchema),
      operations: { additionalProperties: operationSchema(kind) },
    },
    additionalProperties: false,
  };
}

function operationSchema(kind: KindSchema): JsonObject {
  return {
    ...kind.operationSchema,
    properties: { ...operationProperties, ...fieldsOf(kind.operationSchema) },
  };
}

function fieldsOf(schema: JsonObject): JsonObject {
  return (schema['properties'] ?? {}) as JsonObject;
}

function allow(name: string): readonly [string, Json] {
  return [name, true];
}

const constraints = ['pattern', 'enum', 'const', 'format', 'minLength', 'maxLength'];

/** The same schema for files as they are written, where a variable may stand for any scalar. */
function interpolable(schema: JsonObject): JsonObject {
  const type = schema['type'];
  const isScalar =
    type === undefined
      ? 'enum' in schema || 'const' in schema
      : typeof type === 'string' && !['object', 'array', 'null'].includes(type);
  const isFree = type === 'string' && !constraints.some((keyword) => keyword in schema);
  if (isScalar && !isFree) {
    const { description, default: byDefault, ...rest } = schema;
    const variable = { type: 'string', pattern: '\\$\\{' };
    return {
      ...(description === undefined ? {} : { description }),
      ...(byDefault === undefined ? {} : { default: byDefault }),
      anyOf: [rest, variable],
    };
  }
  return Object.fromEntries(
    Object.entries(schema).map(([keyword, value]) => [keyword, interpolableIn(keyword, value)]),
  );
}

function interpolableIn(keyword: string, value: Json): Json {
  if (keyword === 'properties') {
    const fields = Object.entries(value as JsonObject);
    return Object.fromEntries(fields.map(([name, field]) => [name, interpolableIfSchema(field)]));
  }
  if (['items', 'additionalProperties', 'then', 'else'].includes(keyword)) {
    return interpolableIfSchema(value);
  }
  const isList = ['oneOf', 'anyOf', 'allOf'].includes(keyword) && Array.isArray(value);
  return isList ? (value as readonly Json[]).map(interpolableIfSchema) : value;
}

function interpolableIfSchema(value: Json): Json {
  const isSchema = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isSchema ? interpolable(value as JsonObject) : value;
}
