// Ways to verify that cannot be said in fields: one list, one file each.

import type { SchemeDefinition } from '../definitions/receive.ts';
import type { SchemeName } from '../definitions/scheme-names.ts';
import { createSnsVerifier } from './scheme-sns.ts';
import { createTwilioVerifier } from './scheme-twilio.ts';
import type { Verifier, VerifyPorts } from './verify.ts';

type CreateScheme = (definition: SchemeDefinition, ports: VerifyPorts) => Verifier;

const schemes: Readonly<Record<SchemeName, CreateScheme>> = {
  sns: createSnsVerifier,
  twilio: createTwilioVerifier,
};

/** Throws an Error that says, without the secret, why a secret is no key. */
export function createScheme(definition: SchemeDefinition, ports: VerifyPorts): Verifier {
  return schemes[definition.name](definition, ports);
}
