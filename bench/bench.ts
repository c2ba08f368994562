// `npm run bench`: what the hub does on this machine, beside bare Express and bare BullMQ in the
// same run. Prints a table and, with --json FILE, writes the figures with versions and machine.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createLog } from '../src/config/log.ts';
import { startEmbeddedPostgres } from '../src/journal/embedded-postgres.ts';
import { measureBareBullmq } from './bare-bullmq.ts';
import { createBenchProject, type HubUnderTest, removeBenchProject } from './hub-under-test.ts';
import { type BenchRedis, startBenchRedis } from './redis.ts';
import { describeMachine, type Figures, printRatios, printTable, type RatioRow } from './report.ts';
import { type LoadProcess, ordersTo, startLoadProcess } from './start-load.ts';
import { compareVerification } from './verification.ts';
import { withHub } from './with-hub.ts';

const help = `npm run bench -- [options]
  --seconds N     how long each load lasts (default 10)
  --redis-rate N  orders offered a second, end to end on Redis (default 1000)
  --pg-rate N     the same on the embedded PostgreSQL alone (default 400)
  --json FILE     also writes the figures as JSON
  --verification  intake only: a connector that verifies beside one that does not, in turns; then
                  good orders beside forged ones
  --against DIR   end to end only: this checkout and another, built one, in turns
  --rounds N      how many turns each of the last two (default 3)
Redis is measured where redis-server is installed.`;

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    'redis-rate': { type: 'string', default: '1000' },
    'pg-rate': { type: 'string', default: '400' },
    json: { type: 'string' },
    verification: { type: 'boolean', default: false },
    against: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) {
  console.log(help);
} else if (options.verification) {
  await compareVerification({
    ms: Number(options.seconds) * 1_000,
    rounds: Number(options.rounds),
  });
} else if (options.against !== undefined) {
  await compare(options.against);
} else {
  await main();
}

/** Turn by turn, so that what else the machine does meets both alike. */
async function compare(folder: string): Promise<void> {
  const load = await startLoadProcess();
  const redis = await startBenchRedis();
  const other = join(resolve(folder), 'dist/src/cli/crossdock.js');
  const rows: RatioRow[] = [];
  try {
    for (const store of redis === undefined ? [undefined] : [redis, undefined]) {
      for (let round = 1; round <= Number(options.rounds); round += 1) {
        const row = await compareOnce(load, store, { other, round });
        rows.push(row);
        console.error(`  ${row.store}, round ${round}: ${row.theirs}/s there, ${row.ours}/s here`);
      }
    }
  } finally {
    load.child.send('end');
    await redis?.stop();
  }
  printRatios(rows);
}

async function compareOnce(
  load: LoadProcess,
  redis: BenchRedis | undefined,
  { other, round }: { readonly other: string; readonly round: number },
): Promise<RatioRow> {
  const measure = async (program: string | undefined): Promise<number> => {
    const ms = Number(options.seconds) * 1_000;
    return (await measureEndToEnd(load, ms, { redis, program })).perSecond;
  };
  // Who comes second meets a warm machine: that changes from round to round.
  const oursFirst = round % 2 === 0 ? await measure(undefined) : undefined;
  const theirs = await measure(other);
  const ours = oursFirst ?? (await measure(undefined));
  return { store: storeName(redis), round, theirs, ours };
}

async function main(): Promise<void> {
  const ms = Number(options.seconds) * 1_000;
  const load = await startLoadProcess();
  const redis = await startBenchRedis();
  if (redis === undefined) console.error('no redis-server: apt-get install -y redis-server');
  const figures: Figures[] = [];
  const keep = (figure: Figures): void => {
    figures.push(figure);
    console.error(`  ${figure.what}: ${figure.perSecond}/s`);
  };
  try {
    console.error(`measuring, ${options.seconds} s a load`);
    keep(await measureExpress(load, ms));
    for (const store of redis === undefined ? [undefined] : [redis, undefined]) {
      keep(await measureIntake(load, ms, store));
      keep(await measureEndToEnd(load, ms, { redis: store }));
      for (const figure of await measureBullmq(store)) keep(figure);
    }
  } finally {
    load.child.send('end');
    await redis?.stop();
  }
  const machine = describeMachine();
  printTable(machine, figures);
  if (options.json !== undefined) {
    await writeFile(options.json, `${JSON.stringify({ machine, figures }, null, 2)}\n`);
  }
}

async function measureExpress(load: LoadProcess, ms: number): Promise<Figures> {
  const child = fork(fileURLToPath(new URL('./bare-express.js', import.meta.url)));
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  await load.run(ordersTo(port, 1_000));
  const result = await load.run(ordersTo(port, ms));
  child.kill();
  return { what: 'bare Express, raw body', store: '-', ...result };
}

async function measureIntake(
  load: LoadProcess,
  ms: number,
  redis: BenchRedis | undefined,
): Promise<Figures> {
  return withHub({ load, redis, role: 'intake' }, async (hub) => {
    await load.run(ordersTo(hub.port, 1_000));
    const result = await load.run(ordersTo(hub.port, ms));
    return {
      what: 'intake, committed and scheduled',
      store: storeName(redis),
      ...result,
      largestMb: hub.largestMb(),
      readyMs: hub.readyMs,
    };
  });
}

/** Offers a steady rate and counts from the first request to the last recorded delivery. */
async function measureEndToEnd(
  load: LoadProcess,
  ms: number,
  { redis, program }: { redis: BenchRedis | undefined; program?: string | undefined },
): Promise<Figures> {
  const rate = Number(redis === undefined ? options['pg-rate'] : options['redis-rate']);
  const version = program === undefined ? {} : { program };
  return withHub({ load, redis, role: 'all', ...version }, async (hub) => {
    await load.run(ordersTo(hub.port, 2_000, Math.round(rate / 2)));
    await sleep(1_000);
    const before = await hub.delivered();
    const startedMs = performance.now();
    const result = await load.run(ordersTo(hub.port, ms, rate));
    const delivered = await waitDelivered(hub, before + result.acknowledged);
    const tookMs = performance.now() - startedMs;
    return {
      what: `end to end, offered ${rate}/s`,
      store: storeName(redis),
      ...result,
      perSecond: Math.round((delivered - before) / (tookMs / 1_000)),
      drainMs: Math.round(tookMs - result.tookMs),
      largestMb: hub.largestMb(),
      readyMs: hub.readyMs,
    };
  });
}

async function waitDelivered(hub: HubUnderTest, wanted: number): Promise<number> {
  const endMs = Date.now() + 120_000;
  for (;;) {
    const delivered = await hub.delivered();
    if (delivered >= wanted || Date.now() > endMs) return delivered;
    await sleep(50);
  }
}

async function measureBullmq(redis: BenchRedis | undefined): Promise<readonly Figures[]> {
  const result = await (redis === undefined
    ? withPostgres((postgresUrl) => measureBareBullmq({ postgresUrl }, 3_000))
    : measureBareBullmq({ redisUrl: redis.url }, 20_000));
  const store = storeName(redis);
  return [
    { what: 'bare BullMQ, add', store, perSecond: result.addPerSecond },
    { what: 'bare BullMQ, process', store, perSecond: result.processPerSecond },
  ];
}

async function withPostgres<T>(work: (url: string) => Promise<T>): Promise<T> {
  const folder = await createBenchProject({});
  const log = createLog({ level: 'silent' });
  const server = await startEmbeddedPostgres({ dataFolder: folder, log });
  try {
    return await work(server.url);
  } finally {
    await server.close();
    await removeBenchProject(folder);
  }
}

function storeName(redis: BenchRedis | undefined): string {
  return redis === undefined ? 'PostgreSQL' : 'Redis';
}
