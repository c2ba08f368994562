// The `lookup:` of an operation: how to find out whether a call whose answer got lost has worked.

import type { JsonObject } from '../model/json.ts';
import { didYouMeanOrKnown } from '../model/suggest.ts';
import { type Content, isObject, valueAt } from './content.ts';
import type { LookupDefinition } from './definitions.ts';
import { type Fault, fault, isFaulty } from './fault.ts';

export function readLookup(content: Content, operation: string): LookupDefinition | undefined {
  const path = ['operations', operation, 'lookup'];
  const lookup = valueAt(content.value, path);
  if (!isObject(lookup)) return undefined;
  const { operation: other, found } = lookup;
  if (typeof other !== 'string' || typeof found !== 'string') return undefined;
  return { operation: other, found: content.expressionAt([...path, 'found'], found) };
}

/** Lookups that name no operation of the connector, or one that is not fit to look with. */
export function checkLookups(
  operations: JsonObject,
  shapeFaults: readonly Fault[],
): readonly Fault[] {
  return Object.keys(operations).flatMap((name) => {
    const path = ['operations', name, 'lookup', 'operation'];
    const other = valueAt({ operations }, path);
    if (typeof other !== 'string' || isFaulty(shapeFaults, path)) return [];
    if (!Object.hasOwn(operations, other)) {
      const message = `there is no operation "${other}" to look with`;
      const hint = didYouMeanOrKnown(
        other,
        Object.keys(operations).filter((one) => one !== name),
      );
      return [fault(path, 'unknown-operation', { message, hint })];
    }
    if (other !== name && valueAt({ operations }, ['operations', other, 'lookup']) === undefined) {
      return [];
    }
    const message =
      other === name
        ? `"${name}" looks with itself, which would do the work once more`
        : `"${other}" has a lookup itself, so it does more than look`;
    const hint = 'name an operation that only reads';
    return [fault(path, 'wrong-value', { message, hint })];
  });
}
