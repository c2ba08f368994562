// What a connector file may hold beside its kind's own fields, as JSON Schema fragments. The
// loader checks by them and editors complete by them (file-schemas.ts).

import type { JsonObject } from '../model/json.ts';
import { lookupSchema, outcomesSchema } from './outcomes-schema.ts';

export const idPattern = '^[a-z][a-z0-9-]*$';
export const durationPattern = '^[0-9]{1,9}(ms|s|m|h|d)$';
export const operationNamePattern = '^[A-Za-z][A-Za-z0-9_-]*$';

const headerName: JsonObject = {
  type: 'string',
  pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$",
  description: 'The name of an HTTP header; case does not matter.',
  examples: ['X-Shopify-Topic'],
};

function headerNames(description: string): JsonObject {
  return {
    description,
    anyOf: [
      headerName,
      { type: 'array', items: headerName, minItems: 1, maxItems: 8, uniqueItems: true },
    ],
  };
}

function fromHeader(description: string): JsonObject {
  return {
    type: 'object',
    description,
    properties: {
      header: headerNames('The header, or several of which the first that is present counts.'),
    },
    required: ['header'],
    additionalProperties: false,
  };
}

const hmac: JsonObject = {
  type: 'object',
  description: 'An HMAC over the raw bytes of the body.',
  properties: {
    hmac: {
      type: 'string',
      enum: ['sha1', 'sha256', 'sha512'],
      description: 'The hash function of the HMAC.',
    },
    header: headerNames('The header that carries the signature, or several to look in.'),
    encoding: {
      type: 'string',
      enum: ['hex', 'base64', 'base64url'],
      description: 'How the signature is written in the header.',
    },
    prefix: {
      type: 'string',
      maxLength: 64,
      description: 'What stands before the signature in the header, such as "sha256=".',
    },
  },
  required: ['hmac', 'header', 'encoding'],
  additionalProperties: false,
};

const receiveProperties: JsonObject = {
  verify: {
    description: 'How the sender proves that a webhook is its own; "none" must be spelled out.',
    anyOf: [{ type: 'string', const: 'none' }, hmac],
  },
  secrets: {
    type: 'array',
    items: { type: 'string', description: 'A secret, as a variable.' },
    maxItems: 8,
    description: 'The keys that signatures are tried with, newest first. Empty ones are dropped.',
  },
  topic: {
    description: 'What the event is about: taken from a header, or always the same.',
    anyOf: [
      fromHeader('The topic stands in a header.'),
      {
        type: 'object',
        description: 'Every webhook has this topic.',
        properties: {
          is: { type: 'string', minLength: 1, maxLength: 200, description: 'The topic.' },
        },
        required: ['is'],
        additionalProperties: false,
      },
    ],
  },
  dedupe: {
    description: 'What makes two webhooks the same one: an id in a header, or the whole body.',
    default: 'body',
    anyOf: [
      { type: 'string', const: 'body' },
      fromHeader('The id of the message stands in a header.'),
    ],
  },
  occurredAt: fromHeader('When it happened, as the sender says.'),
  shop: fromHeader('The shop, tenant or account that it happened in.'),
  bodyMax: {
    type: 'string',
    pattern: '^[0-9]{1,9}([kK]?[bB]|[mM][bB])$',
    description: 'The largest body that is taken, at most 10mb.',
    default: '1mb',
    examples: ['1mb', '256kb'],
  },
};

/** What every receiving connector must say in the end. */
export const receiveRequired: readonly string[] = ['verify', 'topic'];

/** `receive:` of a connector; a catalogue entry may leave out what its users must add. */
export function receiveSchema(required: readonly string[]): JsonObject {
  return {
    type: 'object',
    description: 'How webhooks of this system are taken in, at POST /webhooks/<connector>.',
    properties: receiveProperties,
    required,
    additionalProperties: false,
  };
}

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
