// The cluster's first day: its password, initdb, the role and the database. Made beside its goal
// and renamed as the last step, so that a kill at any moment leaves either nothing or a whole
// cluster, and of two hubs that make one at once the slower takes the other's.
import { randomBytes } from 'node:crypto';
import { chown, link, mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  isErrno,
  readIfPresent,
  removeLeftovers,
  syncFolder,
  temporaryPath,
} from './embedded-files.ts';
import { locationNote, type Place } from './embedded-place.ts';
import { runProgram, serverFailed } from './embedded-program.ts';

/** The name of the role, and of its database. */
export const ROLE = 'crossdock';

const INIT_DEADLINE_MS = 60_000;
const CLUSTER_PREFIX = 'postgres-init-';
const SMALL_FILE_PREFIX = 'postgres-write-';

/** Sees to it that there is a cluster that our programs can serve; resolves with its password. */
export async function prepareCluster(place: Place): Promise<string> {
  const version = await readIfPresent(join(place.cluster, 'PG_VERSION'));
  const password = await preparePassword(place, version !== undefined);
  if (version === undefined) await createCluster(place, password);
  else checkVersion(place, version.trim());
  await noteLocation(place);
  return password;
}

function checkVersion({ cluster, binaries }: Place, version: string): void {
  if (version === binaries.major) return;
  throw serverFailed(
    `the data in ${cluster} were written by PostgreSQL ${version}, the installed programs are ` +
      `${binaries.major}: install the ones they were written by`,
  );
}

async function preparePassword(place: Place, clusterExists: boolean): Promise<string> {
  const file = join(place.dataFolder, 'postgres-password');
  const kept = (await readIfPresent(file))?.trim();
  if (kept !== undefined) return kept;
  if (clusterExists) {
    throw serverFailed(`${file} is missing, without which ${place.cluster} cannot be opened`);
  }
  const temporary = temporaryPath(place.dataFolder, SMALL_FILE_PREFIX);
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(`${randomBytes(24).toString('hex')}\n`);
    await handle.sync();
    // Unlike a rename, a link never replaces the password of a hub that was quicker.
    await link(temporary, file).catch((error) => {
      if (!isErrno(error, 'EEXIST')) throw error;
    });
  } finally {
    await handle.close();
    await rm(temporary, { force: true });
  }
  const password = (await readIfPresent(file))?.trim();
  if (password === undefined) throw serverFailed(`${file} was removed while the server started`);
  return password;
}

async function createCluster(place: Place, password: string): Promise<void> {
  if (await isCreatedByNow(place.cluster)) return;
  const parent = dirname(place.cluster);
  await removeLeftovers(parent, CLUSTER_PREFIX);
  await removeLeftovers(place.dataFolder, SMALL_FILE_PREFIX);
  const temporary = temporaryPath(parent, CLUSTER_PREFIX);
  try {
    await mkdir(temporary, { mode: 0o700 });
    if (place.user !== undefined) await chown(temporary, place.user.uid, place.user.gid);
    await initialise(place, { folder: temporary, password });
    await moveIntoPlace(temporary, place.cluster);
    await syncFolder(parent);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/**
 * initdb's own sync to disk stays on: it costs little, and acknowledged events are worth nothing
 * after a loss of power if the catalogue around them was never written.
 */
async function initialise(
  { binaries, user }: Place,
  { folder, password }: { folder: string; password: string },
): Promise<void> {
  const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  await runProgram(
    binaries.initdb,
    ['-D', folder, '-U', 'postgres', '-A', 'reject', '--encoding=UTF8', ...locale],
    { user, timeoutMs: INIT_DEADLINE_MS },
  );
  // The superuser has no password and no way in; the hub's role can do what a hub has to.
  await writeFile(
    join(folder, 'pg_hba.conf'),
    `# Only the hub, only from this machine.\nhost all ${ROLE} 127.0.0.1/32 scram-sha-256\n`,
  );
  const quiet = ['-c', 'exit_on_error=true', '-c', 'log_min_error_statement=panic'];
  await runProgram(binaries.postgres, ['--single', '-D', folder, ...quiet, 'template1'], {
    user,
    timeoutMs: INIT_DEADLINE_MS,
    input:
      `CREATE ROLE ${ROLE} LOGIN CREATEDB CREATEROLE PASSWORD '${password}';\n` +
      `GRANT pg_monitor, pg_signal_backend TO ${ROLE};\n` +
      `CREATE DATABASE ${ROLE} OWNER ${ROLE};\n`,
  });
}

async function moveIntoPlace(temporary: string, cluster: string): Promise<void> {
  try {
    await rename(temporary, cluster);
  } catch (error) {
    if (!(await isCreatedByNow(cluster))) throw error;
  }
}

/** Whether another hub was quicker; throws when something else has the cluster's place. */
async function isCreatedByNow(cluster: string): Promise<boolean> {
  const names = await readdir(cluster).catch((error): string[] => {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  });
  if (names.length === 0 || names.includes('PG_VERSION')) return names.length > 0;
  throw serverFailed(`${cluster} is in the way of a new cluster: move it away`);
}

/** Written after the cluster is there: a note without its cluster means that data are lost. */
async function noteLocation(place: Place): Promise<void> {
  const note = locationNote(place.dataFolder);
  if (!place.relocated || (await readIfPresent(note)) !== undefined) return;
  const temporary = temporaryPath(place.dataFolder, SMALL_FILE_PREFIX);
  await writeFile(temporary, `${place.cluster}\n`, { flag: 'wx' });
  await rename(temporary, note);
}
