// What differs between the JSON that a test expects and the JSON that came out, place by place.

import { Digits, type ExactObject, type ExactValue, formatExact } from '../exact-value.ts';

/** `undefined`: there is nothing at that place. */
export interface Difference {
  /** Such as `lines[0].price`; empty for the whole. */
  readonly path: string;
  /** JSON text, or a sentence. */
  readonly expected: string | undefined;
  readonly received: string | undefined;
}

/** Differences of one comparison that are reported. */
const DIFFERENCES_MAX = 50;

export function compareExact(
  path: string,
  expected: ExactValue | undefined,
  received: ExactValue | undefined,
): readonly Difference[] {
  return differencesOf(path, expected, received).slice(0, DIFFERENCES_MAX);
}

/** Whether two texts are the same number: `10.10` is 10.1, and 2^53 + 1 is not 2^53. */
export function isSameNumber(left: Digits, right: Digits): boolean {
  return canonicalNumber(left.text) === canonicalNumber(right.text);
}

/** An expected error is part of the one that came. */
export function compareError(
  expected: string,
  received: string | undefined,
  isError: boolean,
): readonly Difference[] {
  if (isError && received?.includes(expected) === true) return [];
  return [{ path: 'error', expected: `text with ${JSON.stringify(expected)}`, received }];
}

function differencesOf(
  path: string,
  expected: ExactValue | undefined,
  received: ExactValue | undefined,
): readonly Difference[] {
  if (isObject(expected) && isObject(received)) {
    const names = [...new Set([...Object.keys(expected), ...Object.keys(received)])];
    return names.flatMap((name) =>
      differencesOf(fieldPath(path, name), own(expected, name), own(received, name)),
    );
  }
  if (isList(expected) && isList(received)) {
    const length = Math.max(expected.length, received.length);
    return Array.from({ length }, (_, index) =>
      differencesOf(`${path}[${index}]`, expected[index], received[index]),
    ).flat();
  }
  if (isSameScalar(expected, received)) return [];
  return [{ path, expected: shown(expected), received: shown(received) }];
}

function isSameScalar(left: ExactValue | undefined, right: ExactValue | undefined): boolean {
  if (left instanceof Digits && right instanceof Digits) return isSameNumber(left, right);
  return left === right;
}

function isList(value: ExactValue | undefined): value is readonly ExactValue[] {
  return Array.isArray(value);
}

export function isObject(value: ExactValue | undefined): value is ExactObject {
  return (
    typeof value === 'object' && value !== null && !isList(value) && !(value instanceof Digits)
  );
}

function own(value: ExactObject, name: string): ExactValue | undefined {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

function shown(value: ExactValue | undefined): string | undefined {
  return value === undefined ? undefined : formatExact(value);
}

function fieldPath(path: string, name: string): string {
  if (!/^[\p{L}_$][\p{L}\p{N}_$-]*$/u.test(name)) return `${path}[${JSON.stringify(name)}]`;
  return path === '' ? name : `${path}.${name}`;
}

/** Sign, digits without zeros at either end, and the power of ten of the last one. */
function canonicalNumber(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^([-+]?)(\d*)(?:\.(\d*))?(?:[eE]([-+]?\d+))?$/.exec(text) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  const power = BigInt(exponent) - BigInt(fraction.length - (digits.length - significant.length));
  return `${sign === '-' ? '-' : ''}${significant}e${power}`;
}
