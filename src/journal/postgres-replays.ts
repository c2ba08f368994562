// The replays on PostgreSQL.

import type { DeliveryState } from '../model/delivery.ts';
import { CrossdockError } from '../model/errors.ts';
import type { Headers } from '../model/event.ts';
import { firstIdOf, isId } from '../model/ids.ts';
import type { Database, Statement } from './database.ts';
import { hasName } from './known-names.ts';
import { blockAgain, replayRows } from './make-replays.ts';
import { type DueRow, dueOf } from './overdue-deliveries.ts';
import { MEMBERS_A_PIECE, planReplay } from './plan-replay.ts';
import { makeChunk } from './replay-chunk.ts';
import type {
  ReplayMember,
  ReplayQuery,
  ReplayRevision,
  ReplayState,
  Replays,
  ReplayTarget,
  ReplayView,
} from './replays-port.ts';

const PAGE_DEFAULT = 50;
const PAGE_MAX = 500;
/** Bodies that one page of members may carry: more than the largest one body. */
const BODY_BYTES_MAX = 16 * 1_024 * 1_024;

const columns = `id::text, state, query, revision, per_second, targets, expected_ms, warnings,
  total::float8 AS total, taken::float8 AS taken, made::float8 AS made, created_at, created_by,
  reason, started_at, ended_at, waiting_for`;

const getStatement: Statement = {
  name: 'get-replay',
  text: `SELECT ${columns} FROM replays WHERE id = $1::uuid`,
};

const listStatement: Statement = {
  name: 'list-replays',
  text: `SELECT ${columns} FROM replays WHERE ($1::uuid IS NULL OR id < $1::uuid)
         ORDER BY id DESC LIMIT $2`,
};

const describeStatement: Statement = {
  name: 'describe-replay',
  text: 'UPDATE replays SET expected_ms = $2, warnings = $3::json WHERE id = $1::uuid',
};

const statesStatement: Statement = {
  name: 'count-replay-states',
  text: `SELECT state, count(*)::float8 AS count FROM deliveries WHERE replay_run = $1::uuid
         GROUP BY state`,
};

// What it is for was looked up when it was planned; a day later that says little.
const startStatement: Statement = {
  name: 'start-replay',
  text: `
    UPDATE replays
    SET state = CASE total WHEN 0 THEN 'done' ELSE 'running' END, started_at = clock_timestamp(),
        ended_at = CASE total WHEN 0 THEN clock_timestamp() END, due_at = clock_timestamp(),
        updated_at = clock_timestamp()
    WHERE id = $1::uuid AND state = 'planned'
      AND created_at > clock_timestamp() - interval '1 day'
    RETURNING id`,
};

const cancelStatement: Statement = {
  name: 'cancel-replay',
  text: `
    UPDATE replays
    SET state = CASE state WHEN 'planned' THEN 'cancelled' ELSE 'cancelling' END,
        ended_at = coalesce(ended_at, clock_timestamp()), due_at = clock_timestamp(),
        waiting_for = NULL, updated_at = clock_timestamp()
    WHERE id = $1::uuid AND (state IN ('planned', 'running') OR state = 'done' AND EXISTS (
      SELECT 1 FROM deliveries WHERE replay_run = $1::uuid AND open))
    RETURNING id`,
};

const dueStatement: Statement = {
  name: 'find-due-replays',
  text: `SELECT ${columns} FROM replays
         WHERE state IN ('running', 'cancelling') AND due_at <= clock_timestamp()
         ORDER BY due_at LIMIT $1`,
};

const chosen = `
    WITH chosen AS (
      SELECT u.id, m.piece * ${MEMBERS_A_PIECE}::bigint + u.n AS n
      FROM replay_members m CROSS JOIN LATERAL unnest(m.ids) WITH ORDINALITY AS u(id, n)
      WHERE m.replay = $1::uuid
        AND m.piece BETWEEN $2::bigint / ${MEMBERS_A_PIECE}
                        AND ($2::bigint + $3::int - 1) / ${MEMBERS_A_PIECE}
        AND m.piece * ${MEMBERS_A_PIECE}::bigint + u.n BETWEEN $2::bigint + 1 AND $2::bigint + $3::int
    )`;
const eventColumns = `e.source, e.topic, e.shop, e.dedupe_key AS key`;

function bodyColumns(body: string): string {
  return `CASE WHEN $4::boolean AND sum(length(${body})) OVER (ORDER BY n) <= ${BODY_BYTES_MAX}
                THEN ${body} END AS body,
           CASE WHEN $4::boolean THEN e.headers::text END AS headers`;
}

const deliveryMembersStatement: Statement = {
  name: 'find-replay-deliveries',
  text: `${chosen}
    SELECT (n - 1)::float8 AS place, d.id::text AS delivery_id, d.event_id::text, d.flow, d.connector, d.operation, d.revision,
           ${eventColumns}, ${bodyColumns('coalesce(d.body, e.body)')}
    FROM chosen JOIN deliveries d USING (id) JOIN events e ON e.id = d.event_id ORDER BY n`,
};

const eventMembersStatement: Statement = {
  name: 'find-replay-events',
  text: `${chosen}
    SELECT (n - 1)::float8 AS place, NULL AS delivery_id, e.id::text AS event_id, NULL AS flow, NULL AS connector,
           NULL AS operation, NULL AS revision, ${eventColumns}, ${bodyColumns('e.body')}
    FROM chosen JOIN events e USING (id) ORDER BY n`,
};

const postponeStatement: Statement = {
  name: 'postpone-replay',
  text: `UPDATE replays SET due_at = clock_timestamp() + $2 * interval '1 millisecond',
                waiting_for = nullif($3, '')
         WHERE id = $1::uuid AND state IN ('running', 'cancelling')`,
};

const cancelWaitingStatement: Statement = {
  name: 'cancel-replay-deliveries',
  text: `
    WITH waiting AS (
      SELECT id FROM deliveries
      WHERE replay_run = $1::uuid AND id > $2::uuid AND open AND state <> 'active'
      ORDER BY id LIMIT $3
    ), gone AS (
      UPDATE deliveries d
      SET state = 'cancelled', open = false, held = false, held_by = NULL, running = NULL,
          round = round + 1, reason = 'its replay was cancelled', updated_at = clock_timestamp()
      FROM waiting w WHERE d.id = w.id AND d.open AND d.state <> 'active'
      RETURNING d.id, d.event_id, d.flow, d.chain, d.seq
    ), restored AS (${blockAgain('gone')}
    ), traced AS (
      INSERT INTO changes (delivery_id, became, made_by, reason)
      SELECT id, 'cancelled', 'hub', 'its replay was cancelled' FROM gone
    )
    SELECT id::text FROM waiting ORDER BY id DESC LIMIT 1`,
};

const endCancelledStatement: Statement = {
  name: 'end-cancelled-replay',
  text: `
    UPDATE replays r
    SET state = 'cancelled', ended_at = clock_timestamp(), waiting_for = NULL,
        updated_at = clock_timestamp()
    WHERE id = $1::uuid AND state = 'cancelling'
      AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.replay_run = r.id AND d.open)
    RETURNING id`,
};

const deleteStatement: Statement = {
  name: 'delete-old-replays',
  text: `
    WITH gone AS (
      DELETE FROM replays
      WHERE state IN ('planned', 'done', 'cancelled')
        AND updated_at < clock_timestamp() - $1 * interval '1 millisecond'
      RETURNING id
    ), members AS (
      DELETE FROM replay_members m USING gone WHERE m.replay = gone.id
    )
    SELECT id FROM gone`,
};

export function postgresReplays(database: Database): Replays {
  const get = async (id: string): Promise<ReplayView> => {
    const [row] = isId(id) ? await database.query<ReplayRow>(getStatement, [id]) : [];
    if (row === undefined) {
      const todo = 'crossdock replays lists what there is.';
      throw new CrossdockError('not-found', `there is no replay ${id.slice(0, 64)}`, { todo });
    }
    return viewOf(row);
  };
  const change = async (statement: Statement, id: string, verb: string): Promise<void> => {
    const { state } = await get(id);
    if ((await database.query(statement, [id])).length > 0) return;
    const old = state === 'planned' ? ', by a plan of more than a day ago' : '';
    const todo = 'Look at it with crossdock replays show, or plan anew.';
    const message = `replay ${id} is ${state}${old}: it cannot be ${verb}`;
    throw new CrossdockError('state-conflict', message, { todo });
  };
  return {
    plan: (request) => planReplay(database, request),
    hasName: (what, name) => hasName(database, what, name),
    async describe(id, { expectedMs, warnings }) {
      await database.query(describeStatement, [id, expectedMs, JSON.stringify(warnings)]);
    },
    get,
    async list({ before, limit }) {
      const size = Math.min(PAGE_MAX, Math.max(1, limit ?? PAGE_DEFAULT));
      return (await database.query<ReplayRow>(listStatement, [before ?? null, size])).map(viewOf);
    },
    async countStates(id) {
      const rows = await database.query<{ state: DeliveryState; count: number }>(statesStatement, [
        id,
      ]);
      return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
    },
    start: (id) => change(startStatement, id, 'run'),
    cancel: (id) => change(cancelStatement, id, 'cancelled'),
    findDue: async (limit) => (await database.query<ReplayRow>(dueStatement, [limit])).map(viewOf),
    async findMembers({ replay, from, limit, bodies }) {
      const isOfEvents = replay.query.state === 'unrouted';
      const statement = isOfEvents ? eventMembersStatement : deliveryMembersStatement;
      const values = [replay.id, from, limit, bodies === true];
      const rows = await database.query<MemberRow>(statement, values);
      return rows.map(memberOf);
    },
    async makeChunk({ id, from, count, of, by }) {
      const { query } = await get(id);
      const rows = JSON.stringify(replayRows(of, `, run ${id}`));
      const values = [id, from, count, rows, query.state, by];
      const made = await makeChunk<MadeRow>(database, values);
      if (made.length === 0) return undefined;
      return made.flatMap((row) => (row.delivery_id === null ? [] : [dueOf(row as DueRow)]));
    },
    async postpone(id, inMs, waitingFor) {
      await database.query(postponeStatement, [id, inMs, waitingFor]);
    },
    async cancelWaiting({ id, limit, after }) {
      const values = [id, after ?? firstIdOf(0), limit];
      const [last] = await database.query<{ id: string }>(cancelWaitingStatement, values);
      return last?.id;
    },
    endCancelled: async (id) => (await database.query(endCancelledStatement, [id])).length > 0,
    deleteOld: async (olderThanMs) => (await database.query(deleteStatement, [olderThanMs])).length,
  };
}

type MadeRow = Omit<DueRow, 'delivery_id'> & { readonly delivery_id: string | null };

interface ReplayRow {
  readonly id: string;
  readonly state: ReplayState;
  readonly query: ReplayQuery;
  readonly revision: ReplayRevision;
  readonly per_second: number;
  readonly targets: readonly ReplayTarget[];
  readonly expected_ms: number;
  readonly warnings: readonly string[];
  readonly total: number;
  readonly taken: number;
  readonly made: number;
  readonly created_at: Date;
  readonly created_by: string;
  readonly reason: string | null;
  readonly started_at: Date | null;
  readonly ended_at: Date | null;
  readonly waiting_for: string | null;
}

function viewOf(row: ReplayRow): ReplayView {
  const { id, state, query, revision, targets, warnings, total, taken, made } = row;
  return {
    id,
    state,
    query,
    revision,
    perSecond: row.per_second,
    targets,
    expectedMs: row.expected_ms,
    warnings,
    total,
    taken,
    made,
    createdAt: row.created_at,
    createdBy: row.created_by,
    ...(row.reason === null ? {} : { reason: row.reason }),
    ...(row.started_at === null ? {} : { startedAt: row.started_at }),
    ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
    ...(row.waiting_for === null ? {} : { waitingFor: row.waiting_for }),
  };
}

interface MemberRow {
  readonly place: number;
  readonly delivery_id: string | null;
  readonly event_id: string;
  readonly flow: string | null;
  readonly connector: string | null;
  readonly operation: string | null;
  readonly revision: string | null;
  readonly source: string;
  readonly topic: string;
  readonly shop: string | null;
  readonly key: string;
  readonly body: Buffer | null;
  readonly headers: string | null;
}

function memberOf(row: MemberRow): ReplayMember {
  const { place, flow, connector, operation, revision, source, topic, shop, key, body } = row;
  const { headers } = row;
  return {
    place,
    eventId: row.event_id,
    source,
    topic,
    key,
    ...(row.delivery_id === null ? {} : { deliveryId: row.delivery_id }),
    ...(flow === null ? {} : { flow }),
    ...(connector === null ? {} : { connector }),
    ...(operation === null ? {} : { operation }),
    ...(revision === null ? {} : { revision }),
    ...(shop === null ? {} : { shop }),
    ...(body === null ? {} : { body }),
    ...(headers === null ? {} : { headers: JSON.parse(headers) as Headers }),
  };
}
