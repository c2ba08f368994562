import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ReceiveDefinition, VerifyDefinition } from '../definitions/definitions.ts';
import type { Headers } from '../model/event.ts';
import { firstHeader } from './first-header.ts';

type Hmac = Extract<VerifyDefinition, { readonly kind: 'hmac' }>;

/**
 * Whether the request is from who it says: its signature, over the raw bytes, fits one of the
 * secrets. Takes the same time for every wrong signature of the right length, whichever secret it
 * is near.
 */
export function isAuthentic(receive: ReceiveDefinition, headers: Headers, body: Buffer): boolean {
  const { verify, secrets } = receive;
  switch (verify.kind) {
    case 'none':
      return true;
    case 'hmac':
      return fitsOneSecret(verify, secrets, { header: firstHeader(headers, verify.headers), body });
  }
}

function fitsOneSecret(
  verify: Hmac,
  secrets: readonly string[],
  request: { readonly header: string | undefined; readonly body: Buffer },
): boolean {
  const { header, body } = request;
  if (header === undefined || !header.startsWith(verify.prefix)) return false;
  const given = header.slice(verify.prefix.length);
  const signature = Buffer.from(verify.encoding === 'hex' ? given.toLowerCase() : given);
  let fits = false;
  for (const secret of secrets) {
    const expected = Buffer.from(hmacText(verify, secret, body));
    const equal = expected.length === signature.length && timingSafeEqual(expected, signature);
    fits = equal || fits;
  }
  return fits;
}

/** The signature as the header carries it, without the prefix. */
export function hmacText(verify: Hmac, secret: string, body: Buffer): string {
  return createHmac(verify.algorithm, secret).update(body).digest(verify.encoding);
}
