// The uses of secrets on PostgreSQL.

import type { Database, Statement } from './database.ts';
import type { SecretUses } from './secret-uses-port.ts';

const noteStatement: Statement = {
  name: 'note-secret-uses',
  text: `
    INSERT INTO secret_uses AS s (source, mark, number, matches)
    SELECT source, mark, number, matches
    FROM json_to_recordset($1::json) AS r(source text, mark text, number int, matches bigint)
    ORDER BY source, mark
    ON CONFLICT (source, mark) DO UPDATE
    SET number = excluded.number, last_at = clock_timestamp(), matches = s.matches + excluded.matches`,
};

const listStatement: Statement = {
  name: 'list-secret-uses',
  text: `SELECT source, mark, number, first_at, last_at, matches::float8 AS matches
         FROM secret_uses ORDER BY source, number, last_at DESC`,
};

const forgetStatement: Statement = {
  name: 'forget-secret-uses',
  text: `DELETE FROM secret_uses WHERE last_at < clock_timestamp() - $1 * interval '1 ms'`,
};

interface Row {
  readonly source: string;
  readonly mark: string;
  readonly number: number;
  readonly first_at: Date;
  readonly last_at: Date;
  readonly matches: number;
}

export function postgresSecretUses(database: Database): SecretUses {
  return {
    async note(matches) {
      if (matches.length > 0) await database.query(noteStatement, [JSON.stringify(matches)]);
    },
    async list() {
      const rows = await database.query<Row>(listStatement, []);
      return rows.map(({ first_at: firstAt, last_at: lastAt, ...use }) => ({
        ...use,
        firstAt,
        lastAt,
      }));
    },
    async forget(olderThanMs) {
      await database.query(forgetStatement, [olderThanMs]);
    },
  };
}
