// Ways to verify that cannot be said in fields: one list, one file each.

import type { SchemeDefinition } from '../definitions/receive.ts';
import type { Verifier, VerifyPorts } from './verify.ts';

export function createScheme(definition: SchemeDefinition, _ports: VerifyPorts): Verifier {
  throw new Error(`there is no scheme "${definition.name}"`);
}
