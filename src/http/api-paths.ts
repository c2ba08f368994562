// How the routes of `/api/v1` are described for OpenAPI, each beside its router.

import type { JsonObject } from '../model/json.ts';
import { type InputName, inputSchemas } from './api-schemas.ts';

/** Path below `/api/v1` to its operations, by method. */
export type ApiPaths = Readonly<Record<string, JsonObject>>;

export function pathParameter(name: string, description: string): JsonObject {
  return { name, in: 'path', required: true, description, schema: { type: 'string' } };
}

/** One operation: what it answers with, what it does, and what it takes. */
export function answer(
  schema: string,
  summary: string,
  takes: { readonly list?: InputName; readonly body?: InputName } = {},
): JsonObject {
  const { list, body } = takes;
  return {
    summary,
    ...(list === undefined ? {} : { parameters: queryParameters(list) }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: !optionalBodies.includes(body), content: jsonOf(body) } }),
    responses: {
      '200': { description: summary, content: jsonOf(schema) },
      default: {
        description: 'What is wrong.',
        content: { 'application/problem+json': { schema: referenceTo('Error') } },
      },
    },
  };
}

/** A request without one is taken as an empty one. */
const optionalBodies: readonly InputName[] = ['ReplayOne', 'ReleaseOne'];

function queryParameters(name: InputName): JsonObject[] {
  const properties = inputSchemas[name]['properties'] as JsonObject;
  return Object.entries(properties).map(([parameter, schema]) => ({
    name: parameter,
    in: 'query',
    required: false,
    schema,
  }));
}

function jsonOf(schema: string): JsonObject {
  return { 'application/json': { schema: referenceTo(schema) } };
}

function referenceTo(schema: string): JsonObject {
  return { $ref: `#/components/schemas/${schema}` };
}
