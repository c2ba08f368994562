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
  /** One connection for work that needs the same session throughout. */
  withSession<T>(work: (session: Session) => Promise<T>): Promise<T>;
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
/** Above any query deadline: sessions of long work (migrations, the sweep) end by themselves. */
const SESSION_MS = 120_000;

export function openDatabase(options: DatabaseOptions): Database {
  const queryMs = options.queryMs ?? 5_000;
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: options.name,
    max: options.connectionsMax ?? 10,
    connectionTimeoutMillis: CONNECT_MS,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    statement_timeout: SESSION_MS,
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
    withSession: (work) => withSession(pool, work),
    close: () => pool.end(),
  };
}

async function withSession<T>(pool: pg.Pool, work: (session: Session) => Promise<T>): Promise<T> {
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
          return (await client.query<R>(text, values as unknown[])).rows;
        } catch (error) {
          broken = error instanceof Error ? error : new Error(String(error));
          throw journalError(error, 'session');
        }
      },
    });
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

/** Class 22 (a value that cannot be stored) and 23 (a constraint): the fault of one row. */
export function isRowFault(error: unknown): boolean {
  const state = sqlState(error);
  return state?.startsWith('22') === true || state?.startsWith('23') === true;
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
