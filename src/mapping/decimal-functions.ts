// `$decimal.…`: money as strings of digits, never as doubles.

import Big from 'big.js';
import { FunctionError } from './evaluation.ts';

/** Digits of one decimal, and of a scale. */
const DIGITS_MAX = 100;
/** Decimals of a quotient when no scale is asked for. */
const QUOTIENT_SCALE = 20;

const Decimal = Big();

const roundingModes: ReadonlyMap<unknown, Big.RoundingMode> = new Map([
  ['down', 0],
  ['half-up', 1],
  ['half-even', 2],
  ['up', 3],
] as const);

export const decimalFunctions = {
  add: (a: unknown, b: unknown) => {
    const [left, right] = [toDecimal(a, 1), toDecimal(b, 2)];
    return left.value.plus(right.value).toFixed(Math.max(left.scale, right.scale));
  },
  subtract: (a: unknown, b: unknown) => {
    const [left, right] = [toDecimal(a, 1), toDecimal(b, 2)];
    return left.value.minus(right.value).toFixed(Math.max(left.scale, right.scale));
  },
  multiply: (a: unknown, b: unknown, scale: unknown) => {
    const product = toDecimal(a, 1).value.times(toDecimal(b, 2).value);
    return scale === undefined ? product.toFixed() : product.toFixed(toScale(scale, 3), 1);
  },
  divide: (a: unknown, b: unknown, scale: unknown) => {
    const [dividend, divisor] = [toDecimal(a, 1).value, toDecimal(b, 2).value];
    if (divisor.eq(0)) throw new FunctionError('argument 2 is zero');
    Decimal.DP = scale === undefined ? QUOTIENT_SCALE : toScale(scale, 3);
    const quotient = dividend.div(divisor);
    return scale === undefined ? quotient.toFixed() : quotient.toFixed(Decimal.DP);
  },
  round: (a: unknown, scale: unknown, mode: unknown) => {
    const roundingMode = roundingModes.get(mode ?? 'half-up');
    if (roundingMode === undefined) {
      throw new FunctionError('argument 3 must be "half-up", "half-even", "up" or "down"');
    }
    return toDecimal(a, 1).value.toFixed(toScale(scale ?? 0, 2), roundingMode);
  },
  compare: (a: unknown, b: unknown) => toDecimal(a, 1).value.cmp(toDecimal(b, 2).value),
  sum: (values: unknown) => {
    const decimals = (Array.isArray(values) ? values : [values]).map((value) =>
      toDecimal(value, 1),
    );
    const scale = decimals.reduce((longest, decimal) => Math.max(longest, decimal.scale), 0);
    return decimals.reduce((sum, { value }) => sum.plus(value), new Decimal(0)).toFixed(scale);
  },
};

/** The scale is what was written: "1.10" has two decimals, and so has its sum with "2". */
function toDecimal(value: unknown, index: number): { value: Big; scale: number } {
  const text = typeof value === 'number' ? String(value) : value;
  const match =
    typeof text === 'string' && text.length <= DIGITS_MAX
      ? /^-?\d+(?:\.(\d+))?(?:[eE][+-]?\d{1,2})?$/.exec(text)
      : null;
  if (match === null) {
    throw new FunctionError(`argument ${index} is no decimal number but ${describe(value)}`);
  }
  const decimal = new Decimal(match[0]);
  return { value: decimal, scale: /[eE]/.test(match[0]) ? 0 : (match[1]?.length ?? 0) };
}

function toScale(value: unknown, index: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= DIGITS_MAX) {
    return value;
  }
  throw new FunctionError(`argument ${index} must be a number of decimals from 0 to ${DIGITS_MAX}`);
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'string' ? 'another text' : `of type ${typeof value}`;
}
