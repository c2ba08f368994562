// The `verify:` of a receiver, as JSON Schema. Which way it is, is said by the field that names it:
// hmac, hash, rsa, ecdsa, ed25519, token, jwt, certificate, addresses, scheme; any and all join some.

import type { JsonObject } from '../model/json.ts';
import { durationPattern } from './patterns.ts';
import { listPathSchema, placeProperties, placeSchema, template } from './place-schema.ts';
import { schemeNames } from './scheme-names.ts';
import { secretsSchema } from './secrets-schema.ts';

const pair: JsonObject = {
  type: 'string',
  minLength: 1,
  maxLength: 50,
  description: 'A name in the list of the signature header, such as t of t=1,v1=abc.',
};

const secrets: JsonObject = {
  ...secretsSchema,
  description: 'The secrets of this way alone. Otherwise those of "receive".',
};

const prefix: JsonObject = {
  type: 'string',
  maxLength: 64,
  description: 'What stands before it, such as "sha256=" or "Bearer ".',
};

const keyForms = ['text', 'hex', 'base64', 'whsec', 'pem', 'der'];

const key: JsonObject = {
  description: 'How a secret becomes a key, or where the vendor publishes its public key.',
  default: 'text',
  anyOf: [
    { type: 'string', enum: keyForms },
    {
      type: 'object',
      properties: {
        fetch: { type: 'string', enum: ['pem', 'x509'], description: 'What is published there.' },
        at: placeSchema('Where the request says the address of the key.'),
        base: {
          type: 'string',
          pattern: '^https://[a-z0-9.-]+$',
          description: 'Put before the address where that is only a path.',
          examples: ['https://static.adobeioevents.com'],
        },
        hosts: {
          type: 'array',
          items: {
            type: 'string',
            pattern: '^((\\*|[a-z0-9-]+)\\.)*[a-z0-9-]+\\.[a-z][a-z0-9-]*$',
            description: 'A host; its last two labels are spelled out.',
            examples: ['*.paypal.com'],
          },
          minItems: 1,
          maxItems: 8,
          description: 'The only hosts that keys are fetched from; * stands for one label.',
          examples: ['*.paypal.com'],
        },
        cache: {
          type: 'string',
          pattern: durationPattern,
          default: '24h',
          description: 'How long a key is kept.',
          examples: ['24h'],
        },
      },
      required: ['fetch', 'at', 'hosts'],
      additionalProperties: false,
    },
  ],
};

const timestamp: JsonObject = placeSchema('When it was signed.', {
  pair,
  unit: {
    type: 'string',
    enum: ['s', 'ms', 'iso', 'http'],
    default: 's',
    description: 'Seconds or milliseconds since 1970, ISO 8601, or a date as in HTTP.',
  },
  tolerance: {
    type: 'string',
    pattern: durationPattern,
    description: 'How far it may be off, back or ahead. Otherwise any age is taken.',
    examples: ['300s'],
  },
});

const topicArns: JsonObject = {
  type: 'array',
  items: {
    type: 'string',
    maxLength: 256,
    examples: ['arn:aws:sns:eu-west-1:123456789012:orders'],
  },
  maxItems: 64,
  description: 'For sns: the topics that messages may be from. Empty ones are dropped.',
};

const equal: JsonObject = {
  type: 'array',
  maxItems: 4,
  items: { type: 'array', items: template, minItems: 2, maxItems: 2 },
  description: 'Pairs of templates that must come to the same text.',
};

const signatureProperties: JsonObject = {
  header: placeProperties['header'] ?? {},
  query: placeProperties['query'] ?? {},
  json: placeProperties['json'] ?? {},
  form: placeProperties['form'] ?? {},
  encoding: {
    type: 'string',
    enum: ['hex', 'base64', 'base64url'],
    description: 'How the signature is written.',
  },
  prefix,
  pairs: { ...pair, description: 'The signature header is a list such as t=1,v1=abc: take these.' },
  tagged: {
    ...pair,
    description: 'It is a list such as "v1,abc v1a,def": take those of this tag.',
  },
  signs: { ...template, default: '{body}', description: 'What is signed, as a template.' },
  timestamp,
  key,
  secrets,
  each: {
    ...listPathSchema,
    description: 'A list in the body whose every element has a signature of its own.',
  },
  equal,
};

function signature(names: JsonObject): JsonObject {
  return {
    type: 'object',
    description: 'A signature over bytes of the request.',
    properties: { ...names, ...signatureProperties },
    required: ['encoding'],
    additionalProperties: false,
  };
}

function hash(hashes: readonly string[], description: string): JsonObject {
  return { type: 'string', enum: hashes, description };
}

function way(name: string, schema: JsonObject, more: JsonObject = {}): JsonObject {
  return {
    type: 'object',
    properties: { [name]: schema, ...more },
    required: [name],
    additionalProperties: false,
  };
}

const jwt: JsonObject = {
  type: 'object',
  description: 'A signed token (RFC 7519) of an issuer.',
  properties: {
    ...placeProperties,
    prefix,
    algorithms: {
      type: 'array',
      items: {
        type: 'string',
        enum: ['RS256', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA', 'HS256', 'HS512'],
      },
      minItems: 1,
      maxItems: 8,
      description: 'The algorithms that are taken.',
    },
    jwks: {
      type: 'string',
      pattern: '^https://[a-z0-9.-]+(:[0-9]+)?/[^\\s]*$',
      description: 'Where the issuer publishes its keys. Otherwise the secrets are the keys.',
      examples: ['https://www.googleapis.com/oauth2/v3/certs'],
    },
    key: { type: 'string', enum: keyForms, default: 'text', description: 'What a secret is.' },
    issuer: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      minItems: 1,
      maxItems: 8,
      description: 'The issuers that are taken.',
    },
    audience: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      minItems: 1,
      maxItems: 8,
      description: 'Whom the token must be for; one of these.',
    },
    claims: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Claims that must be there with this value.',
    },
    skew: {
      type: 'string',
      pattern: durationPattern,
      default: '60s',
      description: "How far the issuer's clock may be off.",
      examples: ['60s'],
    },
  },
  required: ['algorithms'],
  additionalProperties: false,
};

const hashes = ['sha1', 'sha256', 'sha512'];

const algorithms: JsonObject = {
  hmac: hash(hashes, 'An HMAC with a shared secret, and its hash function.'),
  hash: hash(hashes, 'A plain hash of a template that holds {secret}.'),
  rsa: hash(hashes, 'An RSA signature (PKCS #1 v1.5), and its hash function.'),
  ecdsa: hash(['sha256'], 'An ECDSA signature (DER), and its hash function.'),
  ed25519: hash(['sha512'], 'An Ed25519 signature (RFC 8032); its hash is sha512.'),
};

const otherWays: Readonly<Record<string, JsonObject>> = {
  token: way('token', placeSchema('A secret that is sent along as it is.', { prefix }), {
    secrets,
  }),
  jwt: way('jwt', jwt, { secrets, equal }),
  certificate: way(
    'certificate',
    placeSchema('The subject of the client certificate, as a trusted proxy tells it.', {
      subjects: {
        type: 'array',
        items: { type: 'string', minLength: 1 },
        minItems: 1,
        maxItems: 16,
        description: 'The subjects that are taken, as the proxy writes them.',
      },
    }),
  ),
  addresses: way('addresses', {
    type: 'array',
    items: { type: 'string', minLength: 2, maxLength: 50, examples: ['203.0.113.0/24'] },
    minItems: 1,
    maxItems: 256,
    description: 'The addresses and CIDR blocks that requests may come from.',
  }),
  scheme: way(
    'scheme',
    {
      type: 'string',
      enum: [...schemeNames],
      description: 'A way that has its own code; see docs/receiving.md.',
    },
    { secrets, timestamp, topicArns },
  ),
  basic: way(
    'basic',
    { type: 'boolean', const: true, description: 'HTTP Basic; see "secrets".' },
    { secrets },
  ),
};

/** By the field that names the way. Compiled one by one: all at once take half a second. */
export const waySchemas: Readonly<Record<string, JsonObject>> = {
  ...Object.fromEntries(
    Object.entries(algorithms).map(([name, schema]) => [
      name,
      { ...signature({ [name]: schema }), required: [name, 'encoding'] },
    ]),
  ),
  ...otherWays,
};

function several(name: string, description: string): JsonObject {
  return way(name, {
    type: 'array',
    items: { type: 'object', description: 'One way, as above.' },
    minItems: 1,
    maxItems: 8,
    description,
  });
}

export const verifyWord: JsonObject = {
  type: 'string',
  enum: ['none', 'basic'],
  description: '"basic": HTTP Basic; each secret is user:password.',
};

const description = 'How the sender proves that a webhook is its own; "none" must be spelled out.';

/** What the loader checks at first; `verifyShape` checks the rest by the way that is meant. */
export const looseVerifySchema: JsonObject = { description, type: ['string', 'object'] };

/** Everything at once, for editors. */
export const verifySchema: JsonObject = {
  description,
  anyOf: [
    verifyWord,
    signature(algorithms),
    ...Object.values(otherWays),
    several('any', 'Ways of which one is enough, tried in their order.'),
    several('all', 'Ways that must all fit.'),
  ],
};
