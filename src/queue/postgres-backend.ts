// Lanes on PostgreSQL, for trying, developing and small shops: one pool for all queues and workers.
// The lanes may lose their last moments (asynchronous commit): the journal has them.

import {
  createPostgresBackend,
  type PostgresConnectionOptions,
  Queue,
  runMigrations,
  Worker,
} from 'bullmq';
import pg from 'pg';
import { type LaneBackend, type LaneQueue, type LaneWorker, laneOptions } from './lane-backend.ts';
import { workerOptions } from './worker-options.ts';

/** Each worker keeps one connection for itself to listen on; too small a pool would wait for ever. */
const CONNECTIONS_SHARED = 8;

/**
 * What is done leaves at once, and what failed leaves by its age: keeping a number of jobs makes
 * each that ends delete the oldest, and many that end together lock each other out.
 */
const jobOptions = {
  ...laneOptions.job,
  removeOnComplete: true,
  removeOnFail: { age: laneOptions.job.removeOnFail.age },
};

export async function createPostgresLaneBackend(options: {
  readonly url: string;
  /** How many lanes will have a worker in this process. */
  readonly workers: number;
  onError(error: Error): void;
}): Promise<LaneBackend> {
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: 'crossdock-lanes',
    max: options.workers + CONNECTIONS_SHARED,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    options: '-c search_path=bullmq -c synchronous_commit=off',
  });
  // BullMQ describes a pool by a type of its own.
  const connection = pool as unknown as PostgresConnectionOptions;
  pool.on('error', options.onError);
  try {
    await migrate(pool);
  } catch (error) {
    await pool.end();
    throw error;
  }
  return {
    name: 'postgres',
    createQueue: (lane) =>
      new Queue(
        lane,
        { connection, defaultJobOptions: jobOptions },
        createPostgresBackend,
      ) as unknown as LaneQueue,
    createWorker: (lane, limits, process) =>
      new Worker(
        lane,
        process,
        { ...workerOptions(limits), connection },
        createPostgresBackend,
      ) as unknown as LaneWorker,
    // The pool is bounded and gives up by itself: nothing piles up behind it.
    isReachable: () => true,
    async ping() {
      await pool.query('SELECT 1');
    },
    close: () => pool.end(),
  };
}

async function migrate(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await runMigrations(client);
  } finally {
    client.release();
  }
}
