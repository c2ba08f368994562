import { createHash } from 'node:crypto';
import type { FlowRevision } from '../model/flow-revision.ts';

const HASH_DIGITS = 32;

/** `revision` with its hash: the first 32 hex digits of SHA-256 over its canonical JSON. */
export function withHash(revision: Omit<FlowRevision, 'hash'>): FlowRevision {
  const digest = createHash('sha256').update(canonicalJson(revision)).digest('hex');
  return { hash: digest.slice(0, HASH_DIGITS), ...revision };
}

/** JSON text with the keys of every object in code unit order, and without `undefined` fields. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, child: unknown) =>
    typeof child === 'object' && child !== null && !Array.isArray(child)
      ? Object.fromEntries(Object.entries(child).sort(([a], [b]) => (a < b ? -1 : 1)))
      : child,
  );
}
