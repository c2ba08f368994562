// The shape of `.test.yaml` files; `crossdock test` runs them.

import { deliveryStates } from '../model/delivery.ts';
import type { JsonObject } from '../model/json.ts';
import { idPattern } from './connector-schema.ts';

const caseName: JsonObject = {
  type: 'string',
  minLength: 1,
  maxLength: 200,
  description: 'What is true if the case passes, as a sentence.',
};
const now: JsonObject = {
  type: 'string',
  format: 'date-time',
  description: 'The time that the case believes in, ISO 8601.',
  examples: ['2026-11-22T09:30:00Z'],
};
const stringHeaders: JsonObject = {
  type: 'object',
  description: 'HTTP headers.',
  additionalProperties: { type: 'string' },
};
const operationName: JsonObject = {
  pattern: '^[a-z][a-z0-9-]*[.][A-Za-z][A-Za-z0-9_-]*$',
  examples: ['erp.createSalesOrder'],
};

function path(description: string): JsonObject {
  return { type: 'string', minLength: 1, maxLength: 300, description };
}

function anyJson(description: string): JsonObject {
  return { description };
}

function exactlyOne(names: readonly string[]): readonly JsonObject[] {
  return names.map((name) => ({ required: [name] }));
}

function cases(testCase: JsonObject): JsonObject {
  return { type: 'array', minItems: 1, maxItems: 500, items: testCase };
}

/** `mappings/<name>.test.yaml`. */
export const mappingTestSchema: JsonObject = cases({
  type: 'object',
  properties: {
    name: caseName,
    input: anyJson('The body that is mapped.'),
    inputFile: path('A JSON file with the body, relative to this file.'),
    event: {
      type: 'object',
      description: 'What the expressions see as $event.',
      properties: {
        id: { type: 'string', description: 'The id of the event.' },
        source: { type: 'string', description: 'The connector that it came from.' },
        topic: { type: 'string', description: 'Its topic.' },
        key: { type: 'string', description: 'Its dedupe key.' },
        shop: { type: 'string', description: 'The shop, tenant or account.' },
        receivedAt: { type: 'string', format: 'date-time', description: 'When it came in.' },
        occurredAt: { type: 'string', format: 'date-time', description: 'When it happened.' },
        headers: stringHeaders,
      },
      additionalProperties: false,
    },
    now,
    output: anyJson('What the mapping must make of it.'),
    outputFile: path('A JSON file with what it must make, relative to this file.'),
    error: { type: 'string', minLength: 1, description: 'Text that its error must contain.' },
  },
  required: ['name'],
  allOf: [
    { oneOf: exactlyOne(['input', 'inputFile']) },
    { oneOf: exactlyOne(['output', 'outputFile', 'error']) },
  ],
  additionalProperties: false,
});

const webhook: JsonObject = {
  type: 'object',
  description: 'The webhook that comes in.',
  properties: {
    connector: { type: 'string', pattern: idPattern, description: 'The connector it comes to.' },
    topic: { type: 'string', minLength: 1, description: 'Its topic.' },
    headers: stringHeaders,
    body: anyJson('Its body, as JSON.'),
    bodyFile: path('A file with its body, relative to this file.'),
    raw: { type: 'string', description: 'Its body, as text that need not be JSON.' },
  },
  required: ['connector', 'topic'],
  oneOf: exactlyOne(['body', 'bodyFile', 'raw']),
  additionalProperties: false,
};

const answers: JsonObject = {
  type: 'object',
  description: 'What each operation answers, call by call; the last one repeats.',
  propertyNames: operationName,
  additionalProperties: {
    type: 'array',
    minItems: 1,
    maxItems: 100,
    items: {
      type: 'object',
      properties: {
        status: { type: 'integer', minimum: 100, maximum: 599, description: 'The HTTP status.' },
        headers: stringHeaders,
        body: anyJson('The body of the answer.'),
        error: {
          type: 'string',
          enum: ['timeout', 'connection'],
          description: 'There is no answer: the call runs out of time, or fails to connect.',
        },
      },
      minProperties: 1,
      additionalProperties: false,
    },
  },
};

const expectation: JsonObject = {
  type: 'object',
  description: 'What must have come of it.',
  properties: {
    state: { type: 'string', enum: deliveryStates, description: 'The state of the delivery.' },
    attempts: { type: 'integer', minimum: 0, maximum: 100, description: 'How often it was tried.' },
    requests: {
      type: 'array',
      maxItems: 100,
      description: 'The calls that were made, in order; what is left out is not compared.',
      items: {
        type: 'object',
        properties: {
          to: { type: 'string', ...operationName, description: '<connector>.<operation>.' },
          method: { type: 'string', description: 'The HTTP method.' },
          path: { type: 'string', description: 'The path of the address.' },
          headers: stringHeaders,
          body: anyJson('The body of the request.'),
        },
        required: ['to'],
        additionalProperties: false,
      },
    },
    error: { type: 'string', minLength: 1, description: 'Text that the error must contain.' },
    emits: {
      type: 'array',
      maxItems: 100,
      description: 'The events that were emitted.',
      items: {
        type: 'object',
        properties: {
          topic: { type: 'string', minLength: 1, description: 'The topic of the event.' },
          body: anyJson('Its body.'),
        },
        required: ['topic'],
        additionalProperties: false,
      },
    },
  },
  required: ['state'],
  additionalProperties: false,
};

/** `flows/<name>.test.yaml`. */
export const flowTestSchema: JsonObject = cases({
  type: 'object',
  properties: { name: caseName, webhook, now, answers, expect: expectation },
  required: ['name', 'webhook', 'expect'],
  additionalProperties: false,
});
