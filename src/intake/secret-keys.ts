// The secrets of a receiver as keys, made once when its file is read.

import type { KeyObject } from 'node:crypto';
import type { SecretDefinition, SignatureAlgorithm } from '../definitions/receive.ts';
import { type KeyForm, parseSecretKey } from '../definitions/secret-key.ts';

export interface SecretKey {
  /** From 1, as it stands in the file. */
  readonly number: number;
  readonly key: KeyObject;
  /** The secret's own text, for templates. */
  readonly text: string;
  readonly notAfterMs?: number;
}

/** Throws an Error that says, without the secret, why it is no key. */
export function secretKeys(
  secrets: readonly SecretDefinition[],
  form: KeyForm,
  family: SignatureAlgorithm['family'],
): readonly SecretKey[] {
  return secrets.map(({ value, notAfterMs }, index) => ({
    number: index + 1,
    key: parseSecretKey(value, form, family),
    text: value,
    ...(notAfterMs === undefined ? {} : { notAfterMs }),
  }));
}
