// Who sends many requests that fail verification. Only failures are counted: a good request of the
// same address is let in whatever came before it.

import { isIPv6 } from 'node:net';

/** Failures of one address in one window; further ones are answered 429. */
export const FAILURES_PER_WINDOW_MAX = 60;
export const WINDOW_MS = 60_000;
/** Addresses that are remembered; who was heard of longest ago makes room. */
export const ADDRESSES_MAX = 10_000;

export interface FailureLimits {
  /** Counts a failure, as `weight` of them; `true` where the address is over its limit. */
  failed(address: string | undefined, nowMs: number, weight?: number): boolean;
  /** Notes that the address sent a good one. */
  passed(address: string | undefined, nowMs: number): void;
  /**
   * Whether no key is fetched for the address: it is over its limit and has sent nothing good
   * lately. Senders behind one proxy share an address, and one of them must not shut out the others.
   */
  isShunned(address: string | undefined, nowMs: number): boolean;
}

interface Record {
  windowMs: number;
  failures: number;
  passedMs: number;
}

/** A good request speaks for its address for this long. */
const GOOD_NAME_MS = 15 * 60_000;

export function createFailureLimits(
  limits: { readonly failuresMax?: number; readonly addressesMax?: number } = {},
): FailureLimits {
  const { failuresMax = FAILURES_PER_WINDOW_MAX, addressesMax = ADDRESSES_MAX } = limits;
  const records = new Map<string, Record>();

  const remember = (key: string, nowMs: number): Record => {
    const record = records.get(key) ?? { windowMs: nowMs, failures: 0, passedMs: -Infinity };
    // The order of a Map is that of insertion: who is put back is the last to make room.
    records.delete(key);
    records.set(key, record);
    if (records.size > addressesMax) {
      const [oldest] = records.keys();
      if (oldest !== undefined) records.delete(oldest);
    }
    if (nowMs - record.windowMs >= WINDOW_MS || nowMs < record.windowMs) {
      record.windowMs = nowMs;
      record.failures = 0;
    }
    return record;
  };

  return {
    failed(address, nowMs, weight = 1) {
      if (address === undefined) return false;
      const record = remember(networkOf(address), nowMs);
      record.failures += weight;
      return record.failures > failuresMax;
    },
    passed(address, nowMs) {
      if (address === undefined || records.size === 0) return;
      const record = records.get(networkOf(address));
      if (record !== undefined) record.passedMs = nowMs;
    },
    isShunned(address, nowMs) {
      if (address === undefined || records.size === 0) return false;
      const record = records.get(networkOf(address));
      if (record === undefined || record.failures < failuresMax) return false;
      return nowMs - record.windowMs < WINDOW_MS && nowMs - record.passedMs > GOOD_NAME_MS;
    },
  };
}

/** One customer has a whole /64 of IPv6 addresses. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.toLowerCase().split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const rest = tail === '' ? [] : tail.split(':');
    // An IPv4 tail stands for two groups.
    const length = groups.length + rest.length + (tail.includes('.') ? 1 : 0);
    groups.push(...Array.from({ length: Math.max(0, 8 - length) }, () => '0'), ...rest);
  }
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
