// The composition root: the only file that knows every adapter, and chooses between them.

import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { readAdminToken } from './config/admin-token.ts';
import type { Environment } from './config/environment.ts';
import { packageRoot } from './config/package-root.ts';
import type { Definitions } from './definitions/definitions.ts';
import { createRoutes } from './definitions/routes.ts';
import { startClockGuard } from './delivery/clock-guard.ts';
import { type Controls, createControls } from './delivery/controls.ts';
import { pausableOf } from './delivery/pausable.ts';
import { createReplayControls, type ReplayControls } from './delivery/replays.ts';
import { createApp } from './http/app.ts';
import { createMetrics } from './http/metrics.ts';
import { listen } from './http/server.ts';
import { startEmbeddedPostgres } from './journal/embedded-postgres.ts';
import type { Journal } from './journal/journal.ts';
import type { Pollers } from './journal/pollers-port.ts';
import {
  migrateJournal,
  openPostgresJournal,
  type PostgresJournal,
} from './journal/postgres-journal.ts';
import type { Problems } from './journal/problems-port.ts';
import type { Quarantine } from './journal/quarantine-port.ts';
import type { SecretUses } from './journal/secret-uses-port.ts';
import { callable } from './live-connectors.ts';
import { loadProject } from './load-project.ts';
import { CrossdockError } from './model/errors.ts';
import type { Log } from './model/log.ts';
import { type Meter, silentMeter } from './model/meter.ts';
import { formatProblem } from './model/problem.ts';
import { createBoard } from './queue/board.ts';
import { type BullmqLanes, createBullmqLanes } from './queue/bullmq-lanes.ts';
import type { Lanes } from './queue/lanes.ts';
import { createPostgresLaneBackend } from './queue/postgres-backend.ts';
import { createRedisBackend } from './queue/redis-backend.ts';
import { startDelivery } from './start-delivery.ts';
import { startIntake } from './start-intake.ts';

export type Role = 'all' | 'intake' | 'delivery';

export interface HubOptions {
  readonly environment: Environment;
  readonly role: Role;
  readonly log: Log;
  /** Accepted in the place of keys that vendors publish: for trying out. @default none */
  readonly devKey?: KeyObject;
}

export interface Hub {
  /** Where HTTP listens, without a slash at the end. */
  readonly url: string;
  readonly backend: 'redis' | 'postgres';
  /** Present when the admin token was made just now: shown once. */
  readonly newAdminToken?: string;
  readonly operations: Omit<Operations, 'close'>;
  /** Hands work back and ends within 10 s. A second call is the first one's result. */
  close(): Promise<void>;
}

/** The journal and the lanes without HTTP and workers, for commands. */
export interface Operations {
  readonly journal: Journal;
  readonly lanes: Lanes;
  readonly controls: Controls;
  readonly problems: Problems;
  readonly replays: ReplayControls;
  readonly secretUses: SecretUses;
  readonly pollers: Pollers;
  readonly quarantine: Quarantine;
  close(): Promise<void>;
}

/** How long the parts of a hub may take to leave; together less than 10 s. */
const HTTP_GRACE_MS = 3_000;
const LANES_GRACE_MS = 6_500;

export async function startHub(options: HubOptions): Promise<Hub> {
  const { environment, role, log } = options;
  const closers: Closer[] = [];
  const closeAll = (): Promise<void> => closeInTurn(closers, log);
  try {
    const metrics = createMetrics();
    const definitions = await requireDefinitions(environment, log);
    const ground = await openGround({
      environment,
      log,
      meter: metrics.meter,
      definitions,
      closers,
    });
    const { journal, lanes } = ground;
    const operations = operationsOn(ground, log);
    const { controls } = operations;
    const routes = createRoutes(definitions);
    await journal.saveRevisions([...definitions.flows.values()].map((flow) => flow.revision));
    const { meter } = metrics;
    const clock = await startClockGuard({ journal, lanes, meter, log });
    closers.push(() => clock.close());
    const parts = { definitions, routes, journal, lanes, log, environment, meter, clock, closers };
    const stopDelivery =
      role === 'intake' ? async () => undefined : startDelivery(parts, LANES_GRACE_MS);
    const adminToken = await readAdminToken(environment);
    let closing = false;
    const { intake, release } = startIntake({ ...parts, devKey: options.devKey });
    const app = createApp({
      ...(role === 'delivery' ? {} : { intake }),
      journal,
      lanes,
      laneNames: callable(definitions).map((connector) => connector.id),
      metrics,
      board: createBoard({ queues: lanes.queues, controls, basePath: '/queues', by: 'bull-board' }),
      api: {
        ...operations,
        release,
        now: { definitions, routes },
        laneRules: new Map(callable(definitions).map(({ id, limits }) => [id, limits])),
        pausable: pausableOf(definitions),
      },
      adminToken: adminToken.token,
      trustedProxies: environment.trustedProxies,
      log,
      isClosing: () => closing,
      clock: () => clock.state(),
    });
    const server = await listen(app, environment);
    closers.push(async () => {
      await Promise.all([server.close(HTTP_GRACE_MS), stopDelivery()]);
    });
    let closed: Promise<void> | undefined;
    return {
      url: server.url,
      backend: ground.backend,
      operations,
      ...(adminToken.isNew ? { newAdminToken: adminToken.token } : {}),
      close() {
        closing = true;
        closed ??= closeAll();
        return closed;
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

export async function openOperations(options: {
  readonly environment: Environment;
  readonly log: Log;
}): Promise<Operations> {
  const { environment, log } = options;
  const closers: Closer[] = [];
  try {
    const ground = await openGround({ environment, log, meter: silentMeter, closers });
    return { ...operationsOn(ground, log), close: () => closeInTurn(closers, log) };
  } catch (error) {
    await closeInTurn(closers, log);
    throw error;
  }
}

function operationsOn({ journal, lanes }: Ground, log: Log): Omit<Operations, 'close'> {
  const { problems, replays, secretUses, pollers, quarantine } = journal;
  return {
    journal,
    lanes,
    controls: createControls({ journal, lanes, log }),
    problems,
    secretUses,
    pollers,
    quarantine,
    replays: createReplayControls({ journal, problems, replays }),
  };
}

/** Brings the journal, and the lanes where they are on PostgreSQL, to this version. */
export async function migrate(
  environment: Environment,
  log: Log,
): Promise<{ readonly applied: readonly string[] }> {
  const closers: Closer[] = [];
  const onError = (error: Error): void => log.warn({ err: error }, 'a database connection dropped');
  try {
    const url = await databaseUrl(environment, log, closers);
    const applied = await migrateJournal({ url, migrationsFolder, onError });
    if (environment.redisUrl === undefined) {
      const backend = await createPostgresLaneBackend({ url, workers: 0, onError });
      await backend.close();
    }
    return { applied };
  } finally {
    await closeInTurn(closers, log);
  }
}

const migrationsFolder = join(packageRoot, 'migrations');

type Closer = () => Promise<void>;

/** What was opened last is closed first, and one that fails does not keep the others open. */
async function closeInTurn(closers: readonly Closer[], log: Log): Promise<void> {
  for (const close of closers.toReversed()) {
    await close().catch((error: unknown) =>
      log.warn({ err: error }, 'a part did not close cleanly'),
    );
  }
}

async function requireDefinitions(environment: Environment, log: Log): Promise<Definitions> {
  const { definitions, problems } = await loadProject(environment);
  if (definitions !== undefined) {
    for (const problem of problems) log.warn({ code: problem.code }, formatProblem(problem));
    return definitions;
  }
  const errors = problems.filter((problem) => problem.severity === 'error').map(formatProblem);
  throw new CrossdockError(
    'definitions-invalid',
    `the files in ${environment.folder} have mistakes:\n${errors.join('\n')}`,
  );
}

interface Ground {
  readonly journal: PostgresJournal;
  readonly lanes: BullmqLanes;
  readonly backend: 'redis' | 'postgres';
}

async function openGround(parts: {
  readonly environment: Environment;
  readonly log: Log;
  readonly meter: Meter;
  readonly definitions?: Definitions;
  readonly closers: Closer[];
}): Promise<Ground> {
  const { environment, log, meter, definitions, closers } = parts;
  const url = await databaseUrl(environment, log, closers);
  const onError = (error: Error): void => log.warn({ err: error }, 'a database connection dropped');
  const journal = await openPostgresJournal({
    url,
    migrationsFolder,
    meter,
    onError,
    onNewer: (names) =>
      log.warn({ names }, 'a newer version has been here and only added to the journal: going on'),
  });
  closers.push(() => journal.close());
  const called = definitions === undefined ? [] : callable(definitions);
  const names = called.map((one) => one.id);
  const fairOnes = called.filter(({ limits }) => limits.fairBy !== undefined);
  const { redisUrl } = environment;
  const backend =
    redisUrl === undefined
      ? await createPostgresLaneBackend({ url, workers: names.length, onError })
      : await createRedisBackend({
          url: redisUrl,
          onError: (error) =>
            log.warn({ err: error }, 'Redis cannot be reached; the journal holds'),
        });
  const fair = new Set(fairOnes.map(({ id }) => id));
  const lanes = createBullmqLanes({ backend, names, fair, log });
  closers.push(() => lanes.close(LANES_GRACE_MS));
  return { journal, lanes, backend: backend.name };
}

async function databaseUrl(environment: Environment, log: Log, closers: Closer[]): Promise<string> {
  if (environment.databaseUrl !== undefined) return environment.databaseUrl;
  const embedded = await startEmbeddedPostgres({ dataFolder: environment.dataFolder, log });
  closers.push(() => embedded.close());
  return embedded.url;
}
