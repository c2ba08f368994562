// Signatures that are checked with a public key that the request names and the vendor publishes.

import type { FetchedKeyDefinition, SignatureDefinition } from '../definitions/receive.ts';
import type { PublishedKeys } from './published-keys.ts';
import { refused, type Verdict } from './verdict.ts';
import type { RequestReader } from './webhook-request.ts';

export function checkWithPublishedKey(
  _definition: SignatureDefinition,
  _key: FetchedKeyDefinition,
  _keys: PublishedKeys,
): (reader: RequestReader, nowMs: number) => Promise<Verdict> {
  return async () => refused('key-unavailable', 'not built yet');
}
