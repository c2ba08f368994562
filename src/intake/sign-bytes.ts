import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
} from 'node:crypto';
import type { SignatureDefinition } from '../definitions/receive.ts';
import { CrossdockError } from '../model/errors.ts';
import { secretKeys } from './secret-keys.ts';

type Way = Pick<SignatureDefinition, 'algorithm' | 'key' | 'secrets'>;

export function cannotSign(why: string, todo?: string): CrossdockError {
  const more = todo === undefined ? {} : { todo };
  return new CrossdockError('usage', `cannot sign a webhook: ${why}`, more);
}

/** What signs beside the secrets of a connector. */
export interface SigningKeys {
  /** PEM, for senders whose private key the secret is not. */
  readonly privateKey?: string;
  /** RSA, in the place of a vendor's whose public half is fetched. */
  readonly devKey?: KeyObject;
}

/** The signature over `bytes`, with the newest secret or with the private key that is given. */
export function signBytes(
  { algorithm, key, secrets }: Way,
  bytes: Buffer,
  { privateKey, devKey }: SigningKeys,
): Buffer {
  if (key.kind === 'fetched') {
    if (devKey === undefined || algorithm.family !== 'rsa') {
      throw onlyVendor(`its receiver fetches the key from ${key.hosts.join(', ')}`);
    }
    return sign(algorithm.hash, bytes, devKey);
  }
  if (algorithm.family === 'hmac' || algorithm.family === 'hash') {
    const [secret] = secretKeys(secrets.slice(0, 1), key.kind, algorithm.family);
    if (secret === undefined) {
      throw cannotSign('its connector has no secret; set the variable that receive.secrets names');
    }
    return algorithm.family === 'hash'
      ? createHash(algorithm.hash).update(bytes).digest()
      : createHmac(algorithm.hash, secret.key).update(bytes).digest();
  }
  const hash = algorithm.family === 'ed25519' ? null : algorithm.hash;
  return sign(hash, bytes, privateKeyOf(privateKey ?? secrets[0]?.value));
}

export function onlyVendor(why: string): CrossdockError {
  return cannotSign(
    `${why}, so nobody but the vendor can`,
    'Let the vendor send a test message; what was refused of it stands in the quarantine. For the ' +
      'flows behind it, set verify: none or a token in a copy of the connector.',
  );
}

/** Of a secret that is a public key: says where its private half has to come from. */
export function privateKeyOf(pem: string | undefined): KeyObject {
  const text = pem?.replaceAll('\\n', '\n') ?? '';
  if (text.includes('PRIVATE KEY')) {
    return readPrivateKey(text);
  }
  throw cannotSign(
    'the secret is a public key; only the vendor has the private one',
    'Make a key pair of your own (openssl genpkey), give its private key with --private-key, and ' +
      'start a hub for trying out with its public key as the secret.',
  );
}

function readPrivateKey(text: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (error) {
    throw noPrivateKey(error);
  }
}

function noPrivateKey(cause: unknown): CrossdockError {
  const message = 'cannot sign a webhook: the private key is not PEM without a passphrase';
  return new CrossdockError('usage', message, { cause });
}

/** What to set as the secret, so that what `privateKey` signs is accepted. */
export function publicHalf(privateKey: string): string {
  const pem = createPublicKey(privateKeyOf(privateKey)).export({ format: 'pem', type: 'spki' });
  return pem.toString();
}
