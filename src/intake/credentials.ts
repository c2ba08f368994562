// What is sent along as it is: a password, a token; and where a request comes from. Secrets are
// compared by their hashes, so that neither length nor content shows in the time it takes.

import { createHash, timingSafeEqual } from 'node:crypto';
import type {
  AddressesDefinition,
  BasicDefinition,
  CertificateDefinition,
  Place,
  SecretDefinition,
  TokenDefinition,
} from '../definitions/receive.ts';
import { createAddressBlocks } from '../model/address-blocks.ts';
import { readPlace } from './read-place.ts';
import { refused, type Verdict } from './verdict.ts';
import type { RequestReader } from './webhook-request.ts';

/** `Authorization: Basic` with one of the secrets, each `user:password` (RFC 7617). */
export function checkBasic(
  { secrets }: BasicDefinition,
  reader: RequestReader,
  nowMs: number,
): Verdict {
  if (reader.request.repeated.has('authorization')) {
    return refused('signature-repeated', 'the header authorization came more than once');
  }
  const given = reader.read({ from: 'header', name: 'authorization' });
  const [, encoded] = /^basic +([A-Za-z0-9+/=_-]+)$/i.exec(given ?? '') ?? [];
  if (encoded === undefined) return refused('credentials-missing', 'there is no Basic sign-in');
  return checkSecret(Buffer.from(encoded, 'base64'), secrets.map(orNothing), nowMs);
}

/** `:` and `user:` are what is left of variables that are not set; nobody gets in with them. */
function orNothing(secret: SecretDefinition): SecretDefinition {
  return /:./s.test(secret.value) ? secret : { ...secret, value: '' };
}

export function checkToken(
  definition: TokenDefinition,
  reader: RequestReader,
  nowMs: number,
): Verdict {
  const given = readToken(definition, reader);
  if (typeof given !== 'string') return given;
  return checkSecret(Buffer.from(given), definition.secrets, nowMs);
}

/** The token of a request without what stands before it; or why there is none. */
export function readToken(
  { token, prefix }: { readonly token: Place; readonly prefix: string },
  reader: RequestReader,
): string | Verdict {
  for (const step of token) {
    if (step.from === 'header' && reader.request.repeated.has(step.name)) {
      return refused('signature-repeated', `the header ${step.name} came more than once`);
    }
  }
  const given = readPlace(token, reader);
  if (given?.startsWith(prefix)) return given.slice(prefix.length);
  return refused('credentials-missing', 'the token is not there');
}

function checkSecret(given: Buffer, secrets: readonly SecretDefinition[], nowMs: number): Verdict {
  const digest = hash(given);
  let fitting: number | undefined;
  for (const [index, secret] of secrets.entries()) {
    const fits = timingSafeEqual(digest, hash(Buffer.from(secret.value)));
    if (!fits || secret.value === '') continue;
    if (fitting === undefined || (hasEnded(secrets[fitting], nowMs) && !hasEnded(secret, nowMs))) {
      fitting = index;
    }
  }
  if (fitting === undefined) {
    return refused('credentials-wrong', 'the token or password is another one');
  }
  const notAfterMs = secrets[fitting]?.notAfterMs;
  if (notAfterMs !== undefined && nowMs > notAfterMs) {
    const ended = new Date(notAfterMs).toISOString();
    return refused('secret-expired', `it is secret ${fitting + 1}, which ended ${ended}`);
  }
  return { kind: 'authentic', secret: fitting + 1 };
}

function hasEnded(secret: SecretDefinition | undefined, nowMs: number): boolean {
  return secret?.notAfterMs !== undefined && nowMs > secret.notAfterMs;
}

function hash(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** What a header says of a certificate counts only where a trusted proxy wrote it. */
export function checkSubject(
  { subject, subjects }: CertificateDefinition,
  reader: RequestReader,
): Verdict {
  const isTold = reader.request.viaTrustedProxy === true;
  const given = isTold ? readPlace(subject, reader) : undefined;
  if (given === undefined) {
    return refused('credentials-missing', 'no trusted proxy tells the subject of a certificate');
  }
  if (subjects.includes(given)) return { kind: 'authentic' };
  return refused('subject-not-listed', 'the subject of the client certificate is not listed');
}

export function checkAddress({ blocks }: AddressesDefinition): (reader: RequestReader) => Verdict {
  const listed = createAddressBlocks(blocks);
  return ({ request: { address = '' } }) => {
    if (listed.has(address)) return { kind: 'authentic' };
    return refused('address-not-listed', `it came from ${address || 'an unknown address'}`);
  };
}
