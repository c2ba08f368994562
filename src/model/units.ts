// Durations, sizes and rates as people write them in files: `30s`, `1mb`, `40/s`.

const durationUnitsMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const sizeUnits: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1_024,
  mb: 1_024 * 1_024,
  gb: 1_024 ** 3,
};

/** Milliseconds of `250ms`, `30s`, `15m`, `72h` or `30d`; `undefined` for anything else. */
export function parseDurationMs(text: string): number | undefined {
  return parseQuantity(text, /^(\d{1,9})(ms|s|m|h|d)$/, durationUnitsMs);
}

/** Bytes of `512b`, `64kb`, `1mb` (powers of 1,024); `undefined` for anything else. */
export function parseSizeBytes(text: string): number | undefined {
  return parseQuantity(text.toLowerCase(), /^(\d{1,9})(b|kb|mb|gb)$/, sizeUnits);
}

/** How many in how long. */
export interface Rate {
  readonly count: number;
  readonly perMs: number;
}

/** The rate that `40/s`, `600/m` or `1000/h` says; `undefined` for anything else. */
export function parseRate(text: string): Rate | undefined {
  const match = /^(\d{1,9})\/(s|m|h)$/.exec(text);
  const count = Number(match?.[1] ?? 0);
  if (match === null || count === 0) return undefined;
  return { count, perMs: durationUnitsMs[match[2] ?? ''] ?? 1_000 };
}

function parseQuantity(
  text: string,
  pattern: RegExp,
  units: Readonly<Record<string, number>>,
): number | undefined {
  const match = pattern.exec(text);
  const unit = units[match?.[2] ?? ''];
  return match === null || unit === undefined ? undefined : Number(match[1]) * unit;
}
