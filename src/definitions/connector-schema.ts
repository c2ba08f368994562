// What a connector file may hold beside its kind's own fields, as JSON Schema fragments. The
// loader checks by them and editors complete by them (file-schemas.ts).

import type { JsonObject } from '../model/json.ts';
import { lookupSchema, outcomesSchema } from './outcomes-schema.ts';
import { durationPattern } from './patterns.ts';
import { receiveRequired, receiveSchema } from './receive-schema.ts';

export const idPattern = '^[a-z][a-z0-9-]*$';
export const operationNamePattern = '^[A-Za-z][A-Za-z0-9_-]*$';

export const describingProperties: JsonObject = {
  title: { type: 'string', minLength: 1, maxLength: 200, description: 'A name for people.' },
  description: { type: 'string', description: 'What this system is, for people.' },
  docs: {
    type: 'string',
    pattern: '^https?://',
    description: "The vendor's page about this.",
    examples: ['https://vendor.example/docs'],
  },
};

/** Fields that the hub adds to every operation of every kind. */
export const operationProperties: JsonObject = {
  description: { type: 'string', description: 'What the operation does, for people.' },
  result: {
    type: 'string',
    minLength: 1,
    description:
      'JSONata over the response body that makes the result of a delivery; $sent is the message.',
  },
  outcomes: outcomesSchema,
  lookup: lookupSchema,
};

/** The fields that every connector has, whatever its kind. */
export function connectorProperties(kinds: readonly string[]): JsonObject {
  return {
    ...describingProperties,
    uses: {
      type: 'string',
      pattern: idPattern,
      description: 'The entry of the catalogue that this connector is made from.',
      examples: ['shopify'],
    },
    settings: {
      type: 'object',
      description: 'The settings that the entry of the catalogue asks for.',
    },
    kind: {
      type: 'string',
      enum: kinds,
      description: 'How the system is called. Absent where it only sends webhooks.',
    },
    receive: receiveSchema(receiveRequired),
    limits: {
      type: 'object',
      description: 'How hard the system may be pushed.',
      properties: {
        concurrency: {
          type: 'integer',
          minimum: 1,
          maximum: 100,
          description: 'Calls under way at once, over all processes.',
          default: 8,
        },
        rate: {
          type: 'string',
          pattern: '^0*[1-9][0-9]{0,8}/[smh]$',
          description: 'Calls in a time, over all processes.',
          examples: ['40/s', '600/m', '1000/h'],
        },
        fairBy: {
          type: 'string',
          minLength: 1,
          maxLength: 200,
          description:
            'Where an event says whose it is: tenants take turns, however many messages one has.',
          examples: ['$event.shop', 'account.id'],
        },
      },
      additionalProperties: false,
    },
    timeout: {
      type: 'string',
      pattern: durationPattern,
      description: 'The longest that one call may take in all, from 1s to 120s.',
      default: '20s',
      examples: ['20s'],
    },
    check: {
      type: 'string',
      pattern: operationNamePattern,
      description: 'The operation that finds out whether the system is back, once it was away.',
      examples: ['ping'],
    },
    operations: {
      type: 'object',
      description: 'What can be asked of the system, by name.',
      minProperties: 1,
      maxProperties: 200,
      propertyNames: { pattern: operationNamePattern, examples: ['createSalesOrder'] },
      additionalProperties: { type: 'object', properties: operationProperties },
    },
  };
}
