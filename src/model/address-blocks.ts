import { BlockList, isIP } from 'node:net';

/** Addresses of machines, as single ones and as CIDR blocks (RFC 4632, RFC 4291 §2.3). */
export interface AddressBlocks {
  /** Whether `address` lies in one of the blocks; `false` for what is no address. */
  has(address: string): boolean;
}

/** What is wrong with `text` as an address or a block; `undefined` where it is one. */
export function addressBlockProblem(text: string): string | undefined {
  const [address = '', bits, ...rest] = text.split('/');
  const family = familyOf(address);
  if (family === undefined) return `"${text}" is no IP address`;
  if (bits === undefined) return undefined;
  const bitsMax = family === 'ipv4' ? 32 : 128;
  const isRight = rest.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= bitsMax;
  return isRight ? undefined : `"${text}" must end in /0 to /${bitsMax}`;
}

/** `blocks` are free of problems. An IPv4 address in an IPv6 one (`::ffff:…`) counts as itself. */
export function createAddressBlocks(blocks: readonly string[]): AddressBlocks {
  const list = new BlockList();
  for (const block of blocks) {
    const [address = '', bits] = block.split('/');
    const family = familyOf(address) ?? 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return {
    has(address) {
      const plain = plainAddress(address);
      const family = familyOf(plain);
      return family !== undefined && list.check(plain, family);
    },
  };
}

/** `address` as people write it: an IPv4 address that came over IPv6 without its prefix. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

/** Zones (`fe80::1%eth0`) name interfaces of one machine, so they are no addresses here. */
function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  if (address.includes('%')) return undefined;
  return ({ 4: 'ipv4', 6: 'ipv6' } as const)[isIP(address) as 4 | 6];
}
