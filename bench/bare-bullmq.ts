// What BullMQ alone does: add jobs of a few ids, and process them with an empty function. On Redis
// or on PostgreSQL, at the concurrency that the hub is measured with.

import {
  createPostgresBackend,
  type PostgresConnectionOptions,
  Queue,
  runMigrations,
  Worker,
} from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';

export interface BareBullmq {
  readonly addPerSecond: number;
  readonly processPerSecond: number;
}

const CONCURRENCY = 64;
const IN_FLIGHT = 64;

export async function measureBareBullmq(
  store: { readonly redisUrl: string } | { readonly postgresUrl: string },
  count: number,
): Promise<BareBullmq> {
  return 'redisUrl' in store
    ? onRedis(store.redisUrl, count)
    : onPostgres(store.postgresUrl, count);
}

async function onRedis(url: string, count: number): Promise<BareBullmq> {
  const connection = new Redis(url, { maxRetriesPerRequest: null });
  const options = { connection, prefix: 'bare' };
  const result = await measure(
    new Queue('bare', options),
    (work) => new Worker('bare', work, { ...options, concurrency: CONCURRENCY, autorun: false }),
    count,
  );
  connection.disconnect();
  return result;
}

async function onPostgres(url: string, count: number): Promise<BareBullmq> {
  const pool = new pg.Pool({
    connectionString: url,
    max: 12,
    options: '-c search_path=bullmq -c synchronous_commit=off',
  });
  const client = await pool.connect();
  await runMigrations(client);
  client.release();
  const connection = pool as unknown as PostgresConnectionOptions;
  const result = await measure(
    new Queue('bare', { connection }, createPostgresBackend) as unknown as Queue,
    (work) =>
      new Worker(
        'bare',
        work,
        { connection, concurrency: CONCURRENCY, autorun: false },
        createPostgresBackend,
      ) as unknown as Worker,
    count,
  );
  await pool.end();
  return result;
}

async function measure(
  queue: Queue,
  createWorker: (work: () => Promise<void>) => Worker,
  count: number,
): Promise<BareBullmq> {
  const addStartedMs = performance.now();
  let added = 0;
  const addNext = async (): Promise<void> => {
    while (added < count) {
      added += 1;
      await queue.add('order-to-erp', { delivery: String(added), event: String(added) });
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, addNext));
  const addMs = performance.now() - addStartedMs;

  let processed = 0;
  const startedMs = performance.now();
  const processMs = await new Promise<number>((resolve) => {
    const worker = createWorker(async () => {
      processed += 1;
    });
    worker.on('completed', () => {
      if (processed < count) return;
      resolve(performance.now() - startedMs);
      void worker.close();
    });
    void worker.run();
  });
  await queue.obliterate({ force: true });
  await queue.close();
  return {
    addPerSecond: Math.round(count / (addMs / 1_000)),
    processPerSecond: Math.round(count / (processMs / 1_000)),
  };
}
