// One rig: stores behind fault proxies, hub processes in roles, two stand-in targets and a producer.
// Each scenario has one of its own. It owns what it starts and leaves nothing running.

import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PrivateServer, startPrivateServer } from '../test/support/test-journal-server.ts';
import { redisPassword } from './canaries.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { createHub, type Hub, type HubRole, hubProgram } from './fleet.ts';
import { queryJournal } from './journal-dump.ts';
import { createProducer, type Producer } from './producer.ts';
import { type ProjectFiles, projectFiles, writeProject } from './project.ts';
import { quietPort } from './quiet-port.ts';
import { type FsyncPolicy, type RigRedis, startRigRedis } from './rig-redis.ts';
import { startTarget, type Target } from './target.ts';

export type LaneStore = 'redis' | 'postgres';

/** What a scenario wants to be different from the usual rig. */
export interface RigWishes {
  /** @default 2 */
  readonly intakes?: number;
  /** @default 2 */
  readonly deliveries?: number;
  /** A PostgreSQL of its own, which the scenario may break. @default false */
  readonly ownPostgres?: boolean;
  /** Settings of that server. */
  readonly postgresSettings?: Readonly<Record<string, string>>;
  /** Where that server keeps its data. */
  readonly postgresFolder?: (rigFolder: string) => string;
  /** @default everysec */
  readonly fsync?: FsyncPolicy;
  /** More project files, or others in place of the usual ones. */
  readonly files?: (ports: RigPorts) => ProjectFiles;
}

export interface RigPorts {
  readonly erp: number;
  readonly crm: number;
  /** Of a third system, which most scenarios never call. */
  readonly other: number;
}

export interface Rig {
  readonly lanes: LaneStore;
  /** Logs, files and evidence of this rig. */
  readonly folder: string;
  readonly projectFolder: string;
  readonly hubs: readonly Hub[];
  of(role: HubRole): readonly Hub[];
  readonly postgres: PrivateServer;
  /** Of this rig's database, without a proxy between. */
  readonly databaseUrl: string;
  /** Absent where the lanes are on PostgreSQL. */
  readonly redis: RigRedis | undefined;
  readonly proxies: {
    readonly postgres: FaultProxy;
    readonly redis: FaultProxy | undefined;
    readonly erp: FaultProxy;
  };
  readonly erp: Target;
  readonly crm: Target;
  readonly other: Target;
  readonly producer: Producer;
  readonly ports: RigPorts;
  /** A line for the run's own log. */
  note(text: string): void;
  readonly notes: readonly string[];
  /** Also closes what the scenario opened: last opened, first closed. */
  onClose(close: () => Promise<unknown>): void;
  close(): Promise<void>;
}

export interface RigOptions {
  readonly name: string;
  readonly lanes: LaneStore;
  readonly wishes: RigWishes;
  /** For scenarios that do not break PostgreSQL. */
  readonly sharedPostgres: PrivateServer;
}

/** Four processes with two pools each, and the rigs that run side by side. */
export const sharedPostgresSettings = { max_connections: '600' };
const ownPostgresSettings = { max_connections: '200' };

export async function startRig(options: RigOptions): Promise<Rig> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const one of closers.splice(0).reverse()) await one();
  };
  try {
    return await buildRig(options, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function buildRig(
  { name, lanes, wishes, sharedPostgres }: RigOptions,
  closers: (() => Promise<unknown>)[],
  close: () => Promise<void>,
): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), `crossdock-chaos-${name}-`));
  const keep = <T extends { close(): Promise<unknown> }>(one: T): T => {
    closers.push(() => one.close());
    return one;
  };
  const [erp, crm, other] = [
    keep(await startTarget('erp')),
    keep(await startTarget('crm')),
    keep(await startTarget('other')),
  ];
  const postgres =
    wishes.ownPostgres === true ? await startOwnPostgres(wishes, folder, closers) : sharedPostgres;
  const databaseUrl = await createDatabase(postgres.url, name);
  const redis = lanes === 'redis' ? await startOwnRedis(folder, wishes, closers) : undefined;
  const proxies = {
    postgres: keep(await startFaultProxy(Number(new URL(databaseUrl).port))),
    redis: redis === undefined ? undefined : keep(await startFaultProxy(redis.port)),
    erp: keep(await startFaultProxy(erp.port)),
  };
  const ports = { erp: proxies.erp.port, crm: crm.port, other: other.port };
  const projectFolder = join(folder, 'project');
  await writeProject(projectFolder, { ...projectFiles(ports), ...wishes.files?.(ports) });

  const variables = {
    DATABASE_URL: throughProxy(databaseUrl, proxies.postgres),
    ...(proxies.redis === undefined
      ? {}
      : { REDIS_URL: `redis://:${redisPassword}@127.0.0.1:${proxies.redis.port}` }),
  };
  const hubs = await createHubs(wishes, {
    logFolder: folder,
    start: { folder: projectFolder, program: hubProgram, variables },
  });
  closers.push(() => Promise.all(hubs.map((hub) => hub.stop())));
  const intakes = hubs.filter((hub) => hub.role === 'intake');
  let turn = 0;
  const nextIntake = (): string => {
    turn += 1;
    return intakes[turn % intakes.length]?.url ?? '';
  };
  const notes: string[] = [];
  return {
    ...{ lanes, folder, projectFolder, hubs, postgres, databaseUrl, redis, proxies },
    ...{ erp, crm, other, ports, notes, close },
    of: (role) => hubs.filter((hub) => hub.role === role),
    producer: createProducer(nextIntake),
    note(text) {
      notes.push(`${new Date().toISOString()} ${text}`);
    },
    onClose(one) {
      closers.push(one);
    },
  };
}

async function startOwnPostgres(
  wishes: RigWishes,
  folder: string,
  closers: (() => Promise<unknown>)[],
): Promise<PrivateServer> {
  const dataFolder = wishes.postgresFolder?.(folder);
  const server = await startPrivateServer(
    { ...ownPostgresSettings, ...wishes.postgresSettings },
    { port: await quietPort(), ...(dataFolder === undefined ? {} : { dataFolder }) },
  );
  closers.push(() => server.stop());
  return server;
}

async function startOwnRedis(
  folder: string,
  wishes: RigWishes,
  closers: (() => Promise<unknown>)[],
): Promise<RigRedis> {
  const redis = await startRigRedis(join(folder, 'redis'), wishes.fsync ?? 'everysec');
  if (redis === undefined) throw new Error('redis-server is not installed');
  closers.push(() => redis.stop());
  return redis;
}

async function createDatabase(serverUrl: string, name: string): Promise<string> {
  const suffix = Math.random().toString(36).slice(2, 8);
  const database = `chaos_${name.toLowerCase().replace(/[^a-z0-9]/g, '_')}_${suffix}`;
  await queryJournal(serverUrl, `CREATE DATABASE ${database}`);
  return serverUrl.replace(/[^/]+$/, database);
}

function throughProxy(url: string, proxy: FaultProxy): string {
  const proxied = new URL(url);
  proxied.port = String(proxy.port);
  return proxied.href;
}

async function createHubs(
  wishes: RigWishes,
  common: Pick<Parameters<typeof createHub>[0], 'logFolder' | 'start'>,
): Promise<readonly Hub[]> {
  await mkdir(common.logFolder, { recursive: true });
  const roles: readonly HubRole[] = [
    ...Array.from({ length: wishes.intakes ?? 2 }, () => 'intake' as const),
    ...Array.from({ length: wishes.deliveries ?? 2 }, () => 'delivery' as const),
  ];
  return Promise.all(
    roles.map((role, index) => createHub({ name: `${role}-${index + 1}`, role, ...common })),
  );
}
