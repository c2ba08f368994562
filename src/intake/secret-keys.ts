// The secrets of a receiver as keys, made once when its file is read.

import type { KeyObject } from 'node:crypto';
import type {
  SecretDefinition,
  SignatureAlgorithm,
  VerifyDefinition,
} from '../definitions/receive.ts';
import { type KeyForm, parseSecretKey } from '../definitions/secret-key.ts';

export interface SecretKey {
  /** From 1, as it stands in the file. */
  readonly number: number;
  readonly key: KeyObject;
  /** The secret's own text, for templates. */
  readonly text: string;
  readonly notAfterMs?: number;
}

/**
 * By its list, how many secrets stand before a way's own among those of several ways: those of
 * `receive`, which ways may share, are counted once.
 */
export function secretPlaces(
  ways: readonly VerifyDefinition[],
): ReadonlyMap<readonly SecretDefinition[], number> {
  const places = new Map<readonly SecretDefinition[], number>();
  let before = 0;
  for (const way of ways) {
    if (!('secrets' in way) || places.has(way.secrets)) continue;
    places.set(way.secrets, before);
    before += way.secrets.length;
  }
  return places;
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
