// Public keys that vendors publish: fetched from the hosts that a connector names and nowhere else,
// kept for a while, and never waited for longer than a sender would.

import type { KeyObject } from 'node:crypto';

export interface PublishedKeys {
  /**
   * The key at `url`, from memory or fetched. Rejects `KeyUnavailable` where the address is not
   * allowed, or where no key came in time; the next request may find it there.
   */
  publicKey(request: {
    readonly url: string;
    readonly form: 'pem' | 'x509';
    readonly hosts: readonly string[];
    readonly cacheMs: number;
  }): Promise<KeyObject>;
}

export function createPublishedKeys(): PublishedKeys {
  return { publicKey: () => Promise.reject(new Error('not built yet')) };
}
