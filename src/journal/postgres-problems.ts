// The problems on PostgreSQL.

import { CrossdockError } from '../model/errors.ts';
import { HUB_SOURCE } from '../model/hub-events.ts';
import { firstIdOf } from '../model/ids.ts';
import { isFingerprint, type ProblemState } from '../model/problem-fingerprint.ts';
import type { Database, Statement } from './database.ts';
import type { DeathPlace, Problems, ProblemView, UncountedDeath } from './problems-port.ts';
import { problemRecordset, problemRows, upsertProblems } from './upsert-problems.ts';

const PAGE_DEFAULT = 50;
const PAGE_MAX = 500;
const UNANNOUNCED_MAX = 50;

const columns = `p.fingerprint, p.class, p.code, p.connector, p.message, p.state,
  p.count::float8 AS count, p.sample_delivery::text, p.first_at, p.last_at, p.opened_at,
  p.changed_at, p.changed_by,
  (SELECT count(*)::float8 FROM deliveries d WHERE d.dead AND d.problem = p.fingerprint) AS dead`;

const listStatement: Statement = {
  name: 'list-problems',
  text: `
    WITH p AS (
      SELECT * FROM problems
      WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR connector = $2)
      ORDER BY array_position(ARRAY['open', 'acknowledged', 'ignored', 'resolved'], state),
               last_at DESC, fingerprint
      LIMIT $3
    )
    SELECT ${columns} FROM p
    ORDER BY array_position(ARRAY['open', 'acknowledged', 'ignored', 'resolved'], state),
             last_at DESC, fingerprint`,
};

const getStatement: Statement = {
  name: 'get-problem',
  text: `SELECT ${columns} FROM problems p
         WHERE starts_with(p.fingerprint, $1) LIMIT 2`,
};

const changeStatement: Statement = {
  name: 'change-problem',
  text: `
    UPDATE problems
    SET changed_at = statement_timestamp(), changed_by = $3,
        opened_at = CASE WHEN $2 = 'open' AND state <> 'open' THEN statement_timestamp()
                         ELSE opened_at END,
        announced = announced OR $2 = 'open', state = $2
    WHERE fingerprint = $1`,
};

// What is set, for dead deliveries that need not be sent any more.
const superseded = `state = 'superseded', dead = false, blocks = false,
             updated_at = clock_timestamp()`;

const settleOlderStatement: Statement = {
  name: 'settle-older-deaths',
  text: `
    WITH settled AS (
      UPDATE deliveries o
      SET ${superseded}, code = NULL, reason = 'delivered later, by ' || d.id
      FROM deliveries d
      WHERE d.id = $1::uuid AND d.state = 'delivered' AND o.event_id = d.event_id
        AND o.flow = d.flow AND o.dead AND o.id < d.id
      RETURNING o.id, o.reason, o.problem
    ), traced AS (
      INSERT INTO changes (delivery_id, became, made_by, reason)
      SELECT id, 'superseded', 'hub', reason FROM settled
    )
    SELECT problem FROM settled`,
};

const settleMissedStatement: Statement = {
  name: 'settle-missed-deaths',
  text: `
    WITH page AS (
      SELECT problem, id, event_id, flow, updated_at FROM deliveries
      WHERE problem IS NOT NULL AND dead AND (problem, id) > ($1, $2::uuid)
      ORDER BY problem, id LIMIT $3
    ), later AS (
      SELECT p.id, d.id AS by FROM page p JOIN LATERAL (
        SELECT id FROM deliveries d
        WHERE d.event_id = p.event_id AND d.flow = p.flow AND d.state = 'delivered'
          -- a replay, or an older one that was retried
          AND (d.id > p.id OR d.updated_at > p.updated_at)
        LIMIT 1
      ) d ON true
    ), settled AS (
      UPDATE deliveries o SET ${superseded}, code = NULL, reason = 'delivered later, by ' || later.by
      FROM later WHERE o.id = later.id AND o.dead
      RETURNING o.id, o.reason
    ), traced AS (
      INSERT INTO changes (delivery_id, became, made_by, reason)
      SELECT id, 'superseded', 'hub', reason FROM settled
    )
    SELECT problem, id::text AS "deliveryId" FROM page ORDER BY problem DESC, id DESC LIMIT 1`,
};

const settleOutdatedStatement: Statement = {
  name: 'settle-outdated-deaths',
  text: `
    WITH outdated AS (
      SELECT d.id FROM deliveries d JOIN order_keys k ON k.chain = d.chain
      WHERE d.dead AND d.version IS NOT NULL AND d.version < k.sent_version
      ORDER BY d.id LIMIT $1
    ), settled AS (
      UPDATE deliveries d
      SET ${superseded}, code = NULL, reason = 'a newer version of its key was sent'
      FROM outdated WHERE d.id = outdated.id AND d.dead
      RETURNING d.id, d.reason
    ), traced AS (
      INSERT INTO changes (delivery_id, became, made_by, reason)
      SELECT id, 'superseded', 'hub', reason FROM settled
    )
    SELECT id FROM settled`,
};

// A death that comes in between has changed the count; the problem then stays what it is.
const resolveStatement: Statement = {
  name: 'resolve-empty-problems',
  text: `
    WITH idle AS (
      SELECT fingerprint, count FROM problems p
      WHERE state IN ('open', 'acknowledged') AND ($1::text[] IS NULL OR fingerprint = ANY($1))
        AND NOT EXISTS (
          SELECT 1 FROM deliveries d WHERE d.problem = p.fingerprint AND (d.dead OR d.open))
      ORDER BY fingerprint
    )
    UPDATE problems p
    SET state = 'resolved', changed_at = statement_timestamp(), changed_by = 'hub'
    FROM idle WHERE p.fingerprint = idle.fingerprint AND p.count = idle.count
    RETURNING p.fingerprint`,
};

const uncountedStatement: Statement = {
  name: 'find-uncounted-deaths',
  text: `SELECT d.id::text AS "deliveryId", d.connector, coalesce(d.code, 'unknown') AS code,
                coalesce(d.reason, '') AS reason, coalesce(e.source, '') AS source
         FROM deliveries d LEFT JOIN events e ON e.id = d.event_id
         WHERE d.dead AND d.problem IS NULL ORDER BY d.id LIMIT $1`,
};

const countStatement: Statement = {
  name: 'count-deaths',
  text: `
    WITH counted AS (
      UPDATE deliveries d SET problem = r.problem
      FROM json_to_recordset($1::json) AS r(id uuid, problem text)
      WHERE d.id = r.id AND d.dead AND d.problem IS NULL
      RETURNING d.id, d.problem
    ), deaths AS (
      SELECT problem AS fingerprint, count(*) AS count, (array_agg(id))[1] AS sample
      FROM counted GROUP BY problem
    ), seen AS (
      SELECT * FROM json_to_recordset($2::json) AS p${problemRecordset}
    )${upsertProblems}`,
};

const unannouncedStatement: Statement = {
  name: 'list-unannounced-problems',
  text: `SELECT ${columns} FROM problems p
         WHERE state = 'open' AND NOT announced
           AND opened_at <= clock_timestamp() - $1 * interval '1 millisecond'
           AND opened_at > clock_timestamp() - interval '1 day'
           AND NOT EXISTS (SELECT 1 FROM deliveries d JOIN events e ON e.id = d.event_id
                           WHERE d.id = p.sample_delivery AND e.source = '${HUB_SOURCE}')
         ORDER BY opened_at LIMIT ${UNANNOUNCED_MAX}`,
};

// The database keeps microseconds, and a Date milliseconds.
const announcedStatement: Statement = {
  name: 'mark-problem-announced',
  text: `UPDATE problems SET announced = true
         WHERE fingerprint = $1 AND date_trunc('milliseconds', opened_at) <= $2`,
};

const deleteStatement: Statement = {
  name: 'delete-old-problems',
  text: `DELETE FROM problems p
         WHERE state = 'resolved' AND changed_at < clock_timestamp() - $1 * interval '1 millisecond'
           AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.problem = p.fingerprint AND d.dead)
         RETURNING fingerprint`,
};

export function postgresProblems(database: Database): Problems {
  const get = async (text: string): Promise<ProblemView> => {
    const found = isFingerprint(text) ? await database.query<ProblemRow>(getStatement, [text]) : [];
    const [row] = found;
    if (row === undefined) {
      throw new CrossdockError('not-found', `there is no problem ${text.slice(0, 64)}`, {
        todo: 'Give 12 digits of a fingerprint or more; crossdock problems lists them.',
      });
    }
    if (found.length === 1) return viewOf(row);
    const todo = 'Give more digits of it.';
    throw new CrossdockError('usage', `several problems begin with ${text}`, { todo });
  };
  return {
    async list({ state, connector, limit }) {
      const size = Math.min(PAGE_MAX, Math.max(1, limit ?? PAGE_DEFAULT));
      const values = [state ?? null, connector ?? null, size];
      return (await database.query<ProblemRow>(listStatement, values)).map(viewOf);
    },
    get,
    async change({ fingerprint, state, by }) {
      const problem = await get(fingerprint);
      await database.query(changeStatement, [problem.fingerprint, state, by]);
      return get(problem.fingerprint);
    },
    async settleOlder(deliveryId) {
      const rows = await database.query<{ problem: string | null }>(settleOlderStatement, [
        deliveryId,
      ]);
      const problems = [...new Set(rows.flatMap(({ problem }) => problem ?? []))];
      if (problems.length > 0) await database.query(resolveStatement, [problems]);
      return rows.length;
    },
    async settleMissed({ limit, after }) {
      const { problem, deliveryId } = after ?? { problem: '', deliveryId: firstIdOf(0) };
      const [last] = await database.query<DeathPlace>(settleMissedStatement, [
        problem,
        deliveryId,
        limit,
      ]);
      return last;
    },
    settleOutdated: async (limit) =>
      (await database.query(settleOutdatedStatement, [limit])).length,
    findUncounted: (limit) => database.query<UncountedDeath>(uncountedStatement, [limit]),
    async count(deaths) {
      if (deaths.length === 0) return;
      const rows = deaths.map(({ deliveryId, problem }) => ({
        id: deliveryId,
        problem: problem.fingerprint,
      }));
      const problems = problemRows(deaths.map(({ problem }) => problem));
      await database.query(countStatement, [JSON.stringify(rows), JSON.stringify(problems)]);
    },
    resolveEmpty: async () => (await database.query(resolveStatement, [null])).length,
    listUnannounced: async (graceMs) =>
      (await database.query<ProblemRow>(unannouncedStatement, [graceMs])).map(viewOf),
    async markAnnounced({ fingerprint, openedAt }) {
      await database.query(announcedStatement, [fingerprint, openedAt]);
    },
    deleteOld: async (olderThanMs) => (await database.query(deleteStatement, [olderThanMs])).length,
  };
}

interface ProblemRow {
  readonly fingerprint: string;
  readonly class: string;
  readonly code: string;
  readonly connector: string;
  readonly message: string;
  readonly state: ProblemState;
  readonly count: number;
  readonly dead: number;
  readonly sample_delivery: string;
  readonly first_at: Date;
  readonly last_at: Date;
  readonly opened_at: Date;
  readonly changed_at: Date;
  readonly changed_by: string;
}

function viewOf(row: ProblemRow): ProblemView {
  const { fingerprint, class: kind, code, connector, message, state, count, dead } = row;
  return {
    fingerprint,
    class: kind,
    code,
    connector,
    message,
    state,
    count,
    dead,
    sampleDelivery: row.sample_delivery,
    firstAt: row.first_at,
    lastAt: row.last_at,
    openedAt: row.opened_at,
    changedAt: row.changed_at,
    changedBy: row.changed_by,
  };
}
