// The `outcomes:` of a flow or an operation: what answers mean, by the file.

import type { Json } from '../model/json.ts';
import type { OutcomeOverride } from '../model/outcome.ts';
import { type Content, isObject, valueAt } from './content.ts';
import type { Path } from './fault.ts';

/** The list at `path` of a file's content; entries whose shape is wrong are left out. */
export function readOutcomes(content: Content, path: Path): readonly OutcomeOverride[] {
  const list: Json | undefined = valueAt(content.value, path);
  if (!Array.isArray(list)) return [];
  return (list as readonly Json[]).flatMap((entry, index) => {
    if (!isObject(entry)) return [];
    const { when, then } = entry;
    if (then !== 'delivered' && then !== 'retry' && then !== 'dead') return [];
    const statuses = statusesOf(entry['status']);
    const at = [...path, index, 'when'];
    return {
      ...(statuses.length === 0 ? {} : { statuses }),
      ...(typeof when === 'string' ? { when: content.expressionAt(at, when) } : {}),
      then,
    };
  });
}

function statusesOf(value: Json | undefined): readonly number[] {
  const list: readonly Json[] = Array.isArray(value) ? value : [value ?? null];
  return list.filter((one) => typeof one === 'number');
}
