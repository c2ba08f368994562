// The secrets of a receiver as keys, made once when its file is read.

import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import type {
  KeyDefinition,
  SecretDefinition,
  SignatureAlgorithm,
  VerifyDefinition,
} from '../definitions/receive.ts';

export interface SecretKey {
  /** From 1, as it stands in the file. */
  readonly number: number;
  readonly key: KeyObject;
  /** The secret's own text, for templates. */
  readonly text: string;
  readonly notAfterMs?: number;
}

type KeyForm = Exclude<KeyDefinition['kind'], 'fetched'>;

/**
 * By its list, how many secrets stand before a way's own among those of several ways: those of
 * `receive`, which ways may share, are counted once.
 */
export function secretPlaces(
  ways: readonly VerifyDefinition[],
): ReadonlyMap<readonly SecretDefinition[], number> {
  const places = new Map<readonly SecretDefinition[], number>();
  let before = 0;
  for (const way of ways) {
    if (!('secrets' in way) || places.has(way.secrets)) continue;
    places.set(way.secrets, before);
    before += way.secrets.length;
  }
  return places;
}

/** Throws an Error that says, without the secret, why it is no key. */
export function secretKeys(
  secrets: readonly SecretDefinition[],
  form: KeyForm,
  family: SignatureAlgorithm['family'],
): readonly SecretKey[] {
  return secrets.map(({ value, notAfterMs }, index) => ({
    number: index + 1,
    key: keyOf(value, form, family),
    text: value,
    ...(notAfterMs === undefined ? {} : { notAfterMs }),
  }));
}

function keyOf(secret: string, form: KeyForm, family: SignatureAlgorithm['family']): KeyObject {
  if (family === 'hmac' || family === 'hash') {
    const bytes = secretBytes(secret, form);
    if (bytes.length === 0) throw new Error('the secret has no bytes once it is decoded');
    return createSecretKey(bytes);
  }
  const key = publicKeyOf(secret, form, family);
  const wanted = keyTypes[family];
  if (key.asymmetricKeyType === wanted) return key;
  throw new Error(`the key is of type ${key.asymmetricKeyType}, and "${family}" wants ${wanted}`);
}

const keyTypes = { rsa: 'rsa', ecdsa: 'ec', ed25519: 'ed25519' } as const;

function publicKeyOf(
  secret: string,
  form: KeyForm,
  family: SignatureAlgorithm['family'],
): KeyObject {
  if (secret.includes('-----BEGIN')) return readKey(() => publicKey(secret));
  const der = form === 'hex' || form === 'whsec' ? form : 'base64';
  const bytes = secretBytes(secret, der);
  if (family === 'ed25519' && secret.startsWith('whsk_')) return readKey(() => seeded(bytes));
  const isBare = family === 'ed25519' && bytes.length === ED25519_BYTES;
  const key = isBare ? Buffer.concat([ed25519Frame, bytes]) : bytes;
  return readKey(() => createPublicKey({ key, format: 'der', type: 'spki' }));
}

/** What OpenSSL says of a text that is no key helps nobody. */
function readKey(read: () => KeyObject): KeyObject {
  try {
    return read();
  } catch (error) {
    throw new Error('the secret is no public key: wanted is PEM, or the base64 of its DER (SPKI)', {
      cause: error,
    });
  }
}

/** Of a private key, as senders have it, the public half. */
function publicKey(pem: string): KeyObject {
  const text = pem.replaceAll('\\n', '\n');
  return text.includes('PRIVATE KEY')
    ? createPublicKey(createPrivateKey(text))
    : createPublicKey(text);
}

const ED25519_BYTES = 32;

/** The SPKI and PKCS #8 frames of a bare Ed25519 key (RFC 8410 §4, §7). */
const ed25519Frame = Buffer.from('302a300506032b6570032100', 'hex');
const ed25519PrivateFrame = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A private key is its 32-byte seed, with or without the public key behind it. */
function seeded(bytes: Buffer): KeyObject {
  const key = Buffer.concat([ed25519PrivateFrame, bytes.subarray(0, ED25519_BYTES)]);
  return createPublicKey(createPrivateKey({ key, format: 'der', type: 'pkcs8' }));
}

export function secretBytes(secret: string, form: KeyForm): Buffer {
  switch (form) {
    case 'hex':
      return decode(secret, 'hex');
    case 'base64':
      return decode(secret, 'base64');
    case 'whsec':
      return decode(secret.replace(/^wh(sec|pk|sk)_/, ''), 'base64');
    default:
      return Buffer.from(secret);
  }
}

/** Node ignores what is no hex or base64; a mistyped secret must not become a short key. */
function decode(text: string, encoding: 'hex' | 'base64'): Buffer {
  const pattern = encoding === 'hex' ? /^([0-9a-fA-F]{2})+$/ : /^[A-Za-z0-9+/_-]+={0,2}$/;
  const isCut = encoding === 'base64' && text.replace(/=+$/, '').length % 4 === 1;
  if (isCut || !pattern.test(text)) throw new Error(`the secret is not written in ${encoding}`);
  return Buffer.from(text, encoding);
}
