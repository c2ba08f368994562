import type { JsonObject } from '../model/json.ts';

/** `secrets` of a receiver, and of one way to verify. */
export const secretsSchema: JsonObject = {
  type: 'array',
  items: {
    anyOf: [
      { type: 'string', description: 'A secret, as a variable.' },
      {
        type: 'object',
        description: 'A secret that ends.',
        properties: {
          value: { type: 'string', description: 'The secret, as a variable.' },
          notAfter: {
            type: 'string',
            format: 'date-time',
            description: 'When it is tried no more, such as 2026-12-31T00:00:00Z.',
            examples: ['2026-12-31T00:00:00Z'],
          },
        },
        required: ['value'],
        additionalProperties: false,
      },
    ],
  },
  maxItems: 8,
  description: 'What signatures and tokens are tried with, newest first. Empty ones are dropped.',
};
