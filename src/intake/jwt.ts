import type { JwtDefinition } from '../definitions/receive.ts';
import type { PublishedKeys } from './published-keys.ts';
import { refused, type Verdict } from './verdict.ts';
import type { RequestReader } from './webhook-request.ts';

export function checkJwt(
  _definition: JwtDefinition,
  _keys: PublishedKeys,
): (reader: RequestReader, nowMs: number) => Promise<Verdict> {
  return async () => refused('token-invalid', 'not built yet');
}
