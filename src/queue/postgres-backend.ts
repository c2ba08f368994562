// Lanes on PostgreSQL, for trying, developing and small shops: one pool for all queues and workers.
// The lanes may lose their last moments (asynchronous commit): the journal has them.

import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresConnectionOptions } from 'bullmq';
import pg from 'pg';
import { LOW_PLACE } from './fair-places.ts';
import { type LaneBackend, type LaneQueue, type LaneWorker, laneOptions } from './lane-backend.ts';
import { bullmq } from './required-packages.ts';
import { workerOptions } from './worker-options.ts';

/** Each worker keeps one connection for itself to listen on; too small a pool would wait for ever. */
const CONNECTIONS_SHARED = 8;

/**
 * BullMQ trusts a listening connection for up to an hour once keepalive is on, and then leaves its
 * pace to us: the system's own first look comes after two hours.
 */
const KEEPALIVE_IDLE_SECONDS = 10;

const session = {
  search_path: 'bullmq',
  synchronous_commit: 'off',
  // The server lets go of a worker that vanished.
  tcp_keepalives_idle: KEEPALIVE_IDLE_SECONDS,
  tcp_keepalives_interval: 5,
  tcp_keepalives_count: 3,
} as const;

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
    keepAliveInitialDelayMillis: KEEPALIVE_IDLE_SECONDS * 1_000,
    options: Object.entries(session)
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(' '),
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
      new bullmq.Queue(
        lane,
        { connection, defaultJobOptions: jobOptions },
        bullmq.createPostgresBackend,
      ) as unknown as LaneQueue,
    createWorker: (lane, limits, process) =>
      new bullmq.Worker(
        lane,
        process,
        { ...workerOptions(limits), connection },
        createPatientBackend,
      ) as unknown as LaneWorker,
    // The pool is bounded and gives up by itself: nothing piles up behind it.
    isReachable: () => true,
    async findHeld(lane, jobIds) {
      const { rows } = await pool.query<{ id: string }>(FIND_HELD, [lane, jobIds]);
      return new Set(rows.map((row) => row.id));
    },
    countWorkers: (queue) => queue.getWorkersCount(),
    async headPriority(lane, from) {
      const values = [lane, from, LOW_PLACE];
      const { rows } = await pool.query<{ priority: number | null }>(HEAD_PRIORITY, values);
      return rows[0]?.priority ?? 0;
    },
    async ping() {
      await pool.query('SELECT 1');
    },
    close: () => pool.end(),
  };
}

/** BullMQ's own table, by its key. */
const FIND_HELD = `SELECT id FROM bullmq.job
  WHERE queue = $1 AND id = ANY($2::text[]) AND state NOT IN ('completed', 'failed')`;

const lowestPriority = (range: string): string => `(SELECT priority FROM bullmq.job
  WHERE queue = $1 AND state = 'waiting' AND ${range} ORDER BY priority, seq LIMIT 1)`;

const HEAD_PRIORITY = `SELECT coalesce(${lowestPriority('priority >= $2 AND priority < $3')},
  ${lowestPriority('priority > 0')}) AS priority`;

/** How often a worker of a lane that is at its limit looks whether it still is. */
const MAXED_LOOK_MS = 200;

/**
 * BullMQ wakes a worker whenever a job waits, also where the lane is at its limit over all
 * processes: a worker with a free place would ask again and again without a pause.
 */
const createPatientBackend: typeof bullmq.createPostgresBackend = (...given) => {
  const backend = bullmq.createPostgresBackend(...given);
  const waitForJob = backend.waitForJob.bind(backend);
  backend.waitForJob = async (seconds) => {
    if (!(await backend.isMaxed())) return waitForJob(seconds);
    await sleep(MAXED_LOOK_MS);
    return null;
  };
  return backend;
};

async function migrate(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await bullmq.runMigrations(client);
  } finally {
    client.release();
  }
}
