// The pollers on PostgreSQL; every time is the database's clock.

import type { Database, Statement } from './database.ts';
import type { Pollers } from './pollers-port.ts';

const takeStatement: Statement = {
  name: 'take-poller',
  text: `
    INSERT INTO pollers AS p (source, fence, leased_until)
    VALUES ($1, 1, clock_timestamp() + $2 * interval '1 ms')
    ON CONFLICT (source) DO UPDATE
    SET fence = p.fence + 1, leased_until = excluded.leased_until
    WHERE p.next_at <= clock_timestamp()
      AND (p.leased_until IS NULL OR p.leased_until < clock_timestamp())
    RETURNING fence::text, cursor, failures, clock_timestamp() AS now`,
};

const extendStatement: Statement = {
  name: 'extend-poller',
  text: `
    UPDATE pollers SET leased_until = clock_timestamp() + $3 * interval '1 ms'
    WHERE source = $1 AND fence = $2::bigint AND leased_until IS NOT NULL RETURNING 1 AS done`,
};

const endStatement: Statement = {
  name: 'end-poller',
  text: `
    UPDATE pollers
    SET leased_until = NULL, cursor = coalesce($3, cursor), error = $5,
        next_at = clock_timestamp() + $4 * interval '1 ms',
        failures = CASE WHEN $5::text IS NULL THEN 0 ELSE failures + 1 END,
        polled_at = CASE WHEN $5::text IS NULL THEN clock_timestamp() ELSE polled_at END
    WHERE source = $1 AND fence = $2::bigint AND leased_until IS NOT NULL RETURNING 1 AS done`,
};

const listStatement: Statement = {
  name: 'list-pollers',
  text: 'SELECT source, cursor, next_at, polled_at, failures, error FROM pollers ORDER BY source',
};

interface TurnRow {
  readonly fence: string;
  readonly cursor: string | null;
  readonly failures: number;
  readonly now: Date;
}

interface PollerRow {
  readonly source: string;
  readonly cursor: string | null;
  readonly next_at: Date;
  readonly polled_at: Date | null;
  readonly failures: number;
  readonly error: string | null;
}

export function postgresPollers(database: Database): Pollers {
  return {
    async take(source, leaseMs) {
      const [row] = await database.query<TurnRow>(takeStatement, [source, leaseMs]);
      if (row === undefined) return undefined;
      const { cursor, ...turn } = row;
      return { ...turn, ...(cursor === null ? {} : { cursor }) };
    },
    async extend({ source, fence, leaseMs }) {
      return (await database.query(extendStatement, [source, fence, leaseMs])).length > 0;
    },
    async end({ source, fence, cursor, nextInMs, error }) {
      const values = [source, fence, cursor ?? null, nextInMs, error ?? null];
      return (await database.query(endStatement, values)).length > 0;
    },
    async list() {
      const rows = await database.query<PollerRow>(listStatement, []);
      return rows.map((row) => ({
        source: row.source,
        nextAt: row.next_at,
        failures: row.failures,
        ...(row.cursor === null ? {} : { cursor: row.cursor }),
        ...(row.polled_at === null ? {} : { polledAt: row.polled_at }),
        ...(row.error === null ? {} : { error: row.error }),
      }));
    },
  };
}
