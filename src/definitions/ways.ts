// What a `verify:` is made of, seen as a list.

import type { VerifyDefinition } from './receive.ts';

export type Way = Exclude<VerifyDefinition, { readonly kind: 'none' | 'any' | 'all' }>;

/** The single ways, `any` and `all` taken apart. */
export function waysOf(verify: VerifyDefinition | undefined): readonly Way[] {
  if (verify === undefined || verify.kind === 'none') return [];
  return 'of' in verify ? verify.of.flatMap(waysOf) : [verify];
}

export function isHmac(way: Way): way is Extract<Way, { readonly kind: 'signature' }> {
  return way.kind === 'signature' && way.algorithm.family === 'hmac';
}

/** A secret that both sides have is the key of what it signs. */
function isShared(way: Way): boolean {
  return (
    isHmac(way) || (way.kind === 'jwt' && way.algorithms.some((name) => name.startsWith('HS')))
  );
}

/**
 * Whether all that shared secrets sign is the whole body: then a text that anybody has signed with
 * one is no part of a message.
 */
export function signsBodyOnly(ways: readonly Way[]): boolean {
  return ways.filter(isShared).every(isHmacOfBody);
}

/** An HMAC of the whole body, with nothing before or after it. */
export function isHmacOfBody(way: Way): boolean {
  if (!isHmac(way)) return false;
  const [part, ...more] = way.signs;
  return more.length === 0 && part?.kind === 'token' && part.token === 'body';
}
