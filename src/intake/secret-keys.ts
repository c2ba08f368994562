// The secrets of a receiver as keys, made once when its file is read.

import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import type {
  KeyDefinition,
  SecretDefinition,
  SignatureAlgorithm,
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
  if (secret.includes('-----BEGIN')) return publicKey(secret);
  if (form === 'whsec') return rawEd25519(secretBytes(secret, form));
  const der = secretBytes(secret, form === 'hex' ? 'hex' : 'base64');
  return createPublicKey({ key: der, format: 'der', type: 'spki' });
}

/** Of a private key, as senders have it, the public half. */
function publicKey(pem: string): KeyObject {
  const text = pem.replaceAll('\\n', '\n');
  return text.includes('PRIVATE KEY')
    ? createPublicKey(createPrivateKey(text))
    : createPublicKey(text);
}

/** The SPKI frame of a bare Ed25519 key (RFC 8410 §4). */
const ed25519Frame = Buffer.from('302a300506032b6570032100', 'hex');

function rawEd25519(bytes: Buffer): KeyObject {
  const key = Buffer.concat([ed25519Frame, bytes]);
  return createPublicKey({ key, format: 'der', type: 'spki' });
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
  if (!pattern.test(text)) throw new Error(`the secret is not written in ${encoding}`);
  return Buffer.from(text, encoding);
}
