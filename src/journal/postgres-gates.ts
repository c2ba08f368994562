// The gates on PostgreSQL. Both tables are tiny; every time is the database's clock.

import type { Database, Statement } from './database.ts';
import {
  type Gates,
  type OpenBreaker,
  type Pause,
  type PauseScope,
  PROBE_MS_MAX,
  PROBE_MS_MIN,
  type ShutLane,
} from './gates-port.ts';
import { type DueRow, dueColumns, dueOf } from './overdue-deliveries.ts';

const breakerColumns = `opened_at, opened_code, opened_reason, probes,
  greatest(extract(epoch FROM probe_at - clock_timestamp()) * 1000, 0)::float8 AS probe_in_ms`;

const shutStatement: Statement = {
  name: 'list-shut-lanes',
  text: `
    WITH gates AS (
      SELECT connector, ${breakerColumns},
             (extract(epoch FROM rest_until - clock_timestamp()) * 1000)::float8 AS rest_ms, rest_reason
      FROM lane_gates WHERE opened_at IS NOT NULL OR rest_until > clock_timestamp()
    ), paused AS (
      SELECT name AS connector, paused_at, paused_by, reason FROM pauses WHERE scope = 'connector'
    )
    SELECT * FROM gates FULL JOIN paused USING (connector) ORDER BY connector`,
};

interface ShutRow extends BreakerRow {
  readonly connector: string;
  readonly rest_ms: number | null;
  readonly rest_reason: string | null;
  readonly paused_at: Date | null;
  readonly paused_by: string | null;
  readonly reason: string | null;
}

interface BreakerRow {
  readonly opened_at: Date | null;
  readonly opened_code: string | null;
  readonly opened_reason: string | null;
  readonly probes: number;
  readonly probe_in_ms: number | null;
}

const pausesStatement: Statement = {
  name: 'list-pauses',
  text: 'SELECT scope, name, paused_at, paused_by, reason FROM pauses ORDER BY paused_at, scope, name',
};

interface PauseRow {
  readonly scope: PauseScope;
  readonly name: string;
  readonly paused_at: Date;
  readonly paused_by: string;
  readonly reason: string | null;
}

const pauseStatement: Statement = {
  name: 'pause-one',
  text: `
    WITH paused AS (
      INSERT INTO pauses (scope, name, paused_by, reason) VALUES ($1, $2, $3, $4)
      ON CONFLICT (scope, name) DO NOTHING RETURNING *
    ), traced AS (
      INSERT INTO changes (connector, became, made_by, reason)
      SELECT ${changedName('paused')}, 'paused', $3, $4 FROM paused
    )
    SELECT name FROM paused`,
};

const resumeStatement: Statement = {
  name: 'resume-one',
  text: `
    WITH resumed AS (
      DELETE FROM pauses WHERE scope = $1 AND name = $2 RETURNING scope, name
    ), opened AS (
      UPDATE lane_gates SET opened_at = NULL, opened_code = NULL, opened_reason = NULL,
             rest_until = NULL, rest_reason = NULL, updated_at = clock_timestamp()
      WHERE $1 = 'connector' AND connector = $2
        AND (opened_at IS NOT NULL OR rest_until > clock_timestamp())
      RETURNING 'connector' AS scope, connector AS name
    ), freed AS (
      SELECT scope, name FROM resumed UNION SELECT scope, name FROM opened
    ), traced AS (
      INSERT INTO changes (connector, became, made_by)
      SELECT ${changedName('freed')}, 'resumed', $3 FROM freed
    )
    SELECT name FROM freed`,
};

/** A lane is traced by its connector, a flow or an operation with its scope before it. */
function changedName(row: string): string {
  return `CASE ${row}.scope WHEN 'connector' THEN ${row}.name ELSE ${row}.scope || ':' || ${row}.name END`;
}

// Which names hold something is asked of the index alone, name after name, however many
// deliveries each holds.
const releaseStatement: Statement = {
  name: 'release-held',
  text: `
    WITH RECURSIVE holders AS (
      (SELECT held_by FROM deliveries WHERE held ORDER BY held_by LIMIT 1)
      UNION ALL
      SELECT (SELECT held_by FROM deliveries WHERE held AND held_by > h.held_by
              ORDER BY held_by LIMIT 1)
      FROM holders h WHERE h.held_by IS NOT NULL
    ), over AS (
      SELECT held_by FROM holders
      WHERE (held_by LIKE 'flow:%' OR held_by LIKE 'operation:%')
        AND NOT EXISTS (SELECT 1 FROM pauses p WHERE p.scope || ':' || p.name = held_by)
    ), freed AS (
      SELECT f.id FROM over CROSS JOIN LATERAL (
        SELECT id FROM deliveries
        WHERE held AND held_by = over.held_by
          AND updated_at <= clock_timestamp() - $2 * interval '1 millisecond'
        ORDER BY id LIMIT $1
      ) f ORDER BY f.id LIMIT $1
    ), d AS (
      UPDATE deliveries SET state = CASE WHEN attempts > 0 THEN 'retrying' ELSE 'pending' END,
             held = false, held_by = NULL, round = round + 1, updated_at = clock_timestamp()
      WHERE id IN (SELECT id FROM freed) AND held
      RETURNING *
    )
    SELECT ${dueColumns} FROM d JOIN events e ON e.id = d.event_id ORDER BY d.id`,
};

const restStatement: Statement = {
  name: 'rest-lane',
  text: `
    INSERT INTO lane_gates AS g (connector, rest_until, rest_reason)
    VALUES ($1, clock_timestamp() + $2 * interval '1 millisecond', $3)
    ON CONFLICT (connector) DO UPDATE
    SET rest_until = excluded.rest_until, rest_reason = excluded.rest_reason,
        updated_at = clock_timestamp()
    WHERE g.rest_until IS NULL OR g.rest_until < excluded.rest_until`,
};

/** A breaker that opens again within this time after its last probe was due is still failing. */
const RELAPSE_MS = 60_000;

const probePause = (probes: string): string =>
  `least(${PROBE_MS_MAX}, ${PROBE_MS_MIN} * power(2, least(${probes}, 10)))
   * interval '1 millisecond'`;

const openStatement: Statement = {
  name: 'open-breaker',
  text: `
    WITH opened AS (
      INSERT INTO lane_gates AS g (connector, opened_at, opened_code, opened_reason, probe_at)
      VALUES ($1, clock_timestamp(), $2, $3, clock_timestamp() + ${probePause('0')})
      ON CONFLICT (connector) DO UPDATE
      SET opened_at = excluded.opened_at, opened_code = $2, opened_reason = $3,
          probes = ${stillFailing()}, probe_at = clock_timestamp() + ${probePause(stillFailing())},
          updated_at = clock_timestamp()
      WHERE g.opened_at IS NULL
      RETURNING connector, opened_at
    ), traced AS (
      INSERT INTO changes (connector, became, made_by, reason)
      SELECT connector, 'opened', 'hub', $3 FROM opened
    )
    SELECT opened_at FROM opened`,
};

function stillFailing(): string {
  return `CASE WHEN g.probe_at > clock_timestamp() - interval '${RELAPSE_MS} milliseconds'
               THEN g.probes ELSE 0 END`;
}

const closeStatement: Statement = {
  name: 'close-breaker',
  text: `
    WITH was AS (
      SELECT connector, ${breakerColumns} FROM lane_gates
      WHERE connector = $1 AND opened_at IS NOT NULL FOR UPDATE
    ), closed AS (
      UPDATE lane_gates g SET opened_at = NULL, opened_code = NULL, opened_reason = NULL,
             updated_at = clock_timestamp()
      FROM was WHERE g.connector = was.connector
    ), traced AS (
      INSERT INTO changes (connector, became, made_by) SELECT connector, 'closed', 'hub' FROM was
    )
    SELECT * FROM was`,
};

const probeStatement: Statement = {
  name: 'take-probe',
  text: `
    UPDATE lane_gates g
    SET probes = g.probes + 1, probe_at = clock_timestamp() + ${probePause('g.probes + 1')}
    WHERE g.connector = $1 AND g.opened_at IS NOT NULL AND g.probe_at <= clock_timestamp()
      AND (g.rest_until IS NULL OR g.rest_until <= clock_timestamp())
      AND NOT EXISTS (SELECT 1 FROM pauses WHERE scope = 'connector' AND name = $1)
    RETURNING g.probes`,
};

// A range and its order name the index of the connector to a planner that guesses: by an equality it
// may take that of all that is due, and read the backlog of every other lane.
export const firstDueStatement: Statement = {
  name: 'find-first-due',
  text: `
    SELECT ${dueColumns} FROM deliveries d JOIN events e ON e.id = d.event_id
    WHERE d.open AND NOT d.held AND d.connector BETWEEN $1 AND $1
      AND (d.lease_until IS NULL OR d.lease_until < clock_timestamp())
      AND NOT EXISTS (SELECT 1 FROM pauses p WHERE ${stops('p', 'd')})
    ORDER BY d.connector, d.due_at, d.id LIMIT 1`,
};

/** Whether the pause `p` stops the delivery `d` by its flow or operation. */
export function stops(p: string, d: string): string {
  return `(${p}.scope = 'flow' AND ${p}.name = ${d}.flow
    OR ${p}.scope = 'operation' AND ${p}.name = ${d}.connector || '.' || ${d}.operation)`;
}

export function postgresGates(database: Database): Gates {
  const changed = async (statement: Statement, values: readonly unknown[]): Promise<boolean> =>
    (await database.query(statement, values)).length > 0;
  return {
    async listShutLanes() {
      return (await database.query<ShutRow>(shutStatement)).map(shutLaneOf);
    },
    async listPauses() {
      return (await database.query<PauseRow>(pausesStatement)).map(pauseOf);
    },
    pause: ({ scope, name, by, reason }) =>
      changed(pauseStatement, [scope, name, by, reason ?? null]),
    resume: ({ scope, name, by }) => changed(resumeStatement, [scope, name, by]),
    async releaseHeld({ limit, heldMs = 0 }) {
      return (await database.query<DueRow>(releaseStatement, [limit, heldMs])).map(dueOf);
    },
    async rest({ connector, ms, reason }) {
      await database.query(restStatement, [connector, ms, reason]);
    },
    async openBreaker({ connector, code, reason }) {
      const values = [connector, code, reason];
      const [row] = await database.query<{ opened_at: Date }>(openStatement, values);
      return row?.opened_at;
    },
    async closeBreaker(connector) {
      const [row] = await database.query<BreakerRow>(closeStatement, [connector]);
      return row === undefined ? undefined : breakerOf(row);
    },
    takeProbe: (connector) => changed(probeStatement, [connector]),
    async findFirstDue(connector) {
      const [row] = await database.query<DueRow>(firstDueStatement, [connector]);
      return row === undefined ? undefined : dueOf(row);
    },
  };
}

function pauseOf(row: PauseRow): Pause {
  const { scope, name, paused_at: at, paused_by: by, reason } = row;
  return { scope, name, at, by, ...(reason === null ? {} : { reason }) };
}

function breakerOf(row: BreakerRow): OpenBreaker | undefined {
  const { opened_at: at, opened_code, opened_reason, probes, probe_in_ms } = row;
  if (at === null) return undefined;
  return {
    at,
    code: opened_code ?? 'connection-failed',
    reason: opened_reason ?? '',
    probes,
    probeInMs: Math.round(probe_in_ms ?? 0),
  };
}

function shutLaneOf(row: ShutRow): ShutLane {
  const { connector, rest_ms, rest_reason, paused_at: at, paused_by: by, reason } = row;
  const breaker = breakerOf(row);
  return {
    connector,
    ...(at === null || by === null
      ? {}
      : { pause: { at, by, ...(reason === null ? {} : { reason }) } }),
    ...(breaker === undefined ? {} : { breaker }),
    ...(rest_ms === null || rest_ms <= 0
      ? {}
      : { rest: { forMs: Math.ceil(rest_ms), reason: rest_reason ?? '' } }),
  };
}
