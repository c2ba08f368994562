// The `order` of a flow file: read, and checked beyond what its schema says.

import type { Json, JsonObject } from '../model/json.ts';
import { type OrderPolicy, SETTLE_MS_DEFAULT } from '../model/order.ts';
import { parseDurationMs } from '../model/units.ts';
import { isObject } from './content.ts';
import { parseEventPath } from './event-path.ts';
import { type Fault, fault, isFaulty } from './fault.ts';

const SETTLE_MS_MAX = 3_600_000;

/** Absent where there is none, or none that could be kept; then that is reported. */
export function parseOrder(value: Json | undefined): OrderPolicy | undefined {
  if (!isObject(value)) return undefined;
  const { by, version, keep, dead, settle } = value;
  if (typeof by !== 'string') return undefined;
  const settleMs = parseDurationMs(String(settle)) ?? SETTLE_MS_DEFAULT;
  if (keep === 'latest' && typeof version === 'string') {
    return { by, version, keep, dead: 'skip', settleMs };
  }
  return { by, dead: dead === 'park' || dead === 'skip' ? dead : 'block', settleMs };
}

/** What is wrong with `order` where its shape is right. */
export function checkOrder(value: JsonObject, shapeFaults: readonly Fault[]): readonly Fault[] {
  const { order } = value;
  if (!isObject(order)) return [];
  const faults = [...checkPaths(order), ...checkLatest(order), ...checkSettle(order)];
  return faults.filter(({ path }) => !isFaulty(shapeFaults, path));
}

function checkPaths(order: JsonObject): readonly Fault[] {
  return ['by', 'version'].flatMap((field) => {
    const text = order[field];
    const parsed = typeof text === 'string' ? parseEventPath(text) : undefined;
    if (parsed === undefined || 'path' in parsed) return [];
    const { message, hint } = parsed.problem;
    return [
      fault(['order', field], 'wrong-value', { message: `"order.${field}": ${message}`, hint }),
    ];
  });
}

/** `keep` and `version` come together; `settle` comes with them, and `dead` without. */
function checkLatest(order: JsonObject): readonly Fault[] {
  const { version, keep } = order;
  if (keep !== undefined && version === undefined) {
    const message = '"order.keep" needs "order.version": which of two events is the newer';
    const hint = 'name a field that grows, such as version: updated_at';
    return [fault(['order', 'keep'], 'missing-field', { message, hint, target: 'key' })];
  }
  if (keep === undefined) {
    return withoutEffect(order, ['version', 'settle'], 'without "order.keep: latest"');
  }
  return withoutEffect(order, ['dead'], 'with "order.keep: latest": the newest waits for no other');
}

function withoutEffect(
  order: JsonObject,
  fields: readonly string[],
  why: string,
): readonly Fault[] {
  return fields
    .filter((field) => order[field] !== undefined)
    .map((field) => {
      const message = `"order.${field}" has no effect ${why}`;
      return fault(['order', field], 'wrong-value', { message, target: 'key' });
    });
}

function checkSettle({ settle }: JsonObject): readonly Fault[] {
  const settleMs = parseDurationMs(String(settle));
  if (settleMs === undefined || settleMs <= SETTLE_MS_MAX) return [];
  return [
    fault(['order', 'settle'], 'wrong-value', { message: '"order.settle" must be at most 1h' }),
  ];
}
