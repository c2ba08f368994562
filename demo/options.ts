import { parseArgs } from 'node:util';

export interface DemoOptions {
  readonly once: boolean;
  readonly help: boolean;
  readonly orders: number;
  readonly seed: number;
}

/** More orders than this are a load test: see `npm run bench`. */
const ORDERS_MAX = 500;

export const usage = `Usage: npm run demo -- [options]

Starts the hub with a stand-in shop, ERP and mail server, and shows orders going through.

  --once         end by itself: exit status 0 only if every order reached the ERP and the
                 mailbox exactly once
  --orders <n>   how many orders the shop sells, 1 to ${ORDERS_MAX} (default 24)
  --seed <n>     which orders, and which moods of the ERP (default 4)
  --help         this text

Environment: REDIS_URL puts the lanes on Redis; PORT and HOST say where the hub listens.
`;

/** Throws an Error whose message says what is wrong with the arguments. */
export function parseOptions(args: readonly string[]): DemoOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      once: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
      orders: { type: 'string', default: '24' },
      seed: { type: 'string', default: '4' },
    },
  });
  return {
    once: values.once,
    help: values.help,
    orders: wholeNumber('--orders', values.orders, { min: 1, max: ORDERS_MAX }),
    seed: wholeNumber('--seed', values.seed, { min: 0, max: 2 ** 31 }),
  };
}

function wholeNumber(name: string, text: string, range: { min: number; max: number }): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= range.min && value <= range.max) return value;
  throw new Error(`${name} takes a whole number from ${range.min} to ${range.max}, not "${text}"`);
}
