// The plan of a replay: looks once for what fits its query, and writes the list down.

import { CrossdockError } from '../model/errors.ts';
import { newId } from '../model/ids.ts';
import { type Database, type Session, sqlState } from './database.ts';
import { candidatesOf } from './replay-query.ts';
import { REPLAY_MEMBERS_MAX, type Replays, type ReplayTarget } from './replays-port.ts';

export const MEMBERS_A_PIECE = 100;
/** Looking into bodies reads them all. */
const PLAN_MS_MAX = 30_000;
const ALIKE_MAX = 5;

type PlanRequest = Parameters<Replays['plan']>[0];
type Planned = Awaited<ReturnType<Replays['plan']>>;

interface PlannedRow {
  readonly total: number;
  readonly left_out: number;
  readonly targets: readonly ReplayTarget[];
  readonly alike: readonly string[];
}

export async function planReplay(database: Database, request: PlanRequest): Promise<Planned> {
  const id = newId();
  try {
    return await database.withSession(async (session) => {
      await session.query('BEGIN');
      await session.query(`SET LOCAL statement_timeout = ${PLAN_MS_MAX}`);
      const planned = await writePlan(session, id, request);
      // A plan of nothing can do nothing.
      await session.query(planned.total === 0 ? 'ROLLBACK' : 'COMMIT');
      return planned;
    });
  } catch (error) {
    throw isCancelled(error) ? tookTooLong(error) : error;
  }
}

function isCancelled(error: unknown): boolean {
  return error instanceof CrossdockError && sqlState(error.cause) === QUERY_CANCELLED;
}

function tookTooLong(cause: unknown): CrossdockError {
  const seconds = PLAN_MS_MAX / 1_000;
  const todo = 'Narrow the query, by time first.';
  const message = `looking for what fits took longer than ${seconds} s`;
  return new CrossdockError('usage', message, { cause, todo });
}

const QUERY_CANCELLED = '57014';

async function writePlan(session: Session, id: string, request: PlanRequest): Promise<Planned> {
  const { query, revision, perSecond, by, reason } = request;
  const own = [id, by, reason ?? null, JSON.stringify(query), revision, perSecond];
  const candidates = candidatesOf(query, own.length);
  // Oldest event first: a replay keeps the order in which things happened.
  const [row] = await session.query<PlannedRow>(
    `WITH candidates AS MATERIALIZED (
       ${candidates.sql} LIMIT ${REPLAY_MEMBERS_MAX + 1}
     ), found AS MATERIALIZED (
       SELECT c.*, row_number() OVER (ORDER BY event_id, id) - 1 AS n FROM candidates c WHERE NOT busy
     ), listed AS (
       INSERT INTO replay_members (replay, piece, ids)
       SELECT $1::uuid, n / ${MEMBERS_A_PIECE}, array_agg(id ORDER BY n)
       FROM found GROUP BY n / ${MEMBERS_A_PIECE}
     ), targets AS (
       SELECT coalesce(json_agg(json_strip_nulls(row_to_json(t))), '[]') AS targets FROM (
         SELECT flow, connector, operation, source, topic, count(*) AS count FROM found
         GROUP BY 1, 2, 3, 4, 5 ORDER BY count(*) DESC, 1, 2, 3, 4, 5
       ) t
     ), planned AS (
       INSERT INTO replays (id, created_by, reason, query, revision, per_second, total, targets)
       SELECT $1::uuid, $2, $3, $4::json, $5, $6, (SELECT count(*) FROM found), targets FROM targets
       RETURNING total, targets
     )
     SELECT total::float8 AS total, targets,
            (SELECT count(*)::float8 FROM candidates WHERE busy) AS left_out,
            ARRAY(SELECT id::text FROM replays
                  WHERE state IN ('planned', 'running', 'cancelling')
                    AND query::jsonb - '{since,until}'::text[]
                        = $4::jsonb - '{since,until}'::text[]
                  ORDER BY id DESC LIMIT ${ALIKE_MAX}) AS alike
     FROM planned`,
    [...own, ...candidates.values],
  );
  if (row === undefined) throw new Error('a plan was written and not returned');
  const { total, left_out: leftOut, targets, alike } = row;
  if (total + leftOut <= REPLAY_MEMBERS_MAX) return { id, total, leftOut, targets, alike };
  throw new CrossdockError('usage', `more than ${REPLAY_MEMBERS_MAX} fit the query`, {
    todo: 'Narrow it, by time first, and replay one part after another.',
  });
}
