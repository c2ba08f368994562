/** Digits of a plain decimal; beyond, a number is written with its exponent. */
const PLAIN_DIGITS_MAX = 100;

/**
 * One text for one number, exact to the last digit: `1`, `1.0` and `10e-1` are `1`, and
 * 820982911946154508 is not its neighbour. A number whose plain form would take more than 100
 * digits is written `<digits>e<power>`. `undefined` where `literal` is no decimal number.
 */
export function decimalText(literal: string): string | undefined {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,9}))?$/.exec(literal);
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const all = whole + fraction;
  const from = countZeros(all, 0, 1);
  if (from === all.length) return '0';
  const zerosAfter = countZeros(all, all.length - 1, -1);
  const digits = all.slice(from, all.length - zerosAfter);
  const power = Number(exponent) - fraction.length + zerosAfter;
  return sign + (plainText(digits, power) ?? `${digits}e${power}`);
}

/** Whether it is the plain form, as a column of numbers takes it. */
export function isPlainDecimal(text: string): boolean {
  return !text.includes('e');
}

function countZeros(text: string, start: number, step: 1 | -1): number {
  let count = 0;
  while (text.charCodeAt(start + count * step) === 0x30) count += 1;
  return count;
}

function plainText(digits: string, power: number): string | undefined {
  if (digits.length + Math.abs(power) > PLAIN_DIGITS_MAX) return undefined;
  if (power >= 0) return digits + '0'.repeat(power);
  const point = digits.length + power;
  if (point > 0) return `${digits.slice(0, point)}.${digits.slice(point)}`;
  return `0.${'0'.repeat(-point)}${digits}`;
}
