// One rig: stores, fault proxies where a scenario needs them, hub processes in roles, two stand-in targets and a producer.
// Each scenario has one of its own. It owns what it starts and leaves nothing running.

import { chmod, mkdir, mkdtemp } from 'node:fs/promises';
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
  /** @default 1 */
  readonly intakes?: number;
  /** @default 2 */
  readonly deliveries?: number;
  /** A PostgreSQL of its own, which the scenario may break. @default false */
  readonly ownPostgres?: boolean;
  /** Settings of that server. */
  readonly postgresSettings?: Readonly<Record<string, string>>;
  /** Makes the place where that server keeps its data. */
  readonly postgresFolder?: (
    rigFolder: string,
    onClose: (close: () => Promise<unknown>) => void,
  ) => Promise<string>;
  /** @default everysec */
  readonly fsync?: FsyncPolicy;
  /** The hub reaches Redis through a proxy that can swallow everything. @default false */
  readonly redisProxy?: boolean;
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
  /** Makes one more, which is not started; it is stopped with the rig. */
  addHub(name: string, role: HubRole): Promise<Hub>;
  of(role: HubRole): readonly Hub[];
  /** Throws unless the scenario wished for a PostgreSQL of its own. */
  readonly postgres: PrivateServer;
  readonly databaseUrl: string;
  /** Absent where the lanes are on PostgreSQL. */
  readonly redis: RigRedis | undefined;
  readonly proxies: {
    /** Absent unless the scenario wished for it and the lanes are on Redis. */
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
}

export interface RigOptions {
  readonly name: string;
  readonly lanes: LaneStore;
  readonly wishes: RigWishes;
  /** Of the server for scenarios that do not break PostgreSQL. */
  readonly sharedPostgresUrl: string;
  /** What was opened, for whoever has to end before the rig is whole. */
  readonly closers: Closers;
}

/** Last opened, first closed. */
export type Closers = (() => Promise<unknown>)[];

export async function closeAll(closers: Closers): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

/** Four processes with two pools each, and the rigs that run side by side. */
export const sharedPostgresSettings = { max_connections: '600' };
const ownPostgresSettings = { max_connections: '200' };

export async function startRig(options: RigOptions): Promise<Rig> {
  const { name, lanes, wishes, sharedPostgresUrl, closers } = options;
  const folder = await mkdtemp(join(tmpdir(), `crossdock-chaos-${name}-`));
  // For a server that is run by root's deputy.
  await chmod(folder, 0o711);
  const keep = <T extends { close(): Promise<unknown> }>(one: T): T => {
    closers.push(() => one.close());
    return one;
  };
  const [erp, crm, other] = [
    keep(await startTarget('erp')),
    keep(await startTarget('crm')),
    keep(await startTarget('other')),
  ];
  const ownPostgres =
    wishes.ownPostgres === true ? await startOwnPostgres(wishes, folder, closers) : undefined;
  const databaseUrl = await createDatabase(ownPostgres?.url ?? sharedPostgresUrl, name);
  const redis = lanes === 'redis' ? await startOwnRedis(folder, wishes, closers) : undefined;
  const proxies = {
    redis:
      redis === undefined || wishes.redisProxy !== true
        ? undefined
        : keep(await startFaultProxy(redis.port)),
    erp: keep(await startFaultProxy(erp.port)),
  };
  const ports = { erp: proxies.erp.port, crm: crm.port, other: other.port };
  const projectFolder = join(folder, 'project');
  await writeProject(projectFolder, { ...projectFiles(ports), ...wishes.files?.(ports) });

  const variables = {
    DATABASE_URL: databaseUrl,
    ...(redis === undefined
      ? {}
      : { REDIS_URL: `redis://:${redisPassword}@127.0.0.1:${(proxies.redis ?? redis).port}` }),
  };
  const common = {
    logFolder: folder,
    start: { folder: projectFolder, program: hubProgram, variables },
  };
  const hubs = await createHubs(wishes, common);
  closers.push(() => Promise.all(hubs.map((hub) => hub.stop())));
  const intakes = hubs.filter((hub) => hub.role === 'intake');
  let turn = 0;
  const nextIntake = (): string => {
    turn += 1;
    return intakes[turn % intakes.length]?.url ?? '';
  };
  const notes: string[] = [];
  return {
    ...{ lanes, folder, projectFolder, hubs, databaseUrl, redis, proxies },
    ...{ erp, crm, other, ports, notes },
    get postgres() {
      if (ownPostgres === undefined) throw new Error('this fault needs its own PostgreSQL');
      return ownPostgres;
    },
    of: (role) => hubs.filter((hub) => hub.role === role),
    producer: createProducer(nextIntake),
    note(text) {
      notes.push(`${new Date().toISOString()} ${text}`);
    },
    async addHub(hubName, role) {
      const hub = await createHub({ name: hubName, role, ...common });
      closers.push(() => hub.stop());
      return hub;
    },
  };
}

async function startOwnPostgres(
  wishes: RigWishes,
  folder: string,
  closers: Closers,
): Promise<PrivateServer> {
  const dataFolder = await wishes.postgresFolder?.(folder, (close) => closers.push(close));
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
  closers: Closers,
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

async function createHubs(
  wishes: RigWishes,
  common: Pick<Parameters<typeof createHub>[0], 'logFolder' | 'start'>,
): Promise<readonly Hub[]> {
  await mkdir(common.logFolder, { recursive: true });
  const roles: readonly HubRole[] = [
    ...Array.from({ length: wishes.intakes ?? 1 }, () => 'intake' as const),
    ...Array.from({ length: wishes.deliveries ?? 2 }, () => 'delivery' as const),
  ];
  return Promise.all(
    roles.map((role, index) => createHub({ name: `${role}-${index + 1}`, role, ...common })),
  );
}
