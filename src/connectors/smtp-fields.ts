// The smtp kind's own fields of a connector file: their schemas, their types, their rules.

import type { KindProblem } from '../definitions/definitions.ts';
import type { JsonObject } from '../model/json.ts';
import { isForbiddenAddress } from './forbidden-address.ts';
import { parseMailbox } from './mailbox.ts';

export interface SmtpConnectorFields {
  readonly host: string;
  readonly port?: number;
  readonly security?: 'starttls' | 'tls' | 'none';
  readonly auth?: { readonly user: string; readonly password: string };
  readonly from: string;
}

export interface SmtpOperationFields {
  readonly from?: string;
}

const from: JsonObject = {
  type: 'string',
  minLength: 1,
  description: 'The sender: orders@shop.example or Shop <orders@shop.example>.',
};

export const smtpConnectorSchema: JsonObject = {
  type: 'object',
  description: 'A mail server that takes messages by SMTP.',
  additionalProperties: false,
  required: ['host', 'from'],
  properties: {
    host: { type: 'string', minLength: 1, description: 'The name or address of the mail server.' },
    port: {
      type: 'integer',
      minimum: 1,
      maximum: 65_535,
      description: 'The port. Default: 465 with security tls, otherwise 587.',
    },
    security: {
      enum: ['starttls', 'tls', 'none'],
      default: 'starttls',
      description:
        'starttls: encrypt before anything is said, or give up. tls: encrypted from the start. none: in clear, for a server on the same machine.',
    },
    auth: {
      type: 'object',
      description: 'How the hub signs in; left out where the server does not ask.',
      additionalProperties: false,
      required: ['user', 'password'],
      properties: {
        user: { type: 'string', minLength: 1, description: 'The user name.' },
        password: {
          type: 'string',
          minLength: 1,
          description: 'The password, from an environment variable.',
        },
      },
    },
    from,
  },
};

export const smtpOperationSchema: JsonObject = {
  type: 'object',
  description: 'Sends one mail, which the mapping makes.',
  additionalProperties: false,
  properties: { from },
};

export function checkSmtp(
  connector: JsonObject,
  operations: ReadonlyMap<string, JsonObject>,
): readonly KindProblem[] {
  const { from, host }: Partial<SmtpConnectorFields> = connector;
  const problems = checkFrom(from, ['from']);
  if (host !== undefined && isForbiddenAddress(host)) {
    const message = 'link-local and metadata addresses are never called';
    problems.push({ path: ['host'], code: 'address-forbidden', message });
  }
  for (const [name, operation] of operations) {
    const own = (operation as SmtpOperationFields).from;
    problems.push(...checkFrom(own, ['operations', name, 'from']));
  }
  return problems;
}

function checkFrom(text: string | undefined, path: KindProblem['path']): KindProblem[] {
  if (text === undefined || parseMailbox(text) !== undefined) return [];
  const message = 'this is not one mail address';
  const hint = 'write name@domain or Name <name@domain>';
  return [{ path, code: 'address-invalid', message, hint }];
}
