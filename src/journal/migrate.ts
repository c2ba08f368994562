// Brings the journal's tables to this version: numbered files, each once, under one lock.
//
// A file whose first line is `-- additive` only adds what older programs do not touch: a program that
// does not know it goes on beside it, so that a deploy can be rolled back. Any other one that it does
// not know keeps it from starting.

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
  readonly isAdditive: boolean;
}

export interface Migrated {
  /** The files that were applied now. */
  readonly applied: readonly string[];
  /** Additive ones of a newer version, which this one does without. */
  readonly newer: readonly string[];
}

/** Rejects `journal-too-new` where a newer version has changed what this one uses. */
export async function migrate(database: Database, folder: string): Promise<Migrated> {
  const migrations = await readMigrations(folder);
  return database.withSession(async (session) => {
    await session.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    // A migration that fails ends its session, and with it the transaction and the lock.
    const applied = await applyMissing(session, migrations);
    await session.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    return applied;
  });
}

async function applyMissing(session: Session, migrations: readonly Migration[]): Promise<Migrated> {
  await createLedger(session);
  const applied = await session.query<AppliedRow>(readLedger);
  const newer = checkApplied(applied, migrations);
  const missing = migrations.filter((one) => !applied.some((row) => row.name === one.name));
  for (const migration of missing) await apply(session, migration);
  return { applied: missing.map((migration) => migration.name), newer };
}

interface AppliedRow {
  readonly name: string;
  readonly checksum: string;
  readonly additive: boolean;
}

/** Ledgers of the first version have no column for it. */
const readLedger = `
  SELECT name, checksum, coalesce((to_jsonb(m) ->> 'additive')::boolean, false) AS additive
  FROM migrations m ORDER BY name`;

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
       additive boolean NOT NULL DEFAULT false,
       applied_at timestamptz NOT NULL DEFAULT clock_timestamp())`,
  );
}

async function apply(session: Session, migration: Migration): Promise<void> {
  await session.query('BEGIN');
  await session.query(migration.sql);
  await session.query(
    'ALTER TABLE migrations ADD COLUMN IF NOT EXISTS additive boolean NOT NULL DEFAULT false',
  );
  await session.query('INSERT INTO migrations (name, checksum, additive) VALUES ($1, $2, $3)', [
    migration.name,
    migration.checksum,
    migration.isAdditive,
  ]);
  await session.query('COMMIT');
}

/** Returns those that may be done without; throws where one may not. */
function checkApplied(
  applied: readonly AppliedRow[],
  migrations: readonly Migration[],
): readonly string[] {
  const newer: string[] = [];
  for (const row of applied) {
    const known = migrations.find((migration) => migration.name === row.name);
    if (known === undefined && row.additive) newer.push(row.name);
    else if (known?.checksum !== row.checksum) {
      throw new CrossdockError(
        'journal-too-new',
        `the journal has migration ${row.name}, which this version of Crossdock does not know; ` +
          'start the version that applied it, or a newer one',
      );
    }
  }
  return newer;
}

async function readMigrations(folder: string): Promise<readonly Migration[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}-[a-z0-9-]+\.sql$/.test(name));
  return Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(join(folder, name), 'utf8');
      const checksum = createHash('sha256').update(sql).digest('hex');
      return {
        name,
        sql,
        checksum,
        isAdditive: /^-- additive\s*$/m.test(sql.split('\n')[0] ?? ''),
      };
    }),
  );
}
