/** Characters of a path: keys may come from the body. */
const PATH_MAX = 200;

interface Place {
  readonly value: unknown;
  readonly key: string | number;
  /** `undefined` for the result itself. */
  readonly parent: Place | undefined;
}

/**
 * Where a result holds Infinity or NaN, such as `lines[0].price`; empty where it is one itself,
 * `undefined` where all its numbers are finite. The result must be one that JSON can be made of.
 */
export function findNonFinite(result: unknown): string | undefined {
  if (!isWorthALook(result)) return undefined;
  const waiting: Place[] = [{ value: result, key: '', parent: undefined }];
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    if (typeof place.value === 'number') return pathOf(place).slice(0, PATH_MAX);
    for (const inner of placesIn(place)) waiting.push(inner);
  }
  return undefined;
}

/** The last first, so that of a list that is taken from its end the first is found first. */
function placesIn(parent: Place): readonly Place[] {
  const isList = Array.isArray(parent.value);
  return Object.entries(parent.value as object)
    .filter(([, value]) => isWorthALook(value))
    .map(([key, value]) => ({ value, key: isList ? Number(key) : key, parent }))
    .reverse();
}

function isWorthALook(value: unknown): boolean {
  return typeof value === 'number'
    ? !Number.isFinite(value)
    : typeof value === 'object' && value !== null;
}

function pathOf(place: Place): string {
  let path = '';
  for (let at = place; at.parent !== undefined; at = at.parent) {
    path = (typeof at.key === 'number' ? `[${at.key}]` : `.${at.key}`) + path;
  }
  return path.startsWith('.') ? path.slice(1) : path;
}
