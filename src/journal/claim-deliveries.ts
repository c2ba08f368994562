// The claim: takes deliveries for a while and loads what an attempt needs, many at once. Those with
// a place in an order are left to claim-ordered.ts.

import type { DeliveryState } from '../model/delivery.ts';
import type { Event, Headers } from '../model/event.ts';
import type { OutcomeCode } from '../model/outcome.ts';
import type { Database, Statement } from './database.ts';
import type { Claim, Claimed } from './journal.ts';
import { stops } from './postgres-gates.ts';

export interface ClaimRequest {
  readonly deliveryId: string;
  readonly round: number;
  readonly leaseMs: number;
}

/** When those are looked at again of whom the journal did not say what keeps them. */
export const UNEXPLAINED_MS = 2_000;

export const claimRecordset = '(id uuid, round int, lease_ms int)';

/**
 * Whether a delivery `d` may be claimed by the request `r`, its order apart, and no pause stops it. A job may come a blink
 * early: its delay was counted on another clock than the database's.
 */
export const isClaimable = `d.open AND d.round = r.round AND NOT d.held
        AND d.due_at <= clock_timestamp() + interval '20 milliseconds'
        AND (d.lease_until IS NULL OR d.lease_until <= clock_timestamp())
        AND NOT EXISTS (SELECT 1 FROM pauses p WHERE ${stops('p', 'd')})`;

/** What an attempt needs, of a claimed delivery `c` and its event `e`. */
export const claimColumns = `c.id::text AS delivery_id, c.round, c.fence::text, c.flow, c.revision,
           c.attempts, c.spent,
           (extract(epoch FROM clock_timestamp() - c.opened_at) * 1000)::float8 AS age_ms,
           c.strikes, c.ambiguous OR c.strikes > 0 AS ambiguous, c.hub_errors, c.code, c.chain,
           c.replay_of::text, e.id::text, e.source, e.topic, e.dedupe_key, e.shop,
           coalesce(c.body, e.body) AS body, e.headers::text, e.sha256,
           -- said of the body that came, not of the one that a person wrote for a replay
           CASE WHEN c.body IS NULL THEN e.unreadable END AS unreadable,
           e.occurred_at, e.received_at`;

// A claim that vanished makes a suspect, however often: only a death that was seen is one strike more.
// The commit need not wait for the disk: a claim that a power loss undoes was never made, and the
// delivery is due again.
const claimStatement: Statement = {
  name: 'claim-deliveries',
  text: `
    WITH commit AS MATERIALIZED (
      SELECT set_config('synchronous_commit', 'off', true)
    ), claimed AS (
      UPDATE deliveries d
      SET state = 'active', fence = d.fence + 1,
          strikes = greatest(d.strikes, (d.state = 'active')::int),
          lease_until = clock_timestamp() + r.lease_ms * interval '1 millisecond'
      FROM json_to_recordset($1::json) AS r${claimRecordset}
      WHERE d.id = r.id AND d.chain IS NULL AND ${isClaimable}
      RETURNING d.id, d.round, d.event_id, d.fence, d.flow, d.revision, d.attempts, d.spent,
                d.opened_at, d.strikes, d.ambiguous, d.hub_errors, d.code, d.chain, d.replay_of,
                d.body
    )
    SELECT ${claimColumns}
    FROM claimed c LEFT JOIN events e ON e.id = c.event_id
    WHERE (SELECT set_config FROM commit) IS NOT NULL`,
};

// What a pause of its flow or operation stops is set aside here and comes again when that is over.
const refusedStatement: Statement = {
  name: 'explain-refused-claims',
  text: `
    WITH asked AS (
      SELECT * FROM json_to_recordset($1::json) AS r${claimRecordset}
    ), stopped AS (
      UPDATE deliveries d
      SET state = 'held', held = true, held_by = p.scope || ':' || p.name, lease_until = NULL,
          -- what was active has vanished: it may have been sent, and is a suspect
          running = NULL, strikes = greatest(d.strikes, (d.state = 'active')::int),
          ambiguous = d.ambiguous OR d.state = 'active', updated_at = clock_timestamp()
      FROM asked r, pauses p
      WHERE d.id = r.id AND d.open AND d.round = r.round AND NOT d.held
        AND (d.lease_until IS NULL OR d.lease_until <= clock_timestamp()) AND ${stops('p', 'd')}
      RETURNING d.id, d.round, d.chain, d.version, d.settle_ms, d.strikes
    ), doubted AS (
      INSERT INTO order_keys (chain, sent_at, sent_version)
      SELECT chain, '-infinity', max(version) FROM stopped
      WHERE settle_ms IS NOT NULL AND strikes > 0 GROUP BY chain
      ON CONFLICT (chain) DO UPDATE
        SET sent_version = greatest(order_keys.sent_version, excluded.sent_version)
    )
    SELECT d.id::text AS delivery_id, r.round,
           d.open AND d.round = r.round AND NOT d.held AND s.id IS NULL AS waits,
           d.chain IS NOT NULL AND ${isClaimable} AS ordered,
           CASE WHEN s.id IS NULL THEN d.state ELSE 'held' END AS state,
           (extract(epoch FROM greatest(d.due_at, d.lease_until) - clock_timestamp()) * 1000)::float8
             AS in_ms
    FROM deliveries d JOIN asked r ON d.id = r.id
         LEFT JOIN stopped s ON s.id = d.id AND s.round = r.round`,
};

/** Its event is null where a replay came while retention was deleting it. */
export interface ClaimRow extends Omit<EventRow, 'id'> {
  readonly delivery_id: string;
  readonly round: number;
  readonly id: string | null;
  readonly fence: string;
  readonly flow: string;
  readonly revision: string;
  readonly attempts: number;
  readonly spent: number;
  readonly age_ms: number;
  readonly strikes: number;
  readonly ambiguous: boolean;
  readonly hub_errors: number;
  readonly code: OutcomeCode | null;
  readonly chain: string | null;
  readonly replay_of: string | null;
}

interface RefusedRow {
  readonly delivery_id: string;
  readonly round: number;
  readonly waits: boolean;
  readonly ordered: boolean;
  readonly state: DeliveryState;
  readonly in_ms: number | null;
}

/**
 * `ordered`: it may be claimed but for its order, which is for others to judge.
 *
 * From the first claim on nothing may fail the batch: whoever is claimed and does not hear of it
 * waits for its lease, and comes back as a suspect. Without a claim an error is everybody's.
 */
export async function claimDeliveries(
  database: Database,
  requests: readonly ClaimRequest[],
): Promise<readonly (Claimed | { readonly kind: 'ordered' })[]> {
  const rows = await database.query<ClaimRow>(claimStatement, [recordset(requests)]);
  const claims = new Map(rows.map((row) => [keyOf(row), answerOf(row)]));
  await cancelOrphans(database, rows);
  const refused = requests.filter((request) => !claims.has(requestKey(request)));
  const reasons = await explain(database, refused, claims.size > 0);
  const given = new Set<string>();
  return requests.map((request) => {
    const key = requestKey(request);
    const answer = claims.get(key);
    if (answer === undefined) return reasons.get(key) ?? { kind: 'gone', state: 'unknown' };
    // Asked for twice in one batch: the first one has it.
    if (given.has(key)) return { kind: 'later', inMs: request.leaseMs };
    given.add(key);
    return answer;
  });
}

async function explain(
  database: Database,
  requests: readonly ClaimRequest[],
  hasClaims: boolean,
): Promise<Map<string, Claimed | { readonly kind: 'ordered' }>> {
  if (requests.length === 0) return new Map();
  try {
    const rows = await database.query<RefusedRow>(refusedStatement, [recordset(requests)]);
    return new Map(rows.map((row) => [keyOf(row), whyRefused(row)]));
  } catch (error) {
    if (!hasClaims) throw error;
    const later: Claimed = { kind: 'later', inMs: UNEXPLAINED_MS };
    return new Map(requests.map((request) => [requestKey(request), later]));
  }
}

function whyRefused(row: RefusedRow): Claimed | { readonly kind: 'ordered' } {
  if (row.ordered) return { kind: 'ordered' };
  if (!row.waits) return { kind: 'gone', state: row.state };
  return { kind: 'later', inMs: Math.max(1, Math.ceil(row.in_ms ?? 0)) };
}

const cancelStatement: Statement = {
  name: 'cancel-orphans',
  text: `UPDATE deliveries SET state = 'cancelled', open = false, reason = 'its event is deleted',
                lease_until = NULL, running = NULL, updated_at = clock_timestamp()
         WHERE id = ANY($1::uuid[]) AND open`,
};

/** What cannot be cancelled beside claims is so by its next claim, when its lease has ended. */
export async function cancelOrphans(database: Database, rows: readonly ClaimRow[]): Promise<void> {
  const orphans = rows.filter((row) => row.id === null).map((row) => row.delivery_id);
  if (orphans.length === 0) return;
  try {
    await database.query(cancelStatement, [orphans]);
  } catch (error) {
    if (orphans.length === rows.length) throw error;
  }
}

export function keyOf(row: { readonly delivery_id: string; readonly round: number }): string {
  return `${row.delivery_id}.${row.round}`;
}

export function requestKey({ deliveryId, round }: ClaimRequest): string {
  return keyOf({ delivery_id: deliveryId, round });
}

export function recordset(requests: readonly ClaimRequest[]): string {
  return JSON.stringify(
    requests.map(({ deliveryId, round, leaseMs }) => ({
      id: deliveryId,
      round,
      lease_ms: leaseMs,
    })),
  );
}

export function answerOf(row: ClaimRow): Claimed {
  const { id } = row;
  if (id === null) return { kind: 'gone', state: 'cancelled' };
  return { kind: 'claimed', claim: claimOf(row, eventOf({ ...row, id })) };
}

function claimOf(row: ClaimRow, event: Event): Claim {
  return {
    deliveryId: row.delivery_id,
    fence: row.fence,
    flow: row.flow,
    revision: row.revision,
    attempts: row.attempts,
    spent: row.spent,
    ageMs: row.age_ms,
    strikes: row.strikes,
    ambiguous: row.ambiguous,
    hubErrors: row.hub_errors,
    ...(row.code === null ? {} : { lastCode: row.code }),
    ...(row.chain === null ? {} : { chain: row.chain }),
    ...(row.replay_of === null ? {} : { replayOf: row.replay_of }),
    event,
  };
}

export interface EventRow {
  readonly id: string;
  readonly source: string;
  readonly topic: string;
  readonly dedupe_key: string;
  readonly shop: string | null;
  readonly body: Buffer;
  readonly headers: string;
  readonly sha256: string;
  readonly occurred_at: Date | null;
  readonly received_at: Date;
  readonly cause_id?: string | null;
  readonly unreadable?: string | null;
}

export function eventOf(row: EventRow): Event {
  return {
    id: row.id,
    source: row.source,
    topic: row.topic,
    dedupeKey: row.dedupe_key,
    body: row.body,
    headers: JSON.parse(row.headers) as Headers,
    sha256: row.sha256,
    receivedAt: row.received_at,
    ...(row.shop === null ? {} : { shop: row.shop }),
    ...(row.occurred_at === null ? {} : { occurredAt: row.occurred_at }),
    ...(row.cause_id == null ? {} : { causeId: row.cause_id }),
    ...(row.unreadable == null ? {} : { unreadable: row.unreadable }),
  };
}
