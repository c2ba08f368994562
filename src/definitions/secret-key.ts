// How the text of a secret becomes a key. Pure, so that `crossdock check` and intake do the same.

import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import type { JwtDefinition, KeyDefinition, SignatureAlgorithm } from './receive.ts';

export type KeyForm = Exclude<KeyDefinition['kind'], 'fetched'>;

type Family = SignatureAlgorithm['family'];

/** Throws an Error that says, without the secret, why it is no key. */
export function parseSecretKey(secret: string, form: KeyForm, family: Family): KeyObject {
  if (family === 'hmac' || family === 'hash') return sharedKey(secret, form);
  const key = parsePublicKey(secret, form);
  if (isKeyOf(key, family)) return key;
  const kind = key.asymmetricKeyType ?? 'another';
  throw new Error(`the secret is a key of another kind: ${kind}, not ${family}`);
}

/** The secret itself as the key of an HMAC. Throws as `parseSecretKey` does. */
export function sharedKey(secret: string, form: KeyForm): KeyObject {
  // What is published would let anybody sign.
  if (/^\s*(-----BEGIN|whpk_|whsk_)/.test(secret)) {
    throw new Error('the secret is one half of a key pair, and an HMAC needs a shared secret');
  }
  const bytes = secretBytes(secret, form);
  if (bytes.length === 0) throw new Error('the secret has no bytes once it is decoded');
  return createSecretKey(bytes);
}

const keyTypes: Readonly<Partial<Record<Family, string>>> = {
  rsa: 'rsa',
  ecdsa: 'ec',
  ed25519: 'ed25519',
};

/** Whether signatures of `family` are checked with keys of this kind. */
export function isKeyOf(key: KeyObject, family: Family): boolean {
  return key.asymmetricKeyType === keyTypes[family];
}

/**
 * A public key as PEM, as the base64 of its DER, or, of Ed25519, as its 32 bytes. Throws as
 * `parseSecretKey` does.
 */
export function parsePublicKey(secret: string, form: KeyForm): KeyObject {
  try {
    if (secret.includes('-----BEGIN')) return ofPem(secret);
    const bytes = secretBytes(secret, form === 'hex' || form === 'whsec' ? form : 'base64');
    if (form === 'whsec' && secret.startsWith('whsk_')) return ofSeed(bytes);
    const isBare = bytes.length === ED25519_KEY_BYTES;
    const key = isBare ? Buffer.concat([ed25519Frame, bytes]) : bytes;
    return createPublicKey({ key, format: 'der', type: 'spki' });
  } catch (error) {
    throw new Error('the secret is no public key, neither PEM nor DER', { cause: error });
  }
}

/** Of a private key, as senders have it, the public half. */
function ofPem(pem: string): KeyObject {
  const text = pem.replaceAll('\\n', '\n');
  return text.includes('PRIVATE KEY')
    ? createPublicKey(createPrivateKey(text))
    : createPublicKey(text);
}

/** The SPKI and PKCS #8 frames of a bare Ed25519 key (RFC 8410 §4, §7). */
const ed25519Frame = Buffer.from('302a300506032b6570032100', 'hex');
const ed25519PrivateFrame = Buffer.from('302e020100300506032b657004220420', 'hex');
const ED25519_KEY_BYTES = 32;

/** A private key of Standard Webhooks is its seed, with or without the public key behind it. */
function ofSeed(bytes: Buffer): KeyObject {
  const key = Buffer.concat([ed25519PrivateFrame, bytes.subarray(0, ED25519_KEY_BYTES)]);
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

/** The key that a secret is for tokens signed in these ways. Throws as `parseSecretKey` does. */
export function jwtKey(
  secret: string,
  { algorithms, key }: Pick<JwtDefinition, 'algorithms' | 'key'>,
): KeyObject {
  const form = key.kind === 'fetched' ? 'text' : key.kind;
  if (!algorithms.some(isShared)) {
    const publicKey = parsePublicKey(secret, form);
    const kind = publicKey.asymmetricKeyType ?? 'another';
    if (algorithms.some((algorithm) => jwtKeyType(algorithm) === kind)) return publicKey;
    throw new Error(`the secret is a key of another kind: ${kind}, not for ${algorithms.join()}`);
  }
  // Whoever has the public key of a sender could otherwise sign with it as a shared secret.
  if (secret.includes('-----BEGIN')) throw new Error('the secret is a public or private key');
  return sharedKey(secret, form);
}

function jwtKeyType(algorithm: string): string {
  if (algorithm === 'EdDSA') return 'ed25519';
  return algorithm.startsWith('ES') ? 'ec' : 'rsa';
}

/** Whether tokens of this algorithm are signed with a secret that both sides have. */
export function isShared(algorithm: string): boolean {
  return algorithm.startsWith('HS');
}
