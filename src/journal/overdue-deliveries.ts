// What the sweep and the retention ask of the journal: overdue deliveries, new rounds, old events
// and order keys.

import { firstIdOf } from '../model/ids.ts';
import type { Database, Session, Statement } from './database.ts';
import type { DueDelivery, Journal } from './journal.ts';

export const dueColumns = `d.id::text AS delivery_id, d.event_id::text, d.connector, d.flow, e.topic,
  e.dedupe_key, d.round, d.tenant, d.replay_run IS NOT NULL AS low,
  (extract(epoch FROM d.due_at - clock_timestamp()) * 1000)::float8 AS due_in_ms`;

export interface DueRow {
  readonly delivery_id: string;
  readonly event_id: string;
  readonly connector: string;
  readonly flow: string;
  readonly topic: string;
  readonly dedupe_key: string;
  readonly round: number;
  readonly tenant: string | null;
  readonly low: boolean;
  readonly due_in_ms: number;
}

export function dueOf(row: DueRow): DueDelivery {
  return {
    deliveryId: row.delivery_id,
    eventId: row.event_id,
    connector: row.connector,
    flow: row.flow,
    topic: row.topic,
    key: row.dedupe_key,
    round: row.round,
    dueInMs: Math.max(0, row.due_in_ms),
    ...(row.tenant === null ? {} : { tenant: row.tenant }),
    ...(row.low ? { low: true } : {}),
  };
}

// A delivery whose lease runs is being attempted: its process answers, or the lease ends.
const overdueStatement: Statement = {
  name: 'find-overdue-deliveries',
  text: `
    SELECT ${dueColumns}, d.due_at::text AS due_at
    FROM deliveries d JOIN events e ON e.id = d.event_id
    WHERE d.open AND NOT d.held
      AND d.due_at < clock_timestamp() - $1 * interval '1 millisecond'
      AND (d.lease_until IS NULL OR d.lease_until < clock_timestamp())
      AND (d.due_at, d.id) > ($2::timestamptz, $3::uuid)
      AND d.connector <> ALL ($5::text[])
    ORDER BY d.due_at, d.id
    LIMIT $4`,
};

const renewStatement: Statement = {
  name: 'renew-rounds',
  text: `
    WITH d AS (
      UPDATE deliveries SET round = round + 1
      WHERE id = ANY($1::uuid[]) AND open
        AND (lease_until IS NULL OR lease_until < clock_timestamp())
      RETURNING *
    )
    SELECT ${dueColumns} FROM d JOIN events e ON e.id = d.event_id`,
};

const deleteStatement: Statement = {
  name: 'delete-old-events',
  text: `
    WITH old AS (
      SELECT e.id FROM events e
      WHERE e.id < $1::uuid AND e.received_at < clock_timestamp() - $2 * interval '1 millisecond'
        AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.event_id = e.id AND d.open)
        -- nobody is let past a dead one by its mere disappearance
        AND NOT EXISTS (
          SELECT 1 FROM deliveries d WHERE d.event_id = e.id AND d.blocks AND EXISTS (
            SELECT 1 FROM deliveries o WHERE o.chain = d.chain AND o.version IS NULL AND o.open))
      ORDER BY e.id LIMIT $3
    ), old_deliveries AS (
      DELETE FROM deliveries d USING old WHERE d.event_id = old.id RETURNING d.id
    ), old_attempts AS (
      DELETE FROM attempts a USING old_deliveries d WHERE a.delivery_id = d.id
    ), old_changes AS (
      DELETE FROM changes c USING old_deliveries d WHERE c.delivery_id = d.id
    ), old_conflicts AS (
      DELETE FROM event_conflicts c USING old WHERE c.event_id = old.id
    )
    DELETE FROM events e USING old WHERE e.id = old.id RETURNING e.id::text`,
};

// What was sent longer ago than any event is kept can be compared with nothing.
const deleteKeysStatement: Statement = {
  name: 'delete-old-order-keys',
  text: `
    DELETE FROM order_keys WHERE chain IN (
      SELECT k.chain FROM order_keys k
      WHERE k.sent_at < clock_timestamp() - $1 * interval '1 millisecond'
        AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.chain = k.chain
                        AND d.version IS NOT NULL AND d.open)
      LIMIT $2)
    RETURNING chain`,
};

/** One turn of the retention deletes at most this many pieces of keys; the next goes on. */
const KEY_PIECES_MAX = 100;
const KEY_PIECE = 2_000;

async function deleteOldKeys(database: Database, olderThanMs: number): Promise<void> {
  for (let pieces = 0; pieces < KEY_PIECES_MAX; pieces += 1) {
    const gone = await database.query(deleteKeysStatement, [olderThanMs, KEY_PIECE]);
    if (gone.length < KEY_PIECE) return;
  }
}

type Overdue = Pick<Journal, 'findOverdue' | 'renewRounds' | 'whileLeader' | 'deleteOldEvents'>;

/** Taking and giving back a lock: longer means that the connection is gone. */
const LEADER_QUERY_MS = 5_000;

const beforeAll = { dueAt: '-infinity', deliveryId: '00000000-0000-0000-0000-000000000000' };

export function overdueDeliveries(database: Database): Overdue {
  return {
    async findOverdue({ graceMs, limit, after = beforeAll, without = [] }) {
      const values = [graceMs, after.dueAt, after.deliveryId, limit, without];
      const rows = await database.query<DueRow & { due_at: string }>(overdueStatement, values);
      const last = rows.at(-1);
      return {
        due: rows.map(dueOf),
        ...(last === undefined
          ? {}
          : { last: { dueAt: last.due_at, deliveryId: last.delivery_id } }),
      };
    },
    async renewRounds(deliveryIds) {
      if (deliveryIds.length === 0) return [];
      return (await database.query<DueRow>(renewStatement, [deliveryIds])).map(dueOf);
    },
    whileLeader: (task, work) =>
      database.withSession((session) => runAsLeader(session, task, work), LEADER_QUERY_MS),
    async deleteOldEvents({ olderThanMs, limit }) {
      // Ids carry the time of the process that made them; a day covers any clock that is off.
      const newestId = firstIdOf(Date.now() - olderThanMs + 86_400_000);
      const rows = await database.query(deleteStatement, [newestId, olderThanMs, limit]);
      if (rows.length < limit) await deleteOldKeys(database, olderThanMs);
      return rows.length;
    },
  };
}

async function runAsLeader(
  session: Session,
  task: string,
  work: () => Promise<void>,
): Promise<boolean> {
  const [lock] = await session.query<{ got: boolean }>(
    'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS got',
    [`crossdock:${task}`],
  );
  if (lock?.got !== true) return false;
  // Where `work` fails, its session ends, and the lock with it.
  await work();
  await session.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', [`crossdock:${task}`]);
  return true;
}
