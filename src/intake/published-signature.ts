// Signatures that are checked with a public key that the request names and the vendor publishes.

import type { KeyObject } from 'node:crypto';
import type { FetchedKeyDefinition, Place, SignatureDefinition } from '../definitions/receive.ts';
import { isKeyOf } from '../definitions/secret-key.ts';
import { usesToken } from '../definitions/template.ts';
import { KeyUnavailable, refusedWithoutKey } from './key-unavailable.ts';
import type { PublishedKeys } from './published-keys.ts';
import { readPlace } from './read-place.ts';
import type { SecretKey } from './secret-keys.ts';
import { checkSignature, findSignatures } from './signature.ts';
import { firstTold, refused, type Verdict } from './verdict.ts';
import type { RequestReader } from './webhook-request.ts';

/** One place that a signature may stand in, and where the request names its key. */
interface Pair {
  readonly definition: SignatureDefinition;
  readonly key: FetchedKeyDefinition;
  readonly address: Place;
}

/**
 * Each place of a signature goes with the place of an address at the same index, or with the only
 * one; one signature that fits is enough.
 */
export function checkWithPublishedKey(
  definition: SignatureDefinition,
  key: FetchedKeyDefinition,
  keys: PublishedKeys,
): (reader: RequestReader, nowMs: number) => Promise<Verdict> {
  const { signature } = definition;
  const pairs = signature.map(
    (step, index): Pair => ({
      definition: { ...definition, signature: [step] },
      key,
      address: key.from.length === 1 ? key.from : key.from.slice(index, index + 1),
    }),
  );
  return async (reader, nowMs) => {
    const checks = pairs.map(async (pair) => {
      // A request without a signature makes nobody fetch a key.
      const found = findSignatures(pair.definition, reader);
      if ('kind' in found) return found;
      try {
        return checkPair(pair, await fetchKey(pair, keys, reader), { reader, nowMs });
      } catch (error) {
        return refusedWithoutKey(error);
      }
    });
    return firstTold(await Promise.all(checks));
  };
}

async function fetchKey(
  { definition, key, address }: Pair,
  keys: PublishedKeys,
  reader: RequestReader,
): Promise<KeyObject> {
  const { form, hosts, cacheMs, base = '' } = key;
  const named = readPlace(address, reader);
  if (named === undefined) throw new KeyUnavailable('address-not-allowed');
  const keptOnly = reader.request.fetchesNothing === true;
  const url = `${base}${named}`;
  const published = await keys.publicKey({ url, form, hosts, cacheMs, keptOnly });
  if (isKeyOf(published, definition.algorithm.family)) return published;
  throw new KeyUnavailable('no-key');
}

function checkPair(
  { definition }: Pair,
  published: KeyObject,
  { reader, nowMs }: { readonly reader: RequestReader; readonly nowMs: number },
): Verdict {
  const keys = keysWith(published, definition);
  const verdict = checkSignature({ definition, keys }, reader, nowMs);
  if (verdict.kind === 'refused' && verdict.code === 'signature-wrong') {
    return refused(verdict.code, 'the signature does not fit the published key');
  }
  return verdict.kind === 'authentic' && !holdsSecret(definition) ? { kind: 'authentic' } : verdict;
}

/** A secret is a text in what is signed here, such as PayPal's webhook id; each is tried. */
function keysWith(key: KeyObject, definition: SignatureDefinition): readonly SecretKey[] {
  if (!holdsSecret(definition)) return [{ number: 1, key, text: '' }];
  return definition.secrets.map(({ value, notAfterMs }, index) => ({
    number: index + 1,
    key,
    text: value,
    ...(notAfterMs === undefined ? {} : { notAfterMs }),
  }));
}

function holdsSecret({ signs }: SignatureDefinition): boolean {
  return usesToken(signs, 'secret');
}
