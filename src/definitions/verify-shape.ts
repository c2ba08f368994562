// The shape of `verify:`, checked by the way that its fields name.

import type { Json, JsonObject } from '../model/json.ts';
import { didYouMeanOrKnown } from '../model/suggest.ts';
import type { ShapeChecker } from './check-shape.ts';
import { isObject } from './content.ts';
import { type Fault, fault, type Path } from './fault.ts';
import { verifyWord, waySchemas } from './verify-schema.ts';

const LIST_MAX = 8;

/** Faults of shape; nothing where `verify` is neither text nor a mapping: that is told already. */
export function verifyShape(
  verify: Json | undefined,
  path: Path,
  checkShape: ShapeChecker,
): readonly Fault[] {
  if (typeof verify === 'string') return checkShape({ schema: verifyWord, value: verify, path });
  if (!isObject(verify)) return [];
  const several = ['any', 'all'].find((name) => name in verify);
  if (several !== undefined) return listShape(verify, [...path, several], checkShape);
  const names = Object.keys(waySchemas).filter((name) => name in verify);
  const schema = waySchemas[names[0] ?? ''];
  if (schema === undefined) return [noWay(verify, path)];
  return checkShape({ schema, value: verify, path });
}

function listShape(verify: JsonObject, path: Path, checkShape: ShapeChecker): readonly Fault[] {
  const list = verify[String(path.at(-1))];
  const items: readonly Json[] = Array.isArray(list) ? list : [];
  if (items.length === 0 || items.length > LIST_MAX || Object.keys(verify).length > 1) {
    const message = `"${path.join('.')}" must be a list of 1 to ${LIST_MAX} ways, with nothing beside it`;
    return [fault(path, 'wrong-value', { message })];
  }
  return items.flatMap((item, index) =>
    isObject(item) && !('any' in item) && !('all' in item)
      ? verifyShape(item, [...path, index], checkShape)
      : [fault([...path, index], 'wrong-type', { message: 'a way to verify must be a mapping' })],
  );
}

function noWay(verify: JsonObject, path: Path): Fault {
  const known = [...Object.keys(waySchemas), 'any', 'all'];
  const [unknown = ''] = Object.keys(verify);
  const message = `"${path.join('.')}" names no way to verify`;
  const hint = didYouMeanOrKnown(unknown, known) ?? `one of ${known.join(', ')}`;
  return fault(path, 'missing-field', { message, hint, target: 'key' });
}
