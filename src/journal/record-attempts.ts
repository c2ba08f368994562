// The record: what became of claims, many at once, in one statement: the delivery's new state, the
// attempt, and the event that its result becomes. A result whose fence is old writes nothing.

import type { DeliveryState } from '../model/delivery.ts';
import {
  deliveryColumns,
  deliveryRecordset,
  deliveryRows,
  deliveryValues,
  eventRecordset,
  eventRows,
  weighEvent,
} from './append-events.ts';
import type { Database, Statement } from './database.ts';
import type { AttemptRecord, Recorded } from './journal.ts';
import { storableJson, storableText } from './storable-text.ts';
import { problemRecordset, problemRows, upsertProblems } from './upsert-problems.ts';

const recordParts = `
    WITH incoming AS (
      SELECT * FROM json_to_recordset($1::json) AS r(
        delivery_id uuid, fence bigint, state text, open boolean, due_in_ms float8, code text,
        reason text, held_by text, problem text, hub_error boolean, strike boolean, result text,
        tried boolean, spends boolean, duration_ms int, outcome text, ambiguous boolean, status int,
        in_doubt boolean, request text, response text)
    ), accepted AS (
      UPDATE deliveries d
      SET state = r.state, open = r.open, dead = r.state = 'dead', code = r.code, reason = r.reason,
          attempts = d.attempts + r.tried::int, spent = d.spent + r.spends::int,
          due_at = CASE WHEN r.due_in_ms IS NULL THEN d.due_at
                        ELSE clock_timestamp() + r.due_in_ms * interval '1 millisecond' END,
          lease_until = NULL, result = coalesce(r.result::json, d.result),
          held = r.state = 'held', held_by = r.held_by,
          problem = CASE WHEN r.open THEN d.problem ELSE r.problem END,
          blocks = r.state = 'dead' AND d.chain IS NOT NULL AND d.behind <> 'skip',
          running = NULL,
          -- what crashed may have called; dead ones may be tried again by hand
          ambiguous = coalesce(r.in_doubt, r.ambiguous,
                               (d.ambiguous OR d.strikes > 0) AND (r.open OR r.state = 'dead')),
          -- what is handed back unknown stays what it was suspected of
          strikes = CASE WHEN r.strike THEN d.strikes + 1
                         WHEN r.tried OR NOT r.open THEN 0 ELSE d.strikes END,
          -- in a row: nothing but a word on the delivery itself ends it
          hub_errors = CASE WHEN r.hub_error THEN d.hub_errors + 1
                            WHEN r.tried OR NOT r.open THEN 0 ELSE d.hub_errors END,
          updated_at = clock_timestamp()
      FROM incoming r
      WHERE d.id = r.delivery_id AND d.fence = r.fence AND d.state = 'active'
      RETURNING d.id, d.attempts, d.chain, d.version, r.state AS became, r.ambiguous AS unclear
    ), tried AS (
      INSERT INTO attempts (delivery_id, number, fence, started_at, duration_ms, outcome, ambiguous,
                            code, reason, status, request, response)
      SELECT r.delivery_id, a.attempts, r.fence,
             clock_timestamp() - r.duration_ms * interval '1 millisecond', r.duration_ms, r.outcome,
             r.ambiguous, r.code, r.reason, r.status, r.request::json, r.response::json
      FROM incoming r JOIN accepted a ON a.id = r.delivery_id
      WHERE r.tried
    ), sent AS (
      INSERT INTO order_keys (chain, sent_version)
      SELECT a.chain, a.version FROM accepted a
      -- What may have worked must not be followed by something older either. No join: where nothing
      -- has a version nothing is looked up.
      WHERE a.version IS NOT NULL AND (a.became = 'delivered' OR a.unclear OR (
        SELECT was.ambiguous OR was.strikes > 0 FROM deliveries was WHERE was.id = a.id))
      ON CONFLICT (chain) DO UPDATE
        SET sent_version = greatest(order_keys.sent_version, excluded.sent_version)
    ), changed AS (
      INSERT INTO changes (delivery_id, became, made_by, reason)
      SELECT r.delivery_id, r.state, 'hub', r.reason
      FROM incoming r JOIN accepted a ON a.id = r.delivery_id
      -- as it was before this statement: what is handed back again and again is told once
      JOIN deliveries was ON was.id = r.delivery_id
      WHERE NOT r.tried AND (NOT r.open OR was.reason IS DISTINCT FROM r.reason)
    ), emitted AS (
      INSERT INTO events (id, source, topic, dedupe_key, shop, body, headers, sha256, occurred_at,
                          cause_id)
      SELECT e.id, e.source, e.topic, e.dedupe_key, e.shop,
             substring($3::bytea FROM e.body_at FOR e.body_bytes), e.headers, e.sha256,
             e.occurred_at, e.cause_id
      FROM json_to_recordset($2::json) AS e${eventRecordset}
      JOIN accepted a ON a.id = e.cause_id
      ORDER BY e.source, e.dedupe_key
      ON CONFLICT (source, dedupe_key) DO NOTHING
      RETURNING id, cause_id
    ), started AS (
      INSERT INTO deliveries (${deliveryColumns})
      SELECT ${deliveryValues}
      FROM json_to_recordset($4::json) AS d${deliveryRecordset}
      JOIN emitted ON emitted.id = d.event_id
    )`;

const recordStatement: Statement = {
  name: 'record-attempts',
  text: `${recordParts}
    SELECT accepted.id::text, emitted.id::text AS emitted, false AS opened
    FROM accepted LEFT JOIN emitted ON emitted.cause_id = accepted.id`,
};

/** The same, and the deaths counted for their problems: a crash cannot come between. */
const recordDeathsStatement: Statement = {
  name: 'record-deaths',
  text: `${recordParts}, deaths AS (
      SELECT r.problem AS fingerprint, count(*) AS count, (array_agg(a.id))[1] AS sample
      FROM incoming r JOIN accepted a ON a.id = r.delivery_id
      WHERE r.problem IS NOT NULL GROUP BY r.problem
    ), seen AS (
      SELECT * FROM json_to_recordset($5::json) AS p${problemRecordset}
    ), opened AS (${upsertProblems})
    SELECT accepted.id::text, emitted.id::text AS emitted, opened.sample IS NOT NULL AS opened
    FROM accepted LEFT JOIN emitted ON emitted.cause_id = accepted.id
         LEFT JOIN opened ON opened.sample = accepted.id AND opened.opened`,
};

export async function recordAttempts(
  database: Database,
  records: readonly AttemptRecord[],
): Promise<readonly Recorded[]> {
  const emits = records.flatMap((record) =>
    record.emits === undefined ? [] : [{ ...record.emits, causeId: record.deliveryId }],
  );
  const { rows, bodies } = eventRows(emits);
  const problems = problemRows(records.flatMap(({ problem }) => problem ?? []));
  const hasDeaths = problems.length > 0;
  const accepted = await database.query<AcceptedRow>(
    hasDeaths ? recordDeathsStatement : recordStatement,
    [
      JSON.stringify(records.map(recordRow)),
      JSON.stringify(rows),
      bodies,
      JSON.stringify(emits.flatMap(deliveryRows)),
      ...(hasDeaths ? [JSON.stringify(problems)] : []),
    ],
  );
  const byId = new Map(accepted.map((row) => [row.id, recordedOf(row)]));
  const refused = records.filter((record) => !byId.has(record.deliveryId));
  for (const record of await findRecordedBefore(database, refused)) {
    const { emits } = record;
    byId.set(record.deliveryId, {
      accepted: true,
      ...(emits === undefined ? {} : { emitted: emits.id }),
    });
  }
  return records.map((record) => byId.get(record.deliveryId) ?? { accepted: false });
}

interface AcceptedRow {
  readonly id: string;
  readonly emitted: string | null;
  readonly opened: boolean;
}

function recordedOf({ emitted, opened }: AcceptedRow): Recorded {
  return {
    accepted: true,
    ...(emitted === null ? {} : { emitted }),
    ...(opened ? { openedProblem: true } : {}),
  };
}

const recordedStatement: Statement = {
  name: 'find-recorded-before',
  text: `
    SELECT d.id::text
    FROM deliveries d
    JOIN json_to_recordset($1::json) AS r(id uuid, fence bigint, state text)
      ON d.id = r.id AND d.fence = r.fence AND d.state = r.state`,
};

/** Those that an earlier try has written, whose answer was lost on the way. */
async function findRecordedBefore(
  database: Database,
  records: readonly AttemptRecord[],
): Promise<readonly AttemptRecord[]> {
  if (records.length === 0) return [];
  const wanted = records.map(({ deliveryId, fence, state }) => ({ id: deliveryId, fence, state }));
  const rows = await database.query<{ id: string }>(recordedStatement, [JSON.stringify(wanted)]);
  const found = new Set(rows.map((row) => row.id));
  return records.filter((record) => found.has(record.deliveryId));
}

const openAfter: Readonly<Record<AttemptRecord['state'], boolean>> = {
  pending: true,
  retrying: true,
  held: true,
  delivered: false,
  filtered: false,
  dead: false,
  superseded: false,
  cancelled: false,
} satisfies Record<Exclude<DeliveryState, 'active'>, boolean>;

function recordRow(record: AttemptRecord): object {
  const { attempt } = record;
  return {
    delivery_id: record.deliveryId,
    fence: record.fence,
    state: record.state,
    open: openAfter[record.state],
    due_in_ms: record.dueInMs ?? null,
    code: record.code ?? null,
    reason: orNull(record.reason, storableText),
    held_by: record.heldBy ?? null,
    problem: record.problem?.fingerprint ?? null,
    hub_error: record.hubError === true,
    strike: record.strike === true,
    result: orNull(record.result, storableJson),
    tried: attempt !== undefined,
    spends: attempt !== undefined && attempt.spends !== false,
    duration_ms: attempt?.durationMs ?? null,
    outcome: attempt?.outcome ?? null,
    ambiguous: attempt?.ambiguous ?? null,
    status: attempt?.status ?? null,
    in_doubt: record.inDoubt ?? null,
    request: orNull(attempt?.request, storableJson),
    response: orNull(attempt?.response, storableJson),
  };
}

function orNull(text: string | undefined, store: (text: string) => string): string | null {
  return text === undefined ? null : store(text);
}

/** Bytes that a record weighs in a batch. */
export function weighRecord(record: AttemptRecord): number {
  const { attempt, emits } = record;
  return (
    512 +
    (attempt?.request?.length ?? 0) +
    (attempt?.response?.length ?? 0) +
    (record.result?.length ?? 0) +
    (emits === undefined ? 0 : weighEvent(emits))
  );
}
