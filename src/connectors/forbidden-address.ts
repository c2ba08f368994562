// Addresses that no connector ever connects to. Private ranges are allowed: an ERP often stands
// next to the hub. Link-local ones are not: that is where clouds hand out credentials.

import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

const forbidden = new BlockList();
forbidden.addSubnet('0.0.0.0', 8, 'ipv4');
forbidden.addSubnet('169.254.0.0', 16, 'ipv4');
// Metadata services outside the link-local range: Alibaba Cloud, Oracle Cloud (old), Azure.
forbidden.addAddress('100.100.100.200', 'ipv4');
forbidden.addAddress('192.0.0.192', 'ipv4');
forbidden.addAddress('168.63.129.16', 'ipv4');
forbidden.addAddress('::', 'ipv6');
forbidden.addSubnet('fe80::', 10, 'ipv6');
forbidden.addAddress('fd00:ec2::254', 'ipv6');
// 169.254.0.0/16 behind NAT64 (RFC 6052) and 6to4 (RFC 3056).
forbidden.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6');
forbidden.addSubnet('2002:a9fe::', 32, 'ipv6');

/** Whether `host`, an address without brackets, is forbidden. A name is judged when it is looked up. */
export function isForbiddenAddress(host: string): boolean {
  const family = isIP(host);
  return family !== 0 && forbidden.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

export function forbiddenAddressError(): Error {
  return Object.assign(new Error('the address is forbidden'), { code: 'ADDRESS_FORBIDDEN' });
}

/** `dns.lookup` for sockets; a name that has one forbidden address is refused. */
export const guardedLookup: LookupFunction = (hostname, options, callback) => {
  dnsLookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    const first = addresses?.[0];
    if (error || first === undefined) return callback(error, '', 0);
    if (addresses.some(({ address }) => isForbiddenAddress(address))) {
      return callback(forbiddenAddressError(), '', 0);
    }
    if (options.all === true) return callback(null, addresses);
    callback(null, first.address, first.family);
  });
};
