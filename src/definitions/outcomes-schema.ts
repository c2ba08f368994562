// What files may say about answers: `outcomes:` of flows and operations, `lookup:` of operations.

import type { JsonObject } from '../model/json.ts';

const OUTCOMES_MAX = 50;

const status: JsonObject = {
  type: 'integer',
  minimum: 100,
  maximum: 599,
  description: 'A status, such as 404.',
};

export const outcomesSchema: JsonObject = {
  type: 'array',
  description: 'What answers mean, where it is not what their status says. The first match counts.',
  minItems: 1,
  maxItems: OUTCOMES_MAX,
  items: {
    type: 'object',
    description: 'One kind of answer: by its status, by an expression, or by both.',
    properties: {
      status: {
        description: 'The status of the answer, or several.',
        anyOf: [
          status,
          { type: 'array', items: status, minItems: 1, maxItems: OUTCOMES_MAX, uniqueItems: true },
        ],
      },
      when: {
        type: 'string',
        minLength: 1,
        description: 'JSONata over { status, headers, body } of the answer; $sent is the message.',
        examples: ["body.code = 'DUPLICATE'"],
      },
      // biome-ignore lint/suspicious/noThenProperty: the word of the files
      then: {
        type: 'string',
        enum: ['delivered', 'retry', 'dead'],
        description: 'What becomes of the delivery.',
      },
    },
    required: ['then'],
    anyOf: [{ required: ['status'] }, { required: ['when'] }],
    additionalProperties: false,
  },
};

export const lookupSchema: JsonObject = {
  type: 'object',
  description: 'How to see whether an attempt has worked of which nobody knows what became.',
  properties: {
    operation: {
      type: 'string',
      minLength: 1,
      description: 'An operation of the same connector that looks; it gets the same message.',
      examples: ['findOrder'],
    },
    found: {
      type: 'string',
      minLength: 1,
      description: 'JSONata over { status, headers, body } of its answer; $sent is the message.',
      examples: ['$count(body.orders) > 0'],
    },
  },
  required: ['operation', 'found'],
  additionalProperties: false,
};
