// Public keys that vendors publish: fetched from the hosts that a connector names and nowhere else,
// kept for a while, and never waited for longer than a sender would.

import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { Agent } from 'node:https';
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import type { Log } from '../model/log.ts';
import type { Meter } from '../model/meter.ts';
import { fetchPublished } from './fetch-published.ts';
import { createKeptValues } from './kept-values.ts';
import { keyAddress } from './key-address.ts';
import { KeyUnavailable } from './key-unavailable.ts';

export interface PublishedKeys {
  /**
   * The key at `url`, from memory or fetched; a certificate only while it is valid. Rejects
   * `KeyUnavailable` where the address is not allowed, or where no key came within a second; the
   * next request may find it there. Past `cacheMs` a key is used for as long again while it
   * cannot be fetched anew.
   */
  publicKey(request: {
    readonly url: string;
    readonly form: 'pem' | 'x509';
    readonly hosts: readonly string[];
    readonly cacheMs: number;
    /** Only a key that is in memory. @default false */
    readonly keptOnly?: boolean;
  }): Promise<KeyObject>;
  /**
   * The JSON Web Key Set (RFC 7517) at `url`, which is a connector's own. `again`: a key was not in
   * it, so that it is fetched anew unless that was just done. Rejects as `publicKey` does.
   */
  keySet(url: string, options?: { readonly again: boolean }): Promise<JWTVerifyGetKey>;
}

const KEY_SET_KEPT_MS = 3_600_000;
const KEY_SET_KEYS_MAX = 100;
const SOCKETS_MAX = 16;
/** Forged requests can make fetches fail: they must not fill the log. */
const LOG_EVERY_MS = 60_000;

type Found<Value> = { readonly value: Value; readonly endsAtMs: number };

export function createPublishedKeys(ports: {
  readonly log: Log;
  readonly meter: Pick<Meter, 'keyFetch'>;
  /** How connections are made. @default straight, with the certificates that Node.js trusts */
  readonly agent?: Agent;
  /** Milliseconds since the epoch. @default the clock */
  readonly now?: () => number;
}): PublishedKeys {
  const { log, meter, now = Date.now, agent = new Agent({ maxSockets: SOCKETS_MAX }) } = ports;
  const keys = createKeptValues<KeyObject>(now);
  const sets = createKeptValues<JWTVerifyGetKey>(now);
  let loggedAtMs = Number.NEGATIVE_INFINITY;

  const failed = ({ failure: code, detail }: KeyUnavailable, source: string): void => {
    meter.keyFetch(code);
    if (now() - loggedAtMs < LOG_EVERY_MS) return;
    loggedAtMs = now();
    log.warn({ code, detail, source }, 'a published key could not be fetched');
  };

  /** `source` is what the file says, never what a request does. */
  const load = async <Value>(
    url: URL,
    source: string,
    read: (bytes: Buffer) => Found<Value>,
  ): Promise<Found<Value>> => {
    try {
      const found = read(await fetchPublished(url, agent));
      meter.keyFetch('fetched');
      return found;
    } catch (error) {
      if (error instanceof KeyUnavailable) failed(error, source);
      throw error;
    }
  };

  return {
    async publicKey({ url: text, form, hosts, cacheMs: keptMs, keptOnly = false }) {
      const url = keyAddress(text, hosts);
      if (url === undefined) throw new KeyUnavailable('address-not-allowed');
      const group = hosts.join(' ');
      const read = (bytes: Buffer) => readKey(bytes, form, now());
      const fetch = () => load(url, group, read);
      return keys.get({ name: `${form} ${url.href}`, group, keptMs, keptOnly, fetch });
    },
    async keySet(text, { again } = { again: false }) {
      const url = new URL(text);
      const fetch = () => load(url, url.host, readKeySet);
      return sets.get({ name: text, group: text, keptMs: KEY_SET_KEPT_MS, again, fetch });
    },
  };
}

function readKey(bytes: Buffer, form: 'pem' | 'x509', nowMs: number): Found<KeyObject> {
  // A certificate counts as one wherever it lies: its dates bind.
  const isCertificate = form === 'x509' || bytes.includes('-----BEGIN CERTIFICATE-----');
  if (!isCertificate) {
    const value = orNoKey(() => createPublicKey(bytes.toString()));
    return { value, endsAtMs: Number.POSITIVE_INFINITY };
  }
  const { publicKey, validFrom, validTo } = orNoKey(() => new X509Certificate(bytes));
  const endsAtMs = Date.parse(validTo);
  if (nowMs >= Date.parse(validFrom) && nowMs < endsAtMs) return { value: publicKey, endsAtMs };
  throw new KeyUnavailable('not-valid-now');
}

function readKeySet(bytes: Buffer): Found<JWTVerifyGetKey> {
  const value = orNoKey(() => {
    const set = JSON.parse(bytes.toString()) as JSONWebKeySet;
    if (set.keys.length > KEY_SET_KEYS_MAX) throw new Error('too many keys');
    return createLocalJWKSet(set);
  });
  return { value, endsAtMs: Number.POSITIVE_INFINITY };
}

function orNoKey<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw new KeyUnavailable('no-key', { cause: error });
  }
}
