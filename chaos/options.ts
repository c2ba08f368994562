import { parseArgs } from 'node:util';
import type { LaneStore } from './rig.ts';

export interface ChaosOptions {
  readonly help: boolean;
  readonly quick: boolean;
  /** Scenario ids; empty for all of the set. */
  readonly only: readonly string[];
  readonly lanes: readonly LaneStore[];
  readonly seeds: readonly number[];
  readonly parallel: number;
  readonly json?: string;
  readonly writeDocs: boolean;
  readonly soakMs?: number;
}

export const usage = `Usage: npm run chaos -- [options]

Starts the real hub with a real PostgreSQL and Redis, breaks something while webhooks come in, and
checks what was acknowledged against what the targets saw and what the journal says.

  --quick          the short set, for every commit: under 6 minutes
  --only <ids>     only these faults of the set, such as F5,F11
  --lanes <store>  redis, postgres or both (default: both; redis with --quick)
  --seeds <n>      run everything with so many seeds (default 1)
  --seed <n>       repeat the run with this seed
  --parallel <n>   scenarios side by side (default 3)
  --soak <time>    one hub, a random fault every 20 s, for so long: 30m, 90s
  --json <file>    also write the results as JSON
  --write-docs     write docs/reliability.md from the results
  --help           this text

Exit status 0 only if every verdict is "passed".
`;

const PARALLEL_MAX = 8;
const SEEDS_MAX = 20;
const SEED_MAX = 2 ** 31;

/** Throws an Error whose message says what is wrong with the arguments. */
export function parseOptions(args: readonly string[], randomSeed: () => number): ChaosOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      quick: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      lanes: { type: 'string' },
      seeds: { type: 'string', default: '1' },
      seed: { type: 'string' },
      parallel: { type: 'string', default: '3' },
      soak: { type: 'string' },
      json: { type: 'string' },
      'write-docs': { type: 'boolean', default: false },
    },
  });
  const seeds = wholeNumber('--seeds', values.seeds, { min: 1, max: SEEDS_MAX });
  const first =
    values.seed === undefined
      ? randomSeed()
      : wholeNumber('--seed', values.seed, { min: 0, max: SEED_MAX });
  return {
    help: values.help,
    quick: values.quick,
    only: values.only.split(',').flatMap((id) => id.trim().toUpperCase() || []),
    lanes: lanesOf(values.lanes ?? (values.quick ? 'redis' : 'both')),
    seeds: Array.from({ length: seeds }, (_, index) => first + index),
    parallel: wholeNumber('--parallel', values.parallel, { min: 1, max: PARALLEL_MAX }),
    writeDocs: values['write-docs'],
    ...(values.json === undefined ? {} : { json: values.json }),
    ...(values.soak === undefined ? {} : { soakMs: durationMs(values.soak) }),
  };
}

function lanesOf(text: string): readonly LaneStore[] {
  if (text === 'both') return ['redis', 'postgres'];
  if (text === 'redis' || text === 'postgres') return [text];
  throw new Error(`--lanes takes redis, postgres or both, not "${text}"`);
}

function durationMs(text: string): number {
  const [, count, unit] = /^(\d{1,4})(s|m|h)$/.exec(text) ?? [];
  if (count === undefined) throw new Error(`--soak takes a time such as 30m or 90s, not "${text}"`);
  const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };
  return Number(count) * (units[unit ?? ''] ?? 0);
}

function wholeNumber(name: string, text: string, range: { min: number; max: number }): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= range.min && value <= range.max) return value;
  throw new Error(`${name} takes a whole number from ${range.min} to ${range.max}, not "${text}"`);
}
