import { join } from 'node:path';
import { packageRoot } from '../../src/config/package-root.ts';
import { openPostgresJournal, type PostgresJournal } from '../../src/journal/postgres-journal.ts';
import { acquireTestDatabase } from './test-journal-server.ts';

export const migrationsFolder = join(packageRoot, 'migrations');

/** A journal on a new database of its own. */
export async function openTestJournal(): Promise<{
  readonly journal: PostgresJournal;
  readonly url: string;
  close(): Promise<void>;
}> {
  const database = await acquireTestDatabase();
  const journal = await openPostgresJournal({
    url: database.url,
    migrationsFolder,
    onError: () => undefined,
  });
  return {
    journal,
    url: database.url,
    async close() {
      await journal.close();
      await database.close();
    },
  };
}
