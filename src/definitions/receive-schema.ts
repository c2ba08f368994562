// The `receive:` of a connector, as JSON Schema: what a request proves, is called and holds.

import type { Json, JsonObject } from '../model/json.ts';
import { handshakesSchema } from './handshake-schema.ts';
import { durationPattern, sizePattern } from './patterns.ts';
import { listPathSchema, placeProperties, placeSchema } from './place-schema.ts';
import { pollSchema, schedulesSchema } from './poll-schema.ts';
import { secretsSchema } from './secrets-schema.ts';
import { looseVerifySchema, verifySchema } from './verify-schema.ts';

const answer: JsonObject = {
  type: 'object',
  description: 'What the vendor wants to hear.',
  properties: {
    status: {
      type: 'integer',
      minimum: 200,
      maximum: 299,
      default: 200,
      description: 'The status of an accepted webhook.',
    },
    body: {
      type: 'string',
      maxLength: 1_000,
      description: 'The body of that answer instead of {"id": …}; empty for none.',
    },
    type: {
      type: 'string',
      pattern: '^[a-z]+/[a-z0-9.+-]+(; ?charset=[a-zA-Z0-9-]+)?$',
      default: 'text/plain',
      description: 'The content type of "body".',
      examples: ['text/xml'],
    },
    refused: {
      type: 'integer',
      enum: [400, 401, 403, 503],
      default: 401,
      description: 'The status where the signature does not fit.',
    },
  },
  additionalProperties: false,
};

const quarantine: JsonObject = {
  description: 'What is kept of requests that were refused for their signature or their age.',
  anyOf: [
    { type: 'string', enum: ['off', 'sample', 'all'] },
    {
      type: 'object',
      properties: {
        keep: {
          type: 'string',
          enum: ['off', 'sample', 'all'],
          default: 'sample',
          description: 'Nothing, some of each reason, or as much as the bounds allow.',
        },
        count: {
          type: 'integer',
          minimum: 1,
          maximum: 100_000,
          default: 500,
          description: 'Requests at once; older ones make room.',
        },
        bytes: {
          type: 'string',
          pattern: sizePattern,
          default: '20mb',
          description: 'Bytes of all their bodies, at most 1000mb.',
          examples: ['20mb'],
        },
        age: {
          type: 'string',
          pattern: durationPattern,
          default: '7d',
          description: 'How long one is kept.',
          examples: ['7d'],
        },
      },
      additionalProperties: false,
    },
  ],
};

const limits: Readonly<Record<string, Json>> = {
  bodyMax: {
    type: 'string',
    pattern: sizePattern,
    description: 'The largest body that is taken, at most 10mb, as sent and decompressed.',
    default: '1mb',
    examples: ['1mb', '256kb'],
  },
  depthMax: {
    type: 'integer',
    minimum: 1,
    maximum: 100,
    default: 100,
    description: 'Lists and objects inside one another in a JSON or XML body.',
  },
  keysMax: {
    type: 'integer',
    minimum: 1,
    maximum: 10_000,
    default: 10_000,
    description: 'Keys of one object, and fields of one form.',
  },
  eventsMax: {
    type: 'integer',
    minimum: 1,
    maximum: 1_000,
    default: 1_000,
    description: 'Events of one request.',
  },
};

const receiveProperties: JsonObject = {
  verify: looseVerifySchema,
  secrets: secretsSchema,
  url: {
    type: 'string',
    pattern: '^https?://[^\\s]+$',
    description: 'The address of the webhook as the vendor has it, where the signature covers it.',
    examples: ['https://hub.example/webhooks/shop'],
  },
  topic: placeSchema('What the event is about: taken from the request, or always the same.'),
  dedupe: {
    description: 'What makes two webhooks the same one: an id, or the whole body.',
    default: 'body',
    anyOf: [{ type: 'string', const: 'body' }, placeSchema('Where the id of the message stands.')],
  },
  occurredAt: placeSchema('When it happened, as the sender says.'),
  shop: placeSchema('The shop, tenant or account that it happened in.'),
  split: {
    description: 'The list in the body whose every element is an event of its own.',
    anyOf: [
      listPathSchema,
      {
        type: 'object',
        description: 'A list in the field of a form, or one that need not be there.',
        properties: {
          form: placeProperties['form'] ?? {},
          list: listPathSchema,
          optional: {
            type: 'boolean',
            default: false,
            description: 'A body without the list is one event.',
          },
          unless: placeSchema('Where a request has this, it is one event, whatever its body is.'),
        },
        required: ['list'],
        additionalProperties: false,
      },
    ],
  },
  handshakes: handshakesSchema,
  answer,
  quarantine,
  poll: pollSchema,
  schedule: schedulesSchema,
  ...limits,
};

/** What every receiving connector must say in the end. */
export const receiveRequired: readonly string[] = ['verify', 'topic'];

/** `receive:` of a connector; a catalogue entry may leave out what its users must add. */
export function receiveSchema(required: readonly string[]): JsonObject {
  return {
    type: 'object',
    description: 'How webhooks of this system are taken in, at POST /webhooks/<connector>.',
    properties: receiveProperties,
    ...(required.length === 0 ? {} : whole(required)),
    additionalProperties: false,
  };
}

/** Who polls, or goes by the clock, need not take webhooks. */
export function whole(required: readonly string[]): JsonObject {
  return {
    if: { not: { anyOf: [{ required: ['poll'] }, { required: ['schedule'] }] } },
    // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
    then: {
      required,
      // Only for what is said of one that is missing.
      properties: Object.fromEntries(required.map((name) => [name, describedOnly(name)])),
    },
  };
}

/** As `receiveSchema`, with every way to verify: for editors. */
export function publishedReceiveSchema(): JsonObject {
  return { ...receiveSchema([]), properties: { ...receiveProperties, verify: verifySchema } };
}

function describedOnly(name: string): JsonObject {
  const schema = receiveProperties[name] as JsonObject;
  return { description: schema['description'] ?? '' };
}
