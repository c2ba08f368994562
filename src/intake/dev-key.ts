// A key of one's own in the place of those that vendors publish, for trying out: `crossdock send`
// signs with it, and a hub that `crossdock dev` runs accepts it. No other hub does.

import type { KeyObject } from 'node:crypto';
import type { FetchedKeyDefinition } from '../definitions/receive.ts';
import { keyAddress } from './key-address.ts';
import type { PublishedKeys } from './published-keys.ts';

/** Of JSON Web Keys. */
export const DEV_KEY_ID = 'crossdock-dev';
/** In the place of any label of a host; it looks like a region, which some hosts must have. */
const LABEL = 'xx-crossdock-1';
const PATH = `/${DEV_KEY_ID}.pem`;

/** What a request names as the address of the key: one that its receiver allows; nobody is asked there. */
export function devKeyAddress({
  hosts: [host = ''],
  base = '',
}: Pick<FetchedKeyDefinition, 'hosts' | 'base'>): string {
  return `https://${host.replaceAll('*', LABEL)}${PATH}`.slice(base.length);
}

/** `keys`, and `key` where a request names it. */
export function withDevKey(keys: PublishedKeys, key: KeyObject): PublishedKeys {
  return {
    async publicKey(request) {
      const isDev = keyAddress(request.url, request.hosts)?.pathname === PATH;
      return isDev ? key : keys.publicKey(request);
    },
    async keySet(url, options) {
      return async (header, token) => {
        if (header.kid === DEV_KEY_ID) return key;
        const find = await keys.keySet(url, options);
        return find(header, token);
      };
    },
  };
}
