import type { JsonObject } from '../model/json.ts';
import { connectorProperties } from './connector-schema.ts';
import { durationPattern } from './patterns.ts';
import { receiveSchema } from './receive-schema.ts';

const settings: JsonObject = {
  type: 'object',
  description: `What a merchant fills in. \${settings.NAME} takes the value; where it may be missing, \${settings.NAME:default}.`,
  propertyNames: { pattern: '^[A-Za-z_][A-Za-z0-9_]*$', examples: ['shop'] },
  additionalProperties: {
    type: 'object',
    properties: {
      description: {
        type: 'string',
        minLength: 1,
        description: 'What it is, and where to find it.',
      },
      required: { type: 'boolean', description: 'It must be given.', default: false },
      secret: {
        type: 'boolean',
        description: 'It may only be given as a variable, and is redacted.',
        default: false,
      },
    },
    required: ['description'],
    additionalProperties: false,
  },
};

/** What operators need to know about a vendor; the hub itself does not act on it. */
const facts: JsonObject = {
  type: 'object',
  description: 'How the vendor behaves, for operators. The hub does not act on it.',
  properties: {
    success: { type: 'string', description: 'Which answers the vendor takes for success.' },
    timeout: { type: 'string', description: 'How long the vendor waits for an answer.' },
    retries: {
      type: 'string',
      description: 'How often, and for how long, the vendor tries again.',
    },
    retriesFor: {
      type: 'string',
      pattern: durationPattern,
      description:
        'As "retries", the longest time after which one message may still come again; at most 7d, for which events are kept at least. 0s where nothing is retried, absent where nobody knows.',
      examples: ['72h'],
    },
    givesUp: { type: 'string', description: 'What the vendor does after too many failures.' },
    badSignature: { type: 'string', description: 'What a bad signature must be answered with.' },
    rotation: { type: 'string', description: 'How a change of the secret goes.' },
    dedupe: { type: 'string', description: 'What marks two deliveries as the same one.' },
    unverified: { type: 'string', description: 'What of this entry nobody has checked yet.' },
  },
  additionalProperties: false,
};

const troubleshooting: JsonObject = {
  type: 'array',
  maxItems: 20,
  description: 'What goes wrong with this vendor, and what helps.',
  items: {
    type: 'object',
    properties: {
      symptom: { type: 'string', minLength: 1, description: 'What one sees.' },
      do: { type: 'string', minLength: 1, description: 'What to do about it.' },
    },
    required: ['symptom', 'do'],
    additionalProperties: false,
  },
};

const samples: JsonObject = {
  type: 'object',
  description: 'By topic, the file below the folder of the entries that holds a body of it.',
  propertyNames: { minLength: 1, maxLength: 200, examples: ['orders/create'] },
  additionalProperties: {
    type: 'string',
    pattern: '^samples/[a-z][a-z0-9-]*/[A-Za-z0-9._-]+[.](json|txt|xml)$',
    description: 'The exact body: JSON or XML, or in .txt a form.',
    examples: ['samples/shopify/orders-create.json'],
  },
};

/** The fields of `connectors/catalog/<entry>.yaml`, without those of its kind. */
export function catalogueProperties(kinds: readonly string[]): JsonObject {
  const { uses: _uses, ...properties } = connectorProperties(kinds);
  return {
    ...properties,
    settings,
    setup: { type: 'string', description: 'How to set it up on the side of the vendor.' },
    facts,
    troubleshooting,
    samples,
    receive: receiveSchema([]),
  };
}

/** Fields of an entry that say something about it and are no part of the connector it makes. */
export const entryOnlyFields: readonly string[] = [
  'settings',
  'setup',
  'facts',
  'troubleshooting',
  'samples',
];
