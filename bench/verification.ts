// What it costs that every sender proves who it is, and what forgeries cost those who do. One hub
// has two connectors that differ in `verify:` only; both get the same orders, turn by turn, so that
// what else the machine does meets both alike.

import type { LoadResult } from './load-client.ts';
import { startBenchRedis } from './redis.ts';
import { medianOf } from './report.ts';
import { type Load, type LoadProcess, ordersTo, startLoadProcess } from './start-load.ts';
import { withHub } from './with-hub.ts';

const WARM_MS = 2_000;
/** Of good orders beside the forged ones: well below what intake takes. */
const GOOD_PER_SECOND = 200;
const FORGED_CONNECTIONS = 16;

const unverified = {
  'connectors/open.yaml': `uses: shopify
settings: { shop: open.myshopify.com }
receive: { verify: none }
`,
  'flows/open-to-erp.yaml': `from: { connector: open, topics: [orders/create] }
when: financial_status = 'paid'
map: order-to-erp
to: erp.createOrder
`,
};

/** Prints one table each; the files of the project are those of the other measurements. */
export async function compareVerification(how: {
  readonly ms: number;
  readonly rounds: number;
}): Promise<void> {
  const load = await startLoadProcess();
  const forger = await startLoadProcess();
  const redis = await startBenchRedis();
  try {
    await withHub({ load, redis, role: 'intake', files: unverified }, async ({ port }) => {
      await compareCost(load, port, how);
      await compareBurst({ load, forger }, port, how);
    });
  } finally {
    load.child.send('end');
    forger.child.send('end');
    await redis?.stop();
  }
}

async function compareCost(
  load: LoadProcess,
  port: number,
  { ms, rounds }: { readonly ms: number; readonly rounds: number },
): Promise<void> {
  const ways = { verified: '/webhooks/shop', unverified: '/webhooks/open' } as const;
  const run = (way: keyof typeof ways, runMs: number): Promise<LoadResult> =>
    load.run({ ...ordersTo(port, runMs), path: ways[way] });
  await run('verified', WARM_MS);
  await run('unverified', WARM_MS);
  console.log('| round | `verify: none`, per second | HMAC, per second | HMAC / none |');
  console.log('|---:|---:|---:|---:|');
  const ratios: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    // Who comes second meets a warm machine: that changes from round to round.
    const first = round % 2 === 0 ? 'verified' : 'unverified';
    const before = await run(first, ms);
    const after = await run(first === 'verified' ? 'unverified' : 'verified', ms);
    const [verified, none] = first === 'verified' ? [before, after] : [after, before];
    if (verified.refused + none.refused > 0) throw new Error('good orders were refused');
    const ratio = verified.perSecond / none.perSecond;
    ratios.push(ratio);
    console.log(`| ${round} | ${none.perSecond} | ${verified.perSecond} | ${ratio.toFixed(2)} |`);
  }
  console.log(`\nmedian ratio ${medianOf(ratios).toFixed(2)}\n`);
}

async function compareBurst(
  { load, forger }: { readonly load: LoadProcess; readonly forger: LoadProcess },
  port: number,
  { ms, rounds }: { readonly ms: number; readonly rounds: number },
): Promise<void> {
  const good = (): Promise<LoadResult> => load.run(ordersTo(port, ms, GOOD_PER_SECOND));
  const forge = (from: string): Promise<LoadResult> => forger.run(forged(port, ms, from));
  console.log(
    `| ${GOOD_PER_SECOND} good orders a second, beside | p50 ms | p99 ms | forged, refused a second |`,
  );
  console.log('|---|---:|---:|---:|');
  const tell = (beside: string, alone: LoadResult, bad?: LoadResult): void => {
    if (alone.refused > 0) throw new Error(`${alone.refused} good orders were refused`);
    if (bad !== undefined && bad.acknowledged > 0) throw new Error('a forged order was taken');
    const refused = bad === undefined ? '' : Math.round(bad.refused / (bad.tookMs / 1_000));
    console.log(`| ${beside} | ${alone.p50Ms} | ${alone.p99Ms} | ${refused} |`);
  };
  for (let round = 1; round <= rounds; round += 1) {
    tell('nothing', await good());
    tell('forged ones of another address', ...(await Promise.all([good(), forge('127.0.0.2')])));
    tell('forged ones of the same address', ...(await Promise.all([good(), forge('127.0.0.1')])));
  }
}

function forged(port: number, ms: number, localAddress: string): Load {
  const order = ordersTo(port, ms);
  const signature = Buffer.alloc(32, 1).toString('base64');
  const headers = { ...order.headers, 'x-shopify-hmac-sha256': signature };
  return { ...order, headers, localAddress, connections: FORGED_CONNECTIONS };
}
