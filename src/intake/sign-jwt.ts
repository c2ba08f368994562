import { createHmac, sign } from 'node:crypto';
import type { JwtDefinition } from '../definitions/receive.ts';
import { DEV_KEY_ID } from './dev-key.ts';
import { secretKeys } from './secret-keys.ts';
import { cannotSign, onlyVendor, privateKeyOf, type SigningKeys } from './sign-bytes.ts';

/** From `iat` to `exp`. */
export const JWT_LIFE_MS = 60_000;

/** A compact JWT (RFC 7519) that `definition` accepts, with `claims` beside its own. */
export function signJwt(
  definition: JwtDefinition,
  claims: Readonly<Record<string, string>>,
  signer: SigningKeys & { readonly nowMs: number },
): string {
  const header = headerOf(definition, signer);
  const issued = Math.floor(signer.nowMs / 1_000);
  const { issuers, audiences } = definition;
  const payload = {
    ...definition.claims,
    ...(issuers[0] === undefined ? {} : { iss: issuers[0] }),
    ...(audiences[0] === undefined ? {} : { aud: audiences[0] }),
    iat: issued,
    exp: issued + JWT_LIFE_MS / 1_000,
    ...claims,
  };
  const input = `${part(header)}.${part(payload)}`;
  const signature = signatureOf(definition, { alg: header.alg, input, ...signer });
  return `${input}.${signature.toString('base64url')}`;
}

function headerOf(
  { jwks, algorithms }: JwtDefinition,
  { devKey }: SigningKeys,
): { readonly alg: string; readonly typ: string; readonly kid?: string } {
  const [first = 'HS256'] = algorithms;
  if (jwks === undefined) return { alg: first, typ: 'JWT' };
  const alg = algorithms.find((name) => name.startsWith('RS'));
  if (devKey !== undefined && alg !== undefined) return { alg, typ: 'JWT', kid: DEV_KEY_ID };
  throw onlyVendor(`its receiver fetches the keys from ${new URL(jwks).host}`);
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function signatureOf(
  { key, secrets, jwks }: JwtDefinition,
  given: SigningKeys & { readonly alg: string; readonly input: string },
): Buffer {
  const { alg, input } = given;
  const hash = `sha${alg.slice(2)}`;
  if (alg.startsWith('HS')) {
    if (key.kind === 'fetched') throw onlyVendor('its receiver fetches the key');
    const [secret] = secretKeys(secrets.slice(0, 1), key.kind, 'hmac');
    if (secret === undefined) throw cannotSign('its connector has no secret');
    return createHmac(hash, secret.key).update(input).digest();
  }
  const bytes = Buffer.from(input);
  const fetched = jwks === undefined ? undefined : given.devKey;
  const own = fetched ?? privateKeyOf(given.privateKey ?? secrets[0]?.value);
  if (alg === 'EdDSA') return sign(null, bytes, own);
  if (alg.startsWith('ES')) return sign(hash, bytes, { key: own, dsaEncoding: 'ieee-p1363' });
  if (alg.startsWith('RS')) return sign(hash, bytes, own);
  throw cannotSign(`the algorithm ${alg} is not one that can be made here`);
}
