// Signed tokens of an issuer (RFC 7519), with keys that it publishes or with the connector's
// secrets. Such a token says who sends; that the body is the sender's only `equal` can say.

import type { KeyObject } from 'node:crypto';
import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { JwtDefinition } from '../definitions/receive.ts';
import { jwtKey } from '../definitions/secret-key.ts';
import { readToken } from './credentials.ts';
import { refusedWithoutKey } from './key-unavailable.ts';
import type { PublishedKeys } from './published-keys.ts';
import { checkEqual } from './signature.ts';
import { refused, type Verdict } from './verdict.ts';
import type { RequestReader } from './webhook-request.ts';

const TOKEN_CHARACTERS_MAX = 16_384;

/** Throws an Error that says, without the secret, why a secret is no key. */
export function checkJwt(
  definition: JwtDefinition,
  keys: PublishedKeys,
): (reader: RequestReader, nowMs: number) => Promise<Verdict> {
  const { jwks, secrets } = definition;
  const secretKeys =
    jwks === undefined ? secrets.map(({ value }) => jwtKey(value, definition)) : [];
  return async (reader, nowMs) => {
    const token = readToken(definition, reader);
    if (typeof token !== 'string') return token;
    if (token.length > TOKEN_CHARACTERS_MAX) {
      return refused('token-invalid', `the token has over ${TOKEN_CHARACTERS_MAX} characters`);
    }
    const check = { definition, token, nowMs };
    const outcome =
      jwks === undefined
        ? await openWithSecrets(check, secretKeys)
        : await openWithKeySet(check, jwks, keys);
    if ('kind' in outcome) return outcome;
    const { payload, secret } = outcome;
    return (
      checkClaims(definition, payload) ??
      checkEqual(definition.equal, withClaims(reader, payload)) ?? {
        kind: 'authentic',
        ...(secret === undefined ? {} : { secret }),
      }
    );
  };
}

interface Check {
  readonly definition: JwtDefinition;
  readonly token: string;
  readonly nowMs: number;
}

interface Opened {
  readonly payload: JWTPayload;
  readonly secret?: number;
}

async function openWithKeySet(
  check: Check,
  url: string,
  keys: PublishedKeys,
): Promise<Opened | Verdict> {
  try {
    const opened = await open(check, await keys.keySet(url));
    if (opened !== 'unknown-key') return opened;
    // The issuer may have begun to sign with a new one.
    const again = await open(check, await keys.keySet(url, { again: true }));
    if (again !== 'unknown-key') return again;
    return refused('token-invalid', 'it is signed with a key that the issuer does not publish');
  } catch (error) {
    return refusedWithoutKey(error);
  }
}

async function openWithSecrets(
  check: Check,
  keys: readonly KeyObject[],
): Promise<Opened | Verdict> {
  let verdict: Opened | Verdict = refused('token-invalid', 'its signature fits no secret');
  for (const [index, key] of keys.entries()) {
    const opened = await open(check, key);
    if (opened === 'unknown-key') continue;
    verdict = 'kind' in opened ? opened : ended(check, index, opened);
    break;
  }
  return verdict;
}

/** What a secret opens although it is tried no more counts for nothing. */
function ended({ definition, nowMs }: Check, index: number, opened: Opened): Opened | Verdict {
  const notAfterMs = definition.secrets[index]?.notAfterMs;
  const secret = index + 1;
  if (notAfterMs === undefined || nowMs <= notAfterMs) return { ...opened, secret };
  const date = new Date(notAfterMs).toISOString();
  return refused('secret-expired', `it is signed with secret ${secret}, which ended ${date}`);
}

/** `unknown-key`: another key may still fit. */
async function open(
  { definition, token, nowMs }: Check,
  key: KeyObject | JWTVerifyGetKey,
): Promise<Opened | Verdict | 'unknown-key'> {
  const { algorithms, issuers, audiences, skewMs, equal } = definition;
  const options = {
    algorithms: [...algorithms],
    ...(issuers.length === 0 ? {} : { issuer: [...issuers] }),
    ...(audiences.length === 0 ? {} : { audience: [...audiences] }),
    clockTolerance: skewMs / 1_000,
    currentDate: new Date(nowMs),
    // A token that neither ends nor is bound to its body could be sent again for ever.
    requiredClaims: equal.length === 0 ? ['exp'] : [],
  };
  try {
    // Two calls, for its two signatures.
    const { payload } =
      typeof key === 'function'
        ? await jwtVerify(token, key, options)
        : await jwtVerify(token, key, options);
    return { payload };
  } catch (error) {
    return told(error, typeof key === 'function');
  }
}

/** Faults of the token are verdicts; whatever else jose throws is about this token too. */
function told(error: unknown, isKeySet: boolean): Verdict | 'unknown-key' {
  if (error instanceof errors.JWKSNoMatchingKey) return 'unknown-key';
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return isKeySet ? refused('token-invalid', 'its signature does not fit') : 'unknown-key';
  }
  if (error instanceof errors.JWTExpired) return refused('token-invalid', 'the token has ended');
  if (error instanceof errors.JWTClaimValidationFailed) {
    const { claim } = error;
    if (claim === 'nbf') return refused('token-invalid', 'the token is not valid yet');
    return refused('token-invalid', `its claim "${claim}" is missing or another one`);
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return refused('token-invalid', 'it is signed in a way that is not allowed');
  }
  if (error instanceof errors.JOSEError || error instanceof TypeError) {
    return refused('token-invalid', 'the token cannot be read');
  }
  throw error;
}

function checkClaims({ claims }: JwtDefinition, payload: JWTPayload): Verdict | undefined {
  const wrong = Object.entries(claims).find(([name, value]) => textOf(payload, name) !== value);
  if (wrong === undefined) return undefined;
  return refused('token-invalid', `its claim "${wrong[0]}" is missing or another one`);
}

function textOf(payload: JWTPayload, name: string): string | undefined {
  const value: unknown = Object.hasOwn(payload, name) ? payload[name] : undefined;
  const isText = ['string', 'number', 'boolean'].includes(typeof value);
  return isText ? String(value) : undefined;
}

function withClaims(
  reader: RequestReader,
  payload: JWTPayload,
): Pick<RequestReader, 'read' | 'token'> {
  return {
    read: (source) =>
      source.from === 'claim' ? textOf(payload, source.name) : reader.read(source),
    token: (token) => reader.token(token),
  };
}
