import type { Json, JsonObject } from '../model/json.ts';

const headerName: JsonObject = {
  type: 'string',
  pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$",
  description: 'The name of an HTTP header; case does not matter.',
  examples: ['X-Shopify-Topic'],
};

const name: JsonObject = { type: 'string', minLength: 1, maxLength: 200 };

const jsonPath: JsonObject = {
  type: 'string',
  minLength: 1,
  maxLength: 500,
  description: 'A path in the JSON body, or in the element of it that is the event.',
  examples: ['data.object.id'],
};

function oneOrMore(item: JsonObject, description: string): JsonObject {
  return {
    description,
    anyOf: [item, { type: 'array', items: item, minItems: 1, maxItems: 8, uniqueItems: true }],
  };
}

export const template: JsonObject = {
  type: 'string',
  minLength: 1,
  maxLength: 1_000,
  description:
    'Text with {header:…}, {query:…}, {form:…}, {json:…}, {body}, {timestamp} and others.',
  examples: ['{timestamp}.{body}'],
};

/** By the name of the field. */
export const placeProperties: Readonly<Record<string, Json>> = {
  header: oneOrMore(headerName, 'A header, or several of which the first that is present counts.'),
  query: oneOrMore(name, 'A parameter of the address.'),
  json: oneOrMore(jsonPath, 'A path in the JSON body, or several.'),
  form: oneOrMore(name, 'A field of a form.'),
  template,
  is: { type: 'string', minLength: 1, maxLength: 200, description: 'Always this text.' },
};

/** Several fields are looked at in the order of `placeKeys`; the first that is there counts. */
export function placeSchema(description: string, more: JsonObject = {}): JsonObject {
  return {
    type: 'object',
    description,
    properties: { ...placeProperties, ...more },
    minProperties: 1,
    additionalProperties: false,
  };
}

/** `split`, and `each` of a signature. */
export const listPathSchema: JsonObject = {
  type: 'string',
  pattern: '^[^\\[\\]]*\\[\\][^\\[\\]]*$',
  maxLength: 200,
  description: 'A list in a JSON body: [] for the body itself, data[], items[].event.',
  examples: ['data[]'],
};
