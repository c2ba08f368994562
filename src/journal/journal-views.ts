// What people read: events, deliveries, attempts, lanes. Never on the way of a message.

import type { DeliveryState } from '../model/delivery.ts';
import { idempotencyKey } from '../model/delivery.ts';
import { isId } from '../model/ids.ts';
import type { Json } from '../model/json.ts';
import { type EventRow, eventOf } from './claim-deliveries.ts';
import type { Database, Statement } from './database.ts';
import type {
  AttemptView,
  ChangeView,
  DeliveryView,
  EventSummary,
  Journal,
  LaneSummary,
} from './journal.ts';

const PAGE_DEFAULT = 50;
const PAGE_MAX = 500;

const getEventStatement: Statement = {
  name: 'get-event',
  text: `SELECT id::text, source, topic, dedupe_key, shop, body, headers::text, sha256, occurred_at,
                received_at, cause_id::text, unreadable
         FROM events WHERE id = $1::uuid`,
};

const listEventsStatement: Statement = {
  name: 'list-events',
  text: `
    WITH page AS (
      SELECT id, source, topic, dedupe_key, shop, length(body) AS bytes, received_at,
             unreadable
      FROM events
      WHERE ($1::text IS NULL OR source = $1) AND ($2::text IS NULL OR topic = $2)
        AND ($3::text IS NULL OR dedupe_key = $3) AND ($4::text IS NULL OR shop = $4)
        AND ($5::uuid IS NULL OR id < $5::uuid)
      ORDER BY id DESC LIMIT $6
    )
    SELECT p.id::text, p.source, p.topic, p.dedupe_key AS key, p.shop, p.bytes, p.received_at,
           p.unreadable,
           (SELECT coalesce(json_object_agg(state, n), '{}') FROM (
              SELECT state, count(*) AS n FROM deliveries WHERE event_id = p.id GROUP BY state
            ) s) AS deliveries
    FROM page p ORDER BY p.id DESC`,
};

const listDeliveriesStatement: Statement = {
  name: 'list-deliveries',
  text: `
    SELECT d.id::text, d.event_id::text, d.flow, d.connector, d.operation, d.revision, d.state,
           d.code, d.reason, d.held_by, d.attempts, d.created_at, d.updated_at, d.due_at, d.result::text,
           d.replay_of::text, e.source, e.topic, e.dedupe_key
    FROM deliveries d JOIN events e ON e.id = d.event_id
    WHERE ($1::uuid IS NULL OR d.id = $1::uuid) AND ($2::text IS NULL OR d.flow = $2)
      AND ($3::text IS NULL OR d.connector = $3) AND ($4::text IS NULL OR d.state = $4)
      AND ($5::uuid IS NULL OR d.event_id = $5::uuid) AND ($6::uuid IS NULL OR d.id < $6::uuid)
      AND ($8::text IS NULL OR d.problem = $8 AND (d.dead OR d.open))
    ORDER BY d.id DESC LIMIT $7`,
};

const attemptsStatement: Statement = {
  name: 'list-attempts',
  text: `SELECT number, started_at, duration_ms, outcome, ambiguous, code, reason, status, request,
                response
         FROM attempts WHERE delivery_id = $1::uuid ORDER BY number`,
};

const changesStatement: Statement = {
  name: 'list-changes',
  text: `SELECT at, became, made_by, reason FROM changes WHERE delivery_id = $1::uuid ORDER BY id`,
};

const lanesStatement: Statement = {
  name: 'summarize-lanes',
  text: `
    WITH open AS (
      SELECT connector, count(*)::int AS open,
             max(extract(epoch FROM clock_timestamp() - due_at) * 1000)
               FILTER (WHERE NOT held)::float8 AS oldest
      FROM deliveries WHERE open GROUP BY connector
    ), dead AS (
      SELECT connector, count(*)::int AS dead FROM deliveries WHERE dead GROUP BY connector
    ), paused AS (
      SELECT name AS connector, paused_by, paused_at FROM pauses WHERE scope = 'connector'
    ), lanes AS (
      SELECT connector FROM open UNION SELECT connector FROM dead
      UNION SELECT connector FROM paused
    )
    SELECT connector, coalesce(open, 0) AS open, coalesce(dead, 0) AS dead,
           greatest(coalesce(oldest, 0), 0) AS oldest, paused_by, paused_at
    FROM lanes LEFT JOIN open USING (connector) LEFT JOIN dead USING (connector)
         LEFT JOIN paused USING (connector)
    ORDER BY connector`,
};

type Views = Pick<
  Journal,
  | 'getEvent'
  | 'listEvents'
  | 'getDelivery'
  | 'listDeliveries'
  | 'listAttempts'
  | 'listChanges'
  | 'summarizeLanes'
>;

/** Text that is no id names nothing: the same answer as for an id that is not there. */
export function journalViews(database: Database): Views {
  return {
    async getEvent(id) {
      if (!isId(id)) return undefined;
      const [row] = await database.query<EventRow>(getEventStatement, [id]);
      return row === undefined ? undefined : eventOf(row);
    },
    async listEvents({ source, topic, key, shop, before, limit }) {
      const filters = [source, topic, key, shop, before].map((value) => value ?? null);
      const rows = await database.query<EventListRow>(listEventsStatement, [
        ...filters,
        pageSize(limit),
      ]);
      return rows.map(summaryOf);
    },
    async getDelivery(id) {
      if (!isId(id)) return undefined;
      const values = [id, null, null, null, null, null, 1, null];
      const [row] = await database.query<DeliveryRow>(listDeliveriesStatement, values);
      return row === undefined ? undefined : deliveryOf(row);
    },
    async listDeliveries({ flow, connector, state, eventId, problem, before, limit }) {
      const filters = [null, flow, connector, state, eventId, before].map((value) => value ?? null);
      const values = [...filters, pageSize(limit), problem ?? null];
      const rows = await database.query<DeliveryRow>(listDeliveriesStatement, values);
      return rows.map(deliveryOf);
    },
    async listAttempts(deliveryId) {
      if (!isId(deliveryId)) return [];
      return (await database.query<AttemptRow>(attemptsStatement, [deliveryId])).map(attemptOf);
    },
    async listChanges(deliveryId) {
      if (!isId(deliveryId)) return [];
      return (await database.query<ChangeRow>(changesStatement, [deliveryId])).map(changeOf);
    },
    async summarizeLanes() {
      return (await database.query<LaneRow>(lanesStatement)).map(laneOf);
    },
  };
}

function pageSize(limit: number | undefined): number {
  return Math.min(PAGE_MAX, Math.max(1, limit ?? PAGE_DEFAULT));
}

type EventListRow = Omit<EventSummary, 'receivedAt' | 'shop' | 'unreadable'> & {
  readonly shop: string | null;
  readonly unreadable: string | null;
  readonly received_at: Date;
};

function summaryOf({ received_at, shop, unreadable, ...row }: EventListRow): EventSummary {
  return { ...row, receivedAt: received_at, ...present({ shop, unreadable }) };
}

interface DeliveryRow {
  readonly id: string;
  readonly event_id: string;
  readonly flow: string;
  readonly connector: string;
  readonly operation: string;
  readonly revision: string;
  readonly state: DeliveryState;
  readonly code: string | null;
  readonly reason: string | null;
  readonly held_by: string | null;
  readonly attempts: number;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly due_at: Date;
  readonly result: string | null;
  readonly replay_of: string | null;
  readonly source: string;
  readonly topic: string;
  readonly dedupe_key: string;
}

function deliveryOf(row: DeliveryRow): DeliveryView {
  const { id, flow, connector, operation, revision, state, attempts, source, topic } = row;
  const waits = state === 'pending' || state === 'retrying';
  return {
    id,
    eventId: row.event_id,
    flow,
    connector,
    operation,
    revision,
    state,
    attempts,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    idempotencyKey: idempotencyKey(row.event_id, flow),
    source,
    topic,
    key: row.dedupe_key,
    ...present({
      code: row.code,
      reason: row.reason,
      heldBy: row.held_by,
      result: row.result,
      replayOf: row.replay_of,
      dueAt: waits ? row.due_at : null,
    }),
  };
}

interface AttemptRow {
  readonly number: number;
  readonly started_at: Date;
  readonly duration_ms: number;
  readonly outcome: string;
  readonly ambiguous: boolean;
  readonly code: string | null;
  readonly reason: string | null;
  readonly status: number | null;
  readonly request: Json | null;
  readonly response: Json | null;
}

function attemptOf(row: AttemptRow): AttemptView {
  const { number, outcome, ambiguous, code, reason, status, request, response } = row;
  return {
    number,
    startedAt: row.started_at,
    durationMs: row.duration_ms,
    outcome,
    ambiguous,
    ...present({ code, reason, status, request, response }),
  };
}

interface ChangeRow {
  readonly at: Date;
  readonly became: string;
  readonly made_by: string;
  readonly reason: string | null;
}

function changeOf({ at, became, made_by, reason }: ChangeRow): ChangeView {
  return { at, to: became, by: made_by, ...present({ reason }) };
}

interface LaneRow {
  readonly connector: string;
  readonly open: number;
  readonly dead: number;
  readonly oldest: number;
  readonly paused_by: string | null;
  readonly paused_at: Date | null;
}

function laneOf({ connector, open, dead, oldest, paused_by, paused_at }: LaneRow): LaneSummary {
  const paused = present({ pausedBy: paused_by, pausedAt: paused_at });
  return { connector, open, dead, oldestDueMs: Math.round(oldest), ...paused };
}

/** The fields that have a value. */
function present<T extends Readonly<Record<string, unknown>>>(
  fields: T,
): { [K in keyof T]?: NonNullable<T[K]> } {
  const kept = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(kept) as { [K in keyof T]?: NonNullable<T[K]> };
}
