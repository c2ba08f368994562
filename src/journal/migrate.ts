// Brings the journal's tables to this version: numbered files, each once, under one lock.

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CrossdockError } from '../model/errors.ts';
import type { Database, Session } from './database.ts';

/** Any number, the same in every version: only one process migrates at a time. */
const MIGRATION_LOCK = 4_207_113_001;

interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

/** Resolves with the names of the files that were applied now. */
export async function migrate(database: Database, folder: string): Promise<readonly string[]> {
  const migrations = await readMigrations(folder);
  return database.withSession(async (session) => {
    await session.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    // A migration that fails ends its session, and with it the transaction and the lock.
    const applied = await applyMissing(session, migrations);
    await session.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    return applied;
  });
}

async function applyMissing(
  session: Session,
  migrations: readonly Migration[],
): Promise<readonly string[]> {
  await createLedger(session);
  const applied = await session.query<{ name: string; checksum: string }>(
    'SELECT name, checksum FROM migrations',
  );
  checkApplied(applied, migrations);
  const missing = migrations.filter((one) => !applied.some((row) => row.name === one.name));
  for (const migration of missing) await apply(session, migration);
  return missing.map((migration) => migration.name);
}

/** A role that may not make tables can still start where `migrate` has run before. */
async function createLedger(session: Session): Promise<void> {
  const [found] = await session.query<{ there: boolean }>(
    "SELECT to_regclass('migrations') IS NOT NULL AS there",
  );
  if (found?.there === true) return;
  await session.query(
    `CREATE TABLE migrations (
       name text PRIMARY KEY,
       checksum text NOT NULL,
       applied_at timestamptz NOT NULL DEFAULT clock_timestamp())`,
  );
}

async function apply(session: Session, migration: Migration): Promise<void> {
  await session.query('BEGIN');
  await session.query(migration.sql);
  await session.query('INSERT INTO migrations (name, checksum) VALUES ($1, $2)', [
    migration.name,
    migration.checksum,
  ]);
  await session.query('COMMIT');
}

/** A journal that a newer Crossdock has changed may be read only by that one. */
function checkApplied(
  applied: readonly { readonly name: string; readonly checksum: string }[],
  migrations: readonly Migration[],
): void {
  for (const row of applied) {
    const known = migrations.find((migration) => migration.name === row.name);
    if (known?.checksum !== row.checksum) {
      throw new CrossdockError(
        'journal-too-new',
        `the journal has migration ${row.name}, which this version of Crossdock does not know; ` +
          'start the version that applied it, or a newer one',
      );
    }
  }
}

async function readMigrations(folder: string): Promise<readonly Migration[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}-[a-z0-9-]+\.sql$/.test(name));
  return Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(join(folder, name), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}
