// The http kind's own fields of a connector file: their schemas and their types.

import type { JsonObject } from '../model/json.ts';

export const httpMethods = ['post', 'put', 'patch', 'get', 'delete'] as const;
export type HttpMethod = (typeof httpMethods)[number];

export interface OAuth2Fields {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope?: string;
  readonly audience?: string;
  readonly style?: 'header' | 'body';
}

export type HttpAuthFields =
  | {
      readonly bearer?: string;
      readonly basic?: { readonly user: string; readonly password: string };
      readonly header?: { readonly name: string; readonly value: string };
      readonly oauth2?: OAuth2Fields;
    }
  | undefined;

export interface HttpConnectorFields {
  readonly baseUrl: string;
  readonly auth?: HttpAuthFields;
  readonly headers?: Readonly<Record<string, string>>;
}

export type HttpOperationFields = { readonly [method in HttpMethod]?: string } & {
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: 'json' | 'form' | 'none';
  readonly idempotency?: { readonly header: string };
  readonly success?: readonly number[];
};

const text = (description: string): JsonObject => ({ type: 'string', minLength: 1, description });

const texts = (description: string): JsonObject => ({
  type: 'object',
  description,
  additionalProperties: { type: 'string' },
});

function object(description: string, properties: JsonObject, required: readonly string[]) {
  return { type: 'object', description, additionalProperties: false, required, properties };
}

const basicSchema = object(
  'HTTP Basic: a user name and a password.',
  {
    user: text('The user name; it cannot contain a colon.'),
    password: { type: 'string', description: 'The password, from an environment variable.' },
  },
  ['user', 'password'],
);

const headerSchema = object(
  'A header of your choice, such as X-Api-Key.',
  {
    name: text('The name of the header.'),
    value: text('The value of the header, from an environment variable.'),
  },
  ['name', 'value'],
);

const oauth2Schema = object(
  'OAuth2 client credentials: the hub fetches an access token and renews it in time.',
  {
    tokenUrl: text('The address of the token endpoint, with http:// or https://.'),
    clientId: text('The client id.'),
    clientSecret: text('The client secret, from an environment variable.'),
    scope: text('The scopes to ask for, separated by spaces.'),
    audience: text('The audience to ask for, where the token server wants one.'),
    style: {
      enum: ['header', 'body'],
      default: 'header',
      description: 'Where client id and secret go: a Basic header, or fields of the form.',
    },
  },
  ['tokenUrl', 'clientId', 'clientSecret'],
);

export const httpConnectorSchema: JsonObject = object(
  'An outside system with an HTTP API.',
  {
    baseUrl: text(
      'Where the API is: http:// or https://, a host, perhaps a port and a path. Every operation stays below it.',
    ),
    auth: {
      type: 'object',
      description: 'How calls are signed in: exactly one of bearer, basic, header, oauth2.',
      additionalProperties: false,
      minProperties: 1,
      maxProperties: 1,
      properties: {
        bearer: text(
          'A fixed token, sent as "Authorization: Bearer …"; from an environment variable.',
        ),
        basic: basicSchema,
        header: headerSchema,
        oauth2: oauth2Schema,
      },
    },
    headers: texts(
      'Headers of every call; values are templates such as {customer.id} or {$event.id}.',
    ),
  },
  ['baseUrl'],
);

const path = (method: HttpMethod): JsonObject =>
  text(
    `The path of a ${method.toUpperCase()}, below baseUrl; a template such as /orders/{id}/lines. Exactly one method is given.`,
  );

export const httpOperationSchema: JsonObject = object(
  'One call of the API.',
  {
    post: path('post'),
    put: path('put'),
    patch: path('patch'),
    get: path('get'),
    delete: path('delete'),
    query: texts('The query of the address; values are templates.'),
    headers: texts('Headers of this call; they replace the connector’s headers of the same name.'),
    body: {
      enum: ['json', 'form', 'none'],
      description:
        'What is sent: the message as JSON, as an HTML form, or nothing. Default: json, and none for get and delete.',
    },
    idempotency: object(
      'How the target recognises a repeat.',
      {
        header: text('The header that carries the delivery’s stable key, such as Idempotency-Key.'),
      },
      ['header'],
    ),
    success: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: { type: 'integer', minimum: 200, maximum: 599 },
      description: 'The statuses that mean delivered, such as [200, 201, 409]. Default: any 2xx.',
    },
  },
  [],
);

/** Headers that let somebody in, whatever they are called exactly. */
export const httpNamedSecrets = {
  paths: ['headers', 'operations/*/headers'],
  names: /authorization|cookie|key|password|secret|signature|token/i,
} as const;

export const httpSecretFields = [
  'auth/bearer',
  'auth/basic/password',
  'auth/header/value',
  'auth/oauth2/clientSecret',
] as const;
