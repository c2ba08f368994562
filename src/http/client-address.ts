// Who sent a request, when proxies stand before the hub. `X-Forwarded-For` is a list that each
// proxy adds to at its end and that its sender may have begun with anything: it counts only as far
// as trusted proxies wrote it.

import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { createAddressBlocks, plainAddress } from '../model/address-blocks.ts';

export interface Client {
  /** Absent where a trusted proxy says nothing that is an address. */
  readonly address?: string;
  /** Whether the connection comes from a trusted proxy: then the headers that proxies write count. */
  readonly viaTrustedProxy: boolean;
}

/** `trustedProxies`: addresses and CIDR blocks. */
export function createClientAddress(
  trustedProxies: readonly string[],
): (request: IncomingMessage) => Client {
  const trusted = createAddressBlocks(trustedProxies);
  return ({ socket: { remoteAddress = '' }, headers }) => {
    const peer = plainAddress(remoteAddress);
    if (!trusted.has(peer)) return { ...named(peer), viaTrustedProxy: false };
    return { ...named(clientOf(headers['x-forwarded-for'], peer)), viaTrustedProxy: true };
  };

  /** From the right: the first that is no trusted proxy; where all are, the one furthest away. */
  function clientOf(header: string | string[] | undefined, peer: string): string {
    const hops = String(header ?? '').split(',');
    let nearest = peer;
    for (const hop of hops.toReversed()) {
      if (hop.trim() === '') continue;
      nearest = withoutPort(hop.trim());
      if (!trusted.has(nearest)) break;
    }
    return nearest;
  }
}

function named(address: string): { readonly address?: string } {
  return isIP(address) === 0 ? {} : { address };
}

/** Some proxies write `203.0.113.7:51022` or `[2001:db8::7]:51022`. */
function withoutPort(hop: string): string {
  const [, inBrackets, before] = /^\[([^\]]*)\](?::\d+)?$|^([^:]+):\d+$/.exec(hop) ?? [];
  return plainAddress(inBrackets ?? before ?? hop);
}
