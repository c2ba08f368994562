// The hub's own functions as data: `check` knows their names from here, the documentation is made
// from here, and a test evaluates every example.

export interface FunctionDoc {
  /** As it is written in an expression, without the `$`. */
  readonly name: string;
  /** Parameter names in order; those that end in `?` may be left out. */
  readonly parameters: readonly string[];
  /** One line. */
  readonly doc: string;
  readonly example: string;
  /** What the example comes to, as JSON. */
  readonly result: string;
}

export const functionDocs: readonly FunctionDoc[] = [
  {
    name: 'decimal.add',
    parameters: ['a', 'b'],
    doc: 'The sum of two decimals, with the decimals of the longer one.',
    example: '$decimal.add("0.10", "0.20")',
    result: '"0.30"',
  },
  {
    name: 'decimal.subtract',
    parameters: ['a', 'b'],
    doc: 'The difference of two decimals, with the decimals of the longer one.',
    example: '$decimal.subtract("10.00", "0.01")',
    result: '"9.99"',
  },
  {
    name: 'decimal.multiply',
    parameters: ['a', 'b', 'scale?'],
    doc: 'The exact product; with a scale rounded half up to that many decimals.',
    example: '$decimal.multiply("19.99", 3, 2)',
    result: '"59.97"',
  },
  {
    name: 'decimal.divide',
    parameters: ['a', 'b', 'scale?'],
    doc: 'The quotient, rounded half up to `scale` decimals, or to at most 20.',
    example: '$decimal.divide("10.00", 3, 2)',
    result: '"3.33"',
  },
  {
    name: 'decimal.round',
    parameters: ['a', 'scale?', 'mode?'],
    doc: 'Rounds to `scale` decimals (0); mode "half-up" (default), "half-even", "up" or "down".',
    example: '$decimal.round("2.345", 2)',
    result: '"2.35"',
  },
  {
    name: 'decimal.compare',
    parameters: ['a', 'b'],
    doc: '-1, 0 or 1, as `a` is less than, equal to or greater than `b`.',
    example: '$decimal.compare("10.0", "9.99")',
    result: '1',
  },
  {
    name: 'decimal.sum',
    parameters: ['values'],
    doc: 'The sum of an array of decimals, with the decimals of the longest one.',
    example: '$decimal.sum(["1.10", "2.20", 3])',
    result: '"6.30"',
  },
  {
    name: 'date.iso',
    parameters: ['value'],
    doc: 'A date (ISO 8601, or milliseconds since 1970) as ISO 8601 in UTC.',
    example: '$date.iso("2024-12-31T19:00:00-05:00")',
    result: '"2025-01-01T00:00:00.000Z"',
  },
  {
    name: 'date.add',
    parameters: ['date', 'duration'],
    doc: 'A date moved by a duration such as "30d", "-2h" or "15m".',
    example: '$date.add("2025-01-01", "30d")',
    result: '"2025-01-31T00:00:00.000Z"',
  },
  {
    name: 'date.day',
    parameters: ['date', 'zone?'],
    doc: 'The calendar day of a date in an IANA time zone (UTC).',
    example: '$date.day("2024-12-31T23:30:00Z", "Europe/Berlin")',
    result: '"2025-01-01"',
  },
  {
    name: 'date.unix',
    parameters: ['date'],
    doc: 'Seconds since 1970.',
    example: '$date.unix("2025-01-01T00:00:00Z")',
    result: '1735689600',
  },
  {
    name: 'date.fromUnix',
    parameters: ['seconds'],
    doc: 'Seconds since 1970 as ISO 8601 in UTC.',
    example: '$date.fromUnix(1735689600)',
    result: '"2025-01-01T00:00:00.000Z"',
  },
  {
    name: 'slug',
    parameters: ['text'],
    doc: 'Lower-case letters and digits of the Latin alphabet, joined by hyphens.',
    example: '$slug("Crème brûlée, 2 Stück")',
    result: '"creme-brulee-2-stuck"',
  },
  {
    name: 'hash',
    parameters: ['text', 'algorithm?', 'encoding?'],
    doc: 'A digest: sha256 (default), sha512, sha1, md5; as hex (default), base64, base64url.',
    example: '$hash("abc")',
    result: '"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"',
  },
];
