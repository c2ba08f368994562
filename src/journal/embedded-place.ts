// Where the cluster lies and as whom its server runs. An ordinary user keeps it in the data
// folder. Root cannot run PostgreSQL, so an unprivileged system user does it for root, and what
// that user cannot reach is placed in a system folder, with a note in the data folder.
import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, realpath, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Log } from '../model/log.ts';
import { type Binaries, copyBinaries } from './embedded-binaries.ts';
import { isErrno, readIfPresent } from './embedded-files.ts';
import { type ServerUser, serverFailed } from './embedded-program.ts';

export interface Place {
  readonly dataFolder: string;
  /** PGDATA. */
  readonly cluster: string;
  /** Whether the cluster had to be placed outside of the data folder. */
  readonly relocated: boolean;
  readonly binaries: Binaries;
  /** Absent when the server runs as the hub's own user. */
  readonly user: ServerUser | undefined;
}

/** What `choosePlace` reads of the options of the embedded server. */
export interface PlaceOptions {
  readonly dataFolder: string;
  readonly systemFolder?: string;
  readonly log: Log;
}

const DEFAULT_SYSTEM_FOLDER = '/var/lib/crossdock';
const systemUserNames = ['postgres', 'nobody'] as const;
const READ = 4;
const PASS = 1;

/** The file in the data folder that names the cluster's folder when that is elsewhere. */
export function locationNote(dataFolder: string): string {
  return join(dataFolder, 'postgres-location');
}

export async function choosePlace(options: PlaceOptions, binaries: Binaries): Promise<Place> {
  const isRoot = process.getuid?.() === 0;
  await mkdir(options.dataFolder, { recursive: true, mode: isRoot ? 0o711 : 0o700 });
  const dataFolder = await realpath(options.dataFolder);
  const noted = (await readIfPresent(locationNote(dataFolder)))?.trim();
  const cluster = noted ?? join(dataFolder, 'postgres');
  const owner = await ownerOf(cluster);
  if (noted !== undefined && owner === undefined) {
    const advice = `restore it, or remove ${locationNote(dataFolder)} to begin with an empty journal`;
    throw serverFailed(`the data should be in ${cluster} and are not there: ${advice}`);
  }
  const found = { dataFolder, cluster, relocated: noted !== undefined, owner };
  if (isRoot) return placeForRoot(found, binaries, options);
  refuseForeignCluster(found);
  return { ...found, binaries, user: undefined };
}

interface Found {
  readonly dataFolder: string;
  readonly cluster: string;
  readonly relocated: boolean;
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
}

function refuseForeignCluster({ cluster, dataFolder, owner }: Found): void {
  const uid = process.getuid?.();
  if (uid === undefined || owner === undefined || owner.uid === uid) return;
  throw serverFailed(
    `the data in ${cluster} belong to another user (uid ${owner.uid}; root lets one of its own ` +
      'run the server): run the hub as root as before, ' +
      `or stop it and hand the data over with "chown -R ${uid} ${dataFolder} ${cluster}"`,
  );
}

async function placeForRoot(
  found: Found,
  binaries: Binaries,
  options: PlaceOptions,
): Promise<Place> {
  const user = await serverUser(found);
  const reachesData = await canUse(user, dirname(found.cluster), PASS);
  if (found.owner !== undefined && !reachesData) {
    const advice = `let it pass through the folders above (chmod o+x)`;
    throw serverFailed(`user ${user.name} cannot reach its data in ${found.cluster}: ${advice}`);
  }
  const reachesPrograms = await canUseBinaries(user, binaries);
  if (reachesData && reachesPrograms) return { ...found, binaries, user };
  const base = await systemFolder(user, options.systemFolder ?? DEFAULT_SYSTEM_FOLDER);
  const copied = reachesPrograms ? binaries : await copyBinaries(binaries, base);
  if (reachesData) return { ...found, binaries: copied, user };
  const hash = createHash('sha256').update(found.dataFolder).digest('hex').slice(0, 16);
  const cluster = join(await openFolder(join(base, 'clusters')), hash);
  options.log.info(
    { cluster, user: user.name },
    `root cannot run PostgreSQL and user ${user.name} cannot reach ${found.dataFolder}: the data are in ${cluster}`,
  );
  return { dataFolder: found.dataFolder, cluster, relocated: true, binaries: copied, user };
}

/** An existing cluster is served by whoever owns it. */
async function serverUser(found: Found): Promise<ServerUser> {
  const users = parsePasswd((await readIfPresent('/etc/passwd')) ?? '');
  if (found.owner !== undefined) {
    const { uid, gid } = found.owner;
    if (uid === 0) throw serverFailed(`${found.cluster} belongs to root, which cannot serve it`);
    return { uid, gid, name: users.find((user) => user.uid === uid)?.name ?? `uid ${uid}` };
  }
  for (const name of systemUserNames) {
    const user = users.find((candidate) => candidate.name === name && candidate.uid !== 0);
    if (user !== undefined) return user;
  }
  throw serverFailed(
    `root cannot run PostgreSQL and there is no user ${systemUserNames.join(' or ')}: ` +
      'run the hub as an ordinary user',
  );
}

function parsePasswd(text: string): ServerUser[] {
  return text.split('\n').flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    if (name === undefined || uid === undefined || gid === undefined) return [];
    return [{ name, uid: Number(uid), gid: Number(gid) }];
  });
}

async function canUseBinaries(user: ServerUser, binaries: Binaries): Promise<boolean> {
  const share = join(binaries.folder, 'share', 'postgresql', 'postgres.bki');
  return (
    (await canUse(user, binaries.postgres, READ | PASS)) &&
    (await canUse(user, binaries.initdb, READ | PASS)) &&
    (await canUse(user, share, READ))
  );
}

/** Whether `user` may use `path` in the way `bits` says and pass all the folders above it. */
async function canUse(user: ServerUser, path: string, bits: number): Promise<boolean> {
  let current = await realpath(path);
  let needed = bits;
  for (;;) {
    const { mode, uid, gid } = await stat(current);
    const shift = uid === user.uid ? 6 : gid === user.gid ? 3 : 0;
    if (((mode >> shift) & needed) !== needed) return false;
    const parent = dirname(current);
    if (parent === current) return true;
    current = parent;
    needed = PASS;
  }
}

/** The first folder that root alone can change and `user` can reach. */
async function systemFolder(user: ServerUser, preferred: string): Promise<string> {
  const tried: string[] = [];
  for (const folder of [preferred, join(tmpdir(), 'crossdock')]) {
    try {
      await openFolder(folder);
      if (await canUse(user, folder, PASS)) return await realpath(folder);
      tried.push(`${folder} cannot be reached by ${user.name}`);
    } catch (error) {
      tried.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw serverFailed(`there is no place for the data: ${tried.join('; ')}`);
}

/** Makes `folder` one that everyone may pass; refuses one that somebody else could have planted. */
async function openFolder(folder: string): Promise<string> {
  const created = await mkdir(folder, { recursive: true, mode: 0o755 });
  if (created !== undefined) await chmod(folder, 0o755);
  const found = await lstat(folder);
  if (!found.isDirectory() || found.uid !== 0 || (found.mode & 0o022) !== 0) {
    throw new Error(`${folder} can be changed by others than root`);
  }
  return folder;
}

async function ownerOf(cluster: string): Promise<{ uid: number; gid: number } | undefined> {
  try {
    const { uid, gid } = await stat(cluster);
    return { uid, gid };
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw serverFailed(`the data in ${cluster} cannot be reached`, error);
  }
}
