// The connection to PostgreSQL: a bounded pool, a deadline on every query, and one place that says
// what an error of the database means for us.

import pg from 'pg';
import { CrossdockError } from '../model/errors.ts';

/** One statement, prepared once a connection under its name. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

export interface Database {
  /** Rejects with `journal-unavailable`, or with the database's own error where a value is at fault. */
  query<R extends object>(statement: Statement, values?: readonly unknown[]): Promise<R[]>;
  /**
   * One connection for work that needs the same session throughout. A query that takes longer than
   * `queryMs` fails; without it a query may take its time.
   */
  withSession<T>(work: (session: Session) => Promise<T>, queryMs?: number): Promise<T>;
  close(): Promise<void>;
}

export interface Session {
  query<R extends object>(text: string, values?: readonly unknown[]): Promise<R[]>;
}

export interface DatabaseOptions {
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly name: string;
  /** @default 10 */
  readonly connectionsMax?: number;
  /** @default 5 s */
  readonly queryMs?: number;
  /** Told of connections that drop while idle. */
  onError(error: Error): void;
}

const CONNECT_MS = 2_000;
/** Above any query deadline: what a session began and nobody waits for ends by itself. */
const STATEMENT_MS = 120_000;
/** Both sides notice within half a minute that the other's machine is gone, and its locks with it. */
const KEEPALIVE_AFTER_MS = 10_000;
const serverKeepalive =
  '-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3';

export function openDatabase(options: DatabaseOptions): Database {
  const queryMs = options.queryMs ?? 5_000;
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: options.name,
    max: options.connectionsMax ?? 10,
    connectionTimeoutMillis: CONNECT_MS,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_AFTER_MS,
    statement_timeout: STATEMENT_MS,
    options: serverKeepalive,
  });
  // Without a listener an idle connection that drops would end the process.
  pool.on('error', options.onError);
  return {
    async query<R extends object>(statement: Statement, values: readonly unknown[] = []) {
      try {
        const result = await pool.query<R>({
          name: statement.name,
          text: statement.text,
          values: values as unknown[],
          query_timeout: queryMs,
        } as pg.QueryConfig);
        return result.rows;
      } catch (error) {
        throw journalError(error, statement.name);
      }
    },
    withSession: (work, sessionQueryMs) => withSession(pool, work, sessionQueryMs),
    close: () => pool.end(),
  };
}

async function withSession<T>(
  pool: pg.Pool,
  work: (session: Session) => Promise<T>,
  queryMs: number | undefined,
): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw journalError(error, 'connect');
  });
  let broken: Error | undefined;
  const onError = (error: Error): void => {
    broken = error;
  };
  client.on('error', onError);
  try {
    return await work({
      async query<R extends object>(text: string, values: readonly unknown[] = []) {
        try {
          const limit = queryMs === undefined ? {} : { query_timeout: queryMs };
          const query = { text, values: values as unknown[], ...limit } as pg.QueryConfig;
          return (await client.query<R>(query)).rows;
        } catch (error) {
          broken = error instanceof Error ? error : new Error(String(error));
          throw journalError(error, 'session');
        }
      },
    });
  } catch (error) {
    // Whatever the session holds (a lock, a transaction) goes with it.
    broken ??= error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}

/** SQLSTATE of an error, or of the error that it wraps. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/**
 * The fault of one row: class 22 (a value that cannot be stored), 23 (a constraint), 54 (too large
 * or too deep).
 */
export function isRowFault(error: unknown): boolean {
  return /^(22|23|54)/.test(sqlState(error) ?? '');
}

/** Another transaction was in the way and nothing was written: the same statement may be run again. */
export function isCollision(error: unknown): boolean {
  const state = sqlState(error);
  return state === '40P01' || state === '40001';
}

// Class 42 (our SQL is wrong) and the row faults keep their own error; everything else (no
// connection, no answer, shutting down, out of disk, memory or connections) is "unavailable".
function journalError(error: unknown, what: string): unknown {
  if (isRowFault(error) || isCollision(error) || sqlState(error)?.startsWith('42') === true) {
    return error;
  }
  const reason = error instanceof Error && error.message !== '' ? error.message : String(error);
  const state = sqlState(error);
  return new CrossdockError(
    'journal-unavailable',
    `journal (${what}): ${reason}${state === undefined ? '' : ` [${state}]`}`,
    { cause: error },
  );
}
