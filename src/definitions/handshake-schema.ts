// `handshakes:` of a receiver, as JSON Schema: the names, and of each what it may be told.

import type { JsonObject } from '../model/json.ts';
import { type HandshakeShape, handshakeNames, handshakeShapes } from './handshake-names.ts';

const HANDSHAKES_MAX = 8;

/** A number is as good as its text, so that `rate: 600` needs no quotes. */
function optionsSchema({ description, options }: HandshakeShape): JsonObject {
  const entries = Object.entries(options);
  return {
    type: 'object',
    description,
    properties: Object.fromEntries(
      entries.map(([name, option]): [string, JsonObject] => [
        name,
        {
          ...(option.secret ? { type: 'string' } : { type: ['string', 'integer'], minimum: 1 }),
          pattern: option.pattern,
          description: option.description,
          examples: option.examples,
        },
      ]),
    ),
    required: entries.filter(([, { required }]) => required).map(([name]) => name),
    additionalProperties: false,
  };
}

export const handshakesSchema: JsonObject = {
  type: 'array',
  maxItems: HANDSHAKES_MAX,
  description: 'Questions of the vendor that are answered without an event; see docs/receiving.md.',
  items: {
    anyOf: [
      { type: 'string', enum: handshakeNames, description: 'The name of a handshake.' },
      {
        type: 'object',
        description: 'A handshake with what it is told.',
        properties: Object.fromEntries(
          handshakeNames.map((name) => [name, optionsSchema(handshakeShapes[name])]),
        ),
        minProperties: 1,
        maxProperties: 1,
        additionalProperties: false,
      },
    ],
  },
};
