// The session that every user of an embedded server keeps open while it uses it. All keepers
// hold one advisory lock together; who can take it alone knows that nobody else is there, and
// who arrives at that moment waits in the lock, sees the server end, and starts the next.

import { realpath } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { ROLE } from './embedded-cluster.ts';
import { serverFailed } from './embedded-program.ts';

export interface Keeper {
  /**
   * Whether no other session uses the server. After `true` none can arrive until `leave`; after
   * `false` this keeper counts for others no longer.
   */
  isAlone(): Promise<boolean>;
  isBroken(): boolean;
  /** Resolves when the session has ended, by `leave` too. */
  readonly lost: Promise<void>;
  leave(): Promise<void>;
}

/** `not-yet` says what was in the way; trying again later may help. */
export type KeeperAttempt =
  | { readonly kind: 'open'; readonly keeper: Keeper }
  | { readonly kind: 'not-yet'; readonly reason: unknown };

const LOCK_KEY = 7_237_970_113;
/** Sessions that were closed a moment ago are still counted by the server. */
const LINGER_MS = 1_000;
const LINGER_POLL_MS = 20;
const LEAVE_DEADLINE_MS = 1_000;
const QUERY_DEADLINE_MS = 10_000;

/** SQLSTATE classes that no waiting cures: password, role, database. */
const finalStates = ['28P01', '28000', '3D000', '42501'];

export async function openKeeper(options: {
  readonly port: number;
  readonly password: string;
  readonly cluster: string;
  readonly timeoutMs: number;
  /** Ends the attempt early, with `not-yet`. */
  readonly signal: AbortSignal;
}): Promise<KeeperAttempt> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: options.port,
    user: ROLE,
    database: ROLE,
    password: options.password,
    application_name: 'crossdock keeper',
    connectionTimeoutMillis: options.timeoutMs,
    query_timeout: QUERY_DEADLINE_MS,
  });
  let broken = false;
  const lost = new Promise<void>((resolve) => {
    const onLost = (): void => {
      broken = true;
      resolve();
    };
    client.on('error', onLost);
    client.once('end', onLost);
  });
  // Calling end() would leave an attempt to connect waiting for ever.
  const giveUp = (): void => void client.connection.stream.destroy();
  options.signal.addEventListener('abort', giveUp, { once: true });
  try {
    options.signal.throwIfAborted();
    await client.connect();
    await client.query('SELECT pg_advisory_lock_shared($1)', [LOCK_KEY]);
    const { rows } = await client.query('SHOW data_directory');
    const serves = await realpath(rows[0].data_directory);
    if (serves !== (await realpath(options.cluster))) {
      throw new Error(`port ${options.port} belongs to a server of other data`);
    }
  } catch (error) {
    await endClient(client);
    if (!isFinal(error)) return { kind: 'not-yet', reason: error };
    throw serverFailed(`the server of ${options.cluster} refuses the hub's password`, error);
  } finally {
    options.signal.removeEventListener('abort', giveUp);
  }
  setReferenced(client, false);
  return { kind: 'open', keeper: { isBroken: () => broken, lost, ...keeperOf(client) } };
}

function keeperOf(client: pg.Client): Pick<Keeper, 'isAlone' | 'leave'> {
  return {
    async isAlone() {
      setReferenced(client, true);
      await client.query('SELECT pg_advisory_unlock_shared($1)', [LOCK_KEY]);
      const { rows } = await client.query('SELECT pg_try_advisory_lock($1) AS alone', [LOCK_KEY]);
      return rows[0].alone === true && (await othersLeave(client));
    },
    leave: () => endClient(client),
  };
}

async function othersLeave(client: pg.Client): Promise<boolean> {
  const deadline = Date.now() + LINGER_MS;
  for (;;) {
    const { rowCount } = await client.query(
      `SELECT FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() LIMIT 1`,
    );
    if (rowCount === 0) return true;
    if (Date.now() > deadline) return false;
    await sleep(LINGER_POLL_MS);
  }
}

function isFinal(error: unknown): boolean {
  return error instanceof pg.DatabaseError && finalStates.includes(error.code ?? '');
}

async function endClient(client: pg.Client): Promise<void> {
  const ended = client.end().catch(() => undefined);
  await Promise.race([ended, sleep(LEAVE_DEADLINE_MS, undefined, { ref: false })]);
}

/** A keeper alone must not keep a process alive that forgot to close it. */
function setReferenced(client: pg.Client, referenced: boolean): void {
  // @types/pg does not know the two methods.
  const socket = client as pg.Client & { ref(): void; unref(): void };
  if (referenced) socket.ref();
  else socket.unref();
}
