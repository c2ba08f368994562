import type { JsonObject } from '../model/json.ts';
import { idPattern } from './connector-schema.ts';
import { outcomesSchema } from './outcomes-schema.ts';
import { durationPattern } from './patterns.ts';

const schemaName: JsonObject = { type: 'string', pattern: idPattern, examples: ['sales-order'] };

function duration(description: string, example: string): JsonObject {
  return { type: 'string', pattern: durationPattern, description, examples: [example] };
}

/** A file of `flows/`, as the loader checks it. */
export const flowSchema: JsonObject = {
  type: 'object',
  properties: {
    description: { type: 'string', description: 'What the flow does, in a sentence for people.' },
    from: {
      type: 'object',
      description: 'Which events go this way.',
      properties: {
        connector: {
          type: 'string',
          pattern: idPattern,
          description:
            'The connector that the events come from; or crossdock, for what the hub tells of itself.',
        },
        topics: {
          type: 'array',
          items: { type: 'string', minLength: 1, maxLength: 200, description: 'A topic.' },
          minItems: 1,
          maxItems: 100,
          uniqueItems: true,
          description: 'The topics of the events, exactly as the connector names them.',
        },
      },
      required: ['connector', 'topics'],
      additionalProperties: false,
    },
    when: {
      type: 'string',
      minLength: 1,
      description: 'JSONata over the body; events for which it is not true are filtered.',
      examples: ["financial_status = 'paid'"],
    },
    map: {
      type: 'string',
      pattern: idPattern,
      description: 'The file mappings/<name>.jsonata. Without one the body goes out as it came.',
      examples: ['order-to-erp'],
    },
    validate: {
      type: 'object',
      description: 'JSON Schemas that the message must fit.',
      properties: {
        input: { ...schemaName, description: 'schemas/<name>.json, for the body as it came in.' },
        output: { ...schemaName, description: 'schemas/<name>.json, for what the mapping made.' },
      },
      minProperties: 1,
      additionalProperties: false,
    },
    to: {
      type: 'string',
      pattern: '^[a-z][a-z0-9-]*[.][A-Za-z][A-Za-z0-9_-]*$',
      description: 'Where the message goes: <connector>.<operation>.',
      examples: ['erp.createSalesOrder'],
    },
    order: {
      type: 'object',
      description: 'Events of one key go one after the other.',
      properties: {
        by: {
          type: 'string',
          minLength: 1,
          description: 'The key: a path such as customer.id, or $event.shop.',
          examples: ['customer.id'],
        },
        version: {
          type: 'string',
          minLength: 1,
          description: 'With keep: a path to a number or a time; the greater one is the newer.',
          examples: ['updated_at'],
        },
        keep: {
          enum: ['latest'],
          description: 'Only the newest event of a key is sent; needs version.',
        },
        dead: {
          enum: ['block', 'park', 'skip'],
          description: 'What later ones do behind a dead one: wait, die behind it, or go on.',
          default: 'block',
        },
        settle: duration('With keep: the least time between two calls for a key, 2s.', '2s'),
      },
      required: ['by'],
      additionalProperties: false,
    },
    retry: {
      type: 'object',
      description: 'When a failed delivery is tried again; what is left out has its default.',
      properties: {
        attempts: {
          type: 'integer',
          minimum: 1,
          maximum: 100,
          description: 'Attempts in all, the first included.',
          default: 12,
        },
        first: duration('The wait before the second attempt, 5s if not given.', '5s'),
        max: duration('The longest wait between two attempts, 1h if not given.', '1h'),
        horizon: duration('No attempt is planned for later than this, 72h if not given.', '72h'),
      },
      minProperties: 1,
      additionalProperties: false,
    },
    outcomes: {
      ...outcomesSchema,
      description:
        "What answers mean for this flow; they come before the operation's own. The first match counts.",
    },
    emit: {
      type: 'string',
      pattern: '^[a-z][a-z0-9-]*[.][^\\s]{1,200}$',
      description: "The operation's result becomes a new event: <connector>.<topic>.",
      examples: ['erp.order-created'],
    },
  },
  required: ['from', 'to'],
  additionalProperties: false,
};
