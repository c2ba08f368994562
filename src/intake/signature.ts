// Signatures over bytes of a request: HMAC, a hash with the secret in it, RSA, ECDSA, Ed25519.
// Every secret is tried whatever the ones before it came to; what is compared is compared as
// bytes, in constant time.

import { createHash, createHmac, createVerify, timingSafeEqual, verify } from 'node:crypto';
import type {
  SignatureAlgorithm,
  SignatureDefinition,
  SignatureEncoding,
  Source,
  Template,
} from '../definitions/receive.ts';
import { usesToken } from '../definitions/template.ts';
import { type Readable, readPlace, renderPieces, renderText } from './read-place.ts';
import type { SecretKey } from './secret-keys.ts';
import { checkTimestamp, type Time } from './timestamp.ts';
import { refused, type Verdict } from './verdict.ts';
import type { RequestReader } from './webhook-request.ts';

/** Signatures that one header may list; more are refused. */
const SIGNATURES_MAX = 16;

export interface SignatureCheck {
  readonly definition: SignatureDefinition;
  readonly keys: readonly SecretKey[];
}

/** Checks one request, or one element of it where the reader's JSON begins at the element. */
export function checkSignature(
  { definition, keys }: SignatureCheck,
  reader: RequestReader,
  nowMs: number,
): Verdict {
  const found = findSignatures(definition, reader);
  if ('kind' in found) return found;
  const time = readTime(definition, reader, found.header);
  if ('kind' in time) return time;
  const signed: Signed = { reader, signatures: found.signatures, time };
  const fitting = fittingKey(definition, keys, { signed, nowMs });
  if (fitting === undefined) {
    return refused('signature-wrong', `the signature does not fit ${tried(keys.length)}`);
  }
  return (
    checkTimestamp(definition.timestamp, time, nowMs) ??
    checkExpiry(fitting, nowMs) ??
    checkPairs(definition, signed) ?? { kind: 'authentic', secret: fitting.number }
  );
}

function tried(secrets: number): string {
  if (secrets === 0) return 'because there is no secret';
  return secrets === 1 ? 'the secret' : `any of ${secrets} secrets`;
}

interface Found {
  /** The text that the signatures were taken from: where `pair` sources look. */
  readonly header: string;
  readonly signatures: readonly Buffer[];
}

/** The signatures of a request, decoded; or why there are none. */
export function findSignatures(
  definition: SignatureDefinition,
  reader: RequestReader,
): Found | Verdict {
  const { signature, list, prefix, encoding } = definition;
  const repeated = repeatedHeader(definition, reader);
  if (repeated !== undefined) return repeated;
  const header = readPlace(signature, reader);
  if (header === undefined) {
    return refused('signature-missing', `there is no ${namesOf(definition)}`);
  }
  if (list === undefined) {
    if (!header.startsWith(prefix)) return noSignature(definition);
    const bytes = decode(header.slice(prefix.length), encoding);
    return bytes === undefined ? unreadable(definition) : { header, signatures: [bytes] };
  }
  const written = listed(header, list).filter((text) => text.startsWith(prefix));
  if (written.length === 0) return noSignature(definition);
  if (written.length > SIGNATURES_MAX) {
    return refused('signature-unreadable', `it lists over ${SIGNATURES_MAX} signatures`);
  }
  const signatures = written.flatMap((text) => decode(text.slice(prefix.length), encoding) ?? []);
  return signatures.length === 0 ? unreadable(definition) : { header, signatures };
}

/** Any header that the signature is made of: Node joins the texts, and nobody knows which counts. */
function repeatedHeader(
  { signature, timestamp, signs }: SignatureDefinition,
  { request }: RequestReader,
): Verdict | undefined {
  if (request.repeated.size === 0) return undefined;
  const sources = [...signature, ...(timestamp?.place ?? []), ...sourcesOf(signs)];
  for (const source of sources) {
    if (source.from === 'header' && request.repeated.has(source.name)) {
      return refused('signature-repeated', `the header ${source.name} came more than once`);
    }
  }
  return undefined;
}

function sourcesOf(template: Template): readonly Source[] {
  return template.flatMap((part) => {
    if (part.kind === 'optional') return sourcesOf(part.parts);
    return part.kind === 'source' ? [part.source] : [];
  });
}

function noSignature(definition: SignatureDefinition): Verdict {
  const reason = `${namesOf(definition)} holds no signature of this kind`;
  return refused('signature-missing', reason);
}

function unreadable(definition: SignatureDefinition): Verdict {
  const reason = `${namesOf(definition)} is not written in ${definition.encoding}`;
  return refused('signature-unreadable', reason);
}

function namesOf({ signature }: SignatureDefinition): string {
  const names = signature.map((step) => {
    if (step.from === 'header') return `header ${step.name}`;
    return 'name' in step ? `${step.from} field ${step.name}` : `${step.from} "${step.text}"`;
  });
  return names.join(' or ');
}

/** `t=1,v1=abc,v1=def` or `v1,abc v1a,def`. */
function listed(
  header: string,
  { form, name }: NonNullable<SignatureDefinition['list']>,
): readonly string[] {
  const [between, within] = form === 'pairs' ? [',', '='] : [' ', ','];
  const start = `${name}${within}`;
  return header
    .split(between)
    .map((item) => item.trim())
    .filter((item) => item.startsWith(start))
    .map((item) => item.slice(start.length));
}

/**
 * One text for one signature: Node skips characters that do not belong there, and bits at the end
 * of base64 that belong to no byte. Padding is due in base64 (RFC 4648 §3.2), free in base64url.
 */
const alphabets: Readonly<Record<SignatureEncoding, RegExp>> = {
  hex: /^(?:[0-9a-fA-F]{2})+$/,
  base64:
    /^(?=.)(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$/,
  base64url: /^(?=.)(?:[\w-]{4})*(?:[\w-][AQgw](?:==)?|[\w-]{2}[AEIMQUYcgkosw048]=?)?$/,
};

function decode(text: string, encoding: SignatureEncoding): Buffer | undefined {
  return alphabets[encoding].test(text) ? Buffer.from(text, encoding) : undefined;
}

const noTime: Time = { pair: () => undefined };

function readTime(
  { timestamp, list }: SignatureDefinition,
  reader: RequestReader,
  header: string,
): Time | Verdict {
  if (timestamp === undefined && list === undefined) return noTime;
  const pair = (source: Source): string | undefined =>
    source.from === 'pair' ? listed(header, { form: 'pairs', name: source.name })[0] : undefined;
  if (timestamp === undefined) return { pair };
  const from: Readable = {
    read: (source) => pair(source) ?? reader.read(source),
    token: (token) => reader.token(token),
  };
  const text = readPlace(timestamp.place, from);
  if (text === undefined) return refused('timestamp-missing', 'there is no timestamp');
  return { pair, text };
}

/** What is checked: a request, the signatures that it carries, and when it says it was signed. */
interface Signed {
  readonly reader: RequestReader;
  readonly signatures: readonly Buffer[];
  readonly time: Time;
}

function readableOf({ reader, time }: Signed, secret?: string): Readable {
  return {
    read: (source) => time.pair(source) ?? reader.read(source),
    token: (token) => {
      if (token === 'timestamp') return time.text;
      return token === 'secret' ? secret : reader.token(token);
    },
  };
}

/**
 * Every key is tried with every signature: what is found says nothing about the rest. Of those that
 * fit the first counts that has not ended.
 */
function fittingKey(
  { algorithm, signs }: SignatureDefinition,
  keys: readonly SecretKey[],
  { signed, nowMs }: { readonly signed: Signed; readonly nowMs: number },
): SecretKey | undefined {
  const holdsSecret = usesToken(signs, 'secret');
  // A hash without the secret in it proves nothing: anybody can make it.
  if (algorithm.family === 'hash' && !holdsSecret) return undefined;
  const shared = holdsSecret ? undefined : piecesOf(signs, signed);
  const { signatures } = signed;
  let fitting: SecretKey | undefined;
  for (const key of keys) {
    const pieces = shared ?? renderPieces(signs, readableOf(signed, key.text));
    if (!signatureFits(algorithm, { key, pieces, signatures })) continue;
    if (fitting === undefined || (hasEnded(fitting, nowMs) && !hasEnded(key, nowMs))) fitting = key;
  }
  return fitting;
}

function piecesOf(signs: Template, signed: Signed): readonly (string | Buffer)[] {
  const [first] = signs;
  const isBody = signs.length === 1 && first?.kind === 'token' && first.token === 'body';
  return isBody ? [signed.reader.request.body] : renderPieces(signs, readableOf(signed));
}

export function signatureFits(
  algorithm: SignatureAlgorithm,
  given: {
    readonly key: Pick<SecretKey, 'key'>;
    readonly pieces: readonly (string | Buffer)[];
    readonly signatures: readonly Buffer[];
  },
): boolean {
  const { pieces, signatures } = given;
  const { key } = given.key;
  switch (algorithm.family) {
    case 'hmac':
    case 'hash': {
      const hash =
        algorithm.family === 'hmac' ? createHmac(algorithm.hash, key) : createHash(algorithm.hash);
      for (const piece of pieces) hash.update(piece);
      return someEqual(hash.digest(), signatures);
    }
    case 'rsa':
    case 'ecdsa':
      return (
        signatures.filter((signature) => {
          const verifier = createVerify(algorithm.hash);
          for (const piece of pieces) verifier.update(piece);
          return verifier.verify(key, signature);
        }).length > 0
      );
    case 'ed25519': {
      const bytes = Buffer.concat(pieces.map((piece) => Buffer.from(piece)));
      return signatures.filter((signature) => verify(null, bytes, key, signature)).length > 0;
    }
  }
}

function someEqual(expected: Buffer, signatures: readonly Buffer[]): boolean {
  let equal = false;
  for (const signature of signatures) {
    const same = signature.length === expected.length && timingSafeEqual(signature, expected);
    equal = same || equal;
  }
  return equal;
}

function hasEnded({ notAfterMs }: SecretKey, nowMs: number): boolean {
  return notAfterMs !== undefined && nowMs > notAfterMs;
}

export function checkExpiry(key: SecretKey, nowMs: number): Verdict | undefined {
  if (!hasEnded(key, nowMs)) return undefined;
  const ended = new Date(key.notAfterMs ?? 0).toISOString();
  return refused('secret-expired', `it is signed with secret ${key.number}, which ended ${ended}`);
}

function checkPairs({ equal }: SignatureDefinition, signed: Signed): Verdict | undefined {
  return equal.length === 0 ? undefined : checkEqual(equal, readableOf(signed));
}

export function checkEqual(
  pairs: SignatureDefinition['equal'],
  from: Readable,
): Verdict | undefined {
  for (const [left, right] of pairs) {
    const one = renderText(left, from);
    if (one !== '' && one === renderText(right, from)) continue;
    return refused('not-equal', 'two values that must be the same are not; see verify.equal');
  }
  return undefined;
}
