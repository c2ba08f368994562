// Signatures over bytes of a request: HMAC, a hash with the secret in it, RSA, ECDSA, Ed25519.
// Every secret is tried whatever the ones before it came to; what is compared is compared as
// bytes, in constant time.

import { createHash, createHmac, createVerify, timingSafeEqual, verify } from 'node:crypto';
import type {
  SignatureAlgorithm,
  SignatureDefinition,
  SignatureEncoding,
  Source,
} from '../definitions/receive.ts';
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
  const fitting = fittingKey(definition, keys, { reader, signatures: found.signatures, time });
  if (fitting === undefined) {
    const tried = keys.length === 1 ? 'the secret' : `any of ${keys.length} secrets`;
    return refused('signature-wrong', `the signature does not fit ${tried}`);
  }
  return (
    checkTimestamp(definition.timestamp, time, nowMs) ??
    checkExpiry(fitting, nowMs) ??
    checkEqual(definition.equal, readableOf(reader, time)) ?? {
      kind: 'authentic',
      secret: fitting.number,
    }
  );
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
  for (const step of signature) {
    if (step.from === 'header' && reader.request.repeated.has(step.name)) {
      return refused('signature-repeated', `the header ${step.name} came more than once`);
    }
  }
  const header = readPlace(signature, reader);
  if (header === undefined) {
    return refused('signature-missing', `there is no ${namesOf(definition)}`);
  }
  const texts = list === undefined ? [header] : listed(header, list);
  const written = texts.filter((text) => text.startsWith(prefix));
  if (written.length === 0) {
    return refused('signature-missing', `${namesOf(definition)} holds no signature of this kind`);
  }
  if (written.length > SIGNATURES_MAX) {
    return refused('signature-unreadable', `it lists over ${SIGNATURES_MAX} signatures`);
  }
  const signatures = written.flatMap((text) => decode(text.slice(prefix.length), encoding) ?? []);
  if (signatures.length === 0) {
    return refused('signature-unreadable', `${namesOf(definition)} is not written in ${encoding}`);
  }
  return { header, signatures };
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

const alphabets: Readonly<Record<SignatureEncoding, RegExp>> = {
  hex: /^(?:[0-9a-fA-F]{2})+$/,
  base64: /^[A-Za-z0-9+/]+={0,2}$/,
  base64url: /^[A-Za-z0-9_-]+={0,2}$/,
};

/**
 * One text for one signature: Node skips characters that do not belong there, and bits at the end of
 * base64 that belong to no byte.
 */
function decode(text: string, encoding: SignatureEncoding): Buffer | undefined {
  if (!alphabets[encoding].test(text)) return undefined;
  const bytes = Buffer.from(text, encoding);
  const plain = encoding === 'hex' ? text.toLowerCase() : text.replace(/=+$/, '');
  return bytes.toString(encoding).replace(/=+$/, '') === plain ? bytes : undefined;
}

function readTime(
  { timestamp }: SignatureDefinition,
  reader: RequestReader,
  header: string,
): Time | Verdict {
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

function readableOf(reader: RequestReader, time: Time, secret?: string): Readable {
  return {
    read: (source) => time.pair(source) ?? reader.read(source),
    token: (token) => {
      if (token === 'timestamp') return time.text;
      return token === 'secret' ? secret : reader.token(token);
    },
  };
}

/** Every key is tried with every signature: what is found says nothing about the rest. */
function fittingKey(
  definition: SignatureDefinition,
  keys: readonly SecretKey[],
  given: {
    readonly reader: RequestReader;
    readonly signatures: readonly Buffer[];
    readonly time: Time;
  },
): SecretKey | undefined {
  const { algorithm, signs } = definition;
  let fitting: SecretKey | undefined;
  for (const key of keys) {
    const pieces = renderPieces(signs, readableOf(given.reader, given.time, key.text));
    const fits = signatureFits(algorithm, { key, pieces, signatures: given.signatures });
    if (fits) fitting ??= key;
  }
  return fitting;
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

export function checkExpiry({ number, notAfterMs }: SecretKey, nowMs: number): Verdict | undefined {
  if (notAfterMs === undefined || nowMs <= notAfterMs) return undefined;
  const ended = new Date(notAfterMs).toISOString();
  return refused('secret-expired', `it is signed with secret ${number}, which ended ${ended}`);
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
