// One chunk of a replay by query: its deliveries, committed together with how far the run has come.

import type { Database } from './database.ts';
import { freeReplaced, insertReplays, replayRecordset } from './make-replays.ts';
import { dueColumns } from './overdue-deliveries.ts';
import { standsFor } from './replay-query.ts';

/** For all chunks of all runs: what one has made, the next one of another run has to see. */
const CHUNK_LOCK = 'crossdock:replay-chunk';
const CHUNK_MS_MAX = 10_000;

// A second one with the same `from` waits for the row, finds it moved on, and makes nothing.
const chunkStatement = `
    WITH eligible AS (
      SELECT r.* FROM json_to_recordset($4::json) AS r${replayRecordset}
      LEFT JOIN deliveries o ON o.id = r.original
      WHERE (r.original IS NULL OR o.state = $5)
        AND NOT EXISTS (SELECT 1 FROM deliveries x
                        WHERE x.event_id = r.event_id AND x.flow = r.flow
                          AND (r.original IS NULL OR ${standsFor('x', 'o')}))
    ), run AS (
      UPDATE replays
      SET taken = taken + $3::int, made = made + (SELECT count(*) FROM eligible),
          due_at = greatest(due_at, clock_timestamp() - interval '1 second')
                   + $3::int / per_second * interval '1 second',
          state = CASE WHEN taken + $3::int >= total THEN 'done' ELSE state END,
          ended_at = CASE WHEN taken + $3::int >= total THEN clock_timestamp() END,
          waiting_for = NULL, updated_at = clock_timestamp()
      WHERE id = $1::uuid AND state = 'running' AND taken = $2::bigint
      RETURNING id
    ), replaced AS (${freeReplaced('eligible r CROSS JOIN run')}
    ), d AS (${insertReplays({
      given: 'eligible r CROSS JOIN run',
      run: 'run.id',
      body: 'NULL',
    })}
    ), traced AS (
      INSERT INTO changes (delivery_id, became, made_by, reason)
      SELECT d.id, 'pending', $6, r.reason FROM d JOIN eligible r ON r.id = d.id
    ), made AS (
      SELECT ${dueColumns} FROM d JOIN events e ON e.id = d.event_id
    )
    SELECT run.id::text AS run, made.* FROM run LEFT JOIN made ON true`;

/** `$1` the run, `$2` from where, `$3` how many, `$4` the rows, `$5` the state of the query, `$6` by whom. */
export async function makeChunk<R extends object>(
  database: Database,
  values: readonly unknown[],
): Promise<R[]> {
  return database.withSession(async (session) => {
    // A process that is stopped now lets the others go on.
    await session.query(`BEGIN; SET LOCAL idle_in_transaction_session_timeout = ${CHUNK_MS_MAX}`);
    await session.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [CHUNK_LOCK]);
    const made = await session.query<R>(chunkStatement, values);
    await session.query('COMMIT');
    return made;
  }, CHUNK_MS_MAX);
}
