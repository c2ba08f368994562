// The claim of deliveries that have a place in an order: takes the one whose turn it is, and says
// of every other what it becomes. In one statement, so that a claim costs one look more.
//
//   claimed ──▶ active      nothing is in front
//           ──▶ held        another one of its chain is active, or an earlier one open or in the way
//           ──▶ dead        an earlier one is dead, and the flow parks what comes behind
//           ──▶ superseded  a newer version is open, or was sent
//           ──▶ (later)     its key was called a moment ago: due when that has settled
//
// What keeps two of one chain apart is the unique index on `running`, not this statement: each
// claim judges by what was committed when it began, and two could find the way free at once (an
// append that commits late puts one in front of another that is just being claimed). One of them
// then meets the index and comes again a moment later. For what is held see advance-chains.ts.
//
// Who is superseded by an open one gives it its turn: the claim is then of the newest. Otherwise a
// key whose versions come faster than its lane gets to them would never be called: the newest is
// always the last in the lane.

import { isCrossdockError } from '../model/errors.ts';
import type { OutcomeCode } from '../model/outcome.ts';
import { inFront, newerOpen, newerSent, settledAt } from './chain-rules.ts';
import {
  answerOf,
  type ClaimRequest,
  type ClaimRow,
  cancelOrphans,
  claimColumns,
  claimDeliveries,
  claimRecordset,
  isClaimable,
  keyOf,
  recordset,
  requestKey,
  UNEXPLAINED_MS,
} from './claim-deliveries.ts';
import { type Database, isCollision, isRowFault, type Statement, sqlState } from './database.ts';
import type { Claimed } from './journal.ts';

/** After another claim was in the way. */
const COLLIDED_MS = 50;

const parkedCode: OutcomeCode = 'order-parked';

const claimOrderedStatement: Statement = {
  name: 'claim-ordered',
  text: `
    WITH commit AS MATERIALIZED (
      SELECT set_config('synchronous_commit', 'off', true)
    ), judged AS MATERIALIZED (
      SELECT d.id, d.round, d.fence, d.state AS was, r.lease_ms, front.problem,
             -- the turn is given within the lane only: its lease and its limits are the lane's
             CASE WHEN newer.connector = d.connector THEN newer.id END AS newer,
             newer.round AS newer_round,
             ${settledAt} AS settled_at,
             CASE
               WHEN newer.id IS NOT NULL OR ${newerSent} THEN 'superseded'
               WHEN front.rank = 4 AND d.behind = 'park' THEN 'dead'
               WHEN front.id IS NOT NULL THEN 'held'
               WHEN ${settledAt} > clock_timestamp() + interval '20 milliseconds' THEN 'later'
               ELSE 'active'
             END AS becomes,
             CASE
               WHEN newer.id IS NOT NULL
                 THEN 'a newer one of the same key is there: delivery ' || newer.id
               WHEN ${newerSent} THEN 'a newer one of the same key was sent'
               WHEN front.rank = 4 THEN 'an earlier one of the same key is dead: delivery ' || front.id
               WHEN front.rank = 1 THEN 'another one of the same key is active: delivery ' || front.id
               ELSE 'an earlier one of the same key is in front: delivery ' || front.id
             END AS reason
      FROM json_to_recordset($1::json) AS r${claimRecordset}
      JOIN deliveries d ON d.id = r.id
      LEFT JOIN order_keys k ON k.chain = d.chain
      LEFT JOIN LATERAL (${newerOpen}) newer ON true
      LEFT JOIN LATERAL (${inFront}) front ON true
      WHERE d.chain IS NOT NULL AND ${isClaimable}
    ), moved AS (
      UPDATE deliveries d
      SET state = CASE WHEN j.becomes <> 'later' THEN j.becomes
                       WHEN d.attempts > 0 THEN 'retrying' ELSE 'pending' END,
          open = j.becomes IN ('active', 'held', 'later'),
          dead = j.becomes = 'dead', blocks = j.becomes = 'dead',
          held = j.becomes = 'held',
          held_by = CASE j.becomes WHEN 'held' THEN 'order' END,
          running = CASE j.becomes WHEN 'active' THEN d.chain END,
          fence = d.fence + (j.becomes = 'active')::int,
          strikes = greatest(d.strikes, (d.state = 'active')::int),
          lease_until = CASE j.becomes
            WHEN 'active' THEN clock_timestamp() + j.lease_ms * interval '1 millisecond' END,
          due_at = CASE j.becomes WHEN 'later' THEN j.settled_at ELSE d.due_at END,
          code = CASE WHEN j.becomes = 'dead' THEN '${parkedCode}'
                      WHEN j.becomes IN ('active', 'later') THEN d.code END,
          reason = CASE WHEN j.becomes IN ('active', 'later') THEN d.reason ELSE j.reason END,
          problem = CASE j.becomes WHEN 'dead' THEN j.problem ELSE d.problem END,
          updated_at = CASE j.becomes WHEN 'active' THEN d.updated_at ELSE clock_timestamp() END
      FROM judged j
      -- as it was judged: nobody has claimed, promoted, cancelled or advanced it meanwhile
      WHERE d.id = j.id AND d.round = j.round AND d.fence = j.fence AND d.state = j.was
        AND d.open AND NOT d.held
      RETURNING d.*, j.becomes, j.was, j.newer, j.newer_round
    ), called AS (
      -- At most one row of a chain: while one of it is active nobody else becomes so. What was
      -- active and never recorded may have been sent.
      INSERT INTO order_keys (chain, sent_at, sent_version)
      SELECT chain, CASE becomes WHEN 'active' THEN clock_timestamp() ELSE '-infinity' END,
             CASE was WHEN 'active' THEN version END
      FROM moved
      WHERE settle_ms IS NOT NULL AND (becomes = 'active' OR was = 'active')
      ON CONFLICT (chain) DO UPDATE
        SET sent_at = greatest(order_keys.sent_at, excluded.sent_at),
            sent_version = greatest(order_keys.sent_version, excluded.sent_version)
    ), traced AS (
      INSERT INTO changes (delivery_id, became, made_by, reason)
      SELECT id, becomes, 'hub', reason FROM moved WHERE becomes IN ('held', 'dead', 'superseded')
    )
    SELECT ${claimColumns}, c.becomes, c.reason, c.newer::text, c.newer_round,
           (extract(epoch FROM c.due_at - clock_timestamp()) * 1000)::float8 AS in_ms
    FROM moved c LEFT JOIN events e ON e.id = c.event_id
    WHERE (SELECT set_config FROM commit) IS NOT NULL`,
};

interface OrderedRow extends ClaimRow {
  readonly chain: string;
  readonly becomes: 'active' | 'held' | 'dead' | 'superseded' | 'later';
  readonly reason: string | null;
  readonly in_ms: number;
  /** The open one that it is superseded by. */
  readonly newer: string | null;
  readonly newer_round: number | null;
}

/** Claims many deliveries, with and without an order. */
export async function claimInOrder(
  database: Database,
  requests: readonly ClaimRequest[],
): Promise<readonly Claimed[]> {
  const first = await claimDeliveries(database, requests);
  const ordered = requests.filter((_, index) => first[index]?.kind === 'ordered');
  const hasClaims = first.some(({ kind }) => kind === 'claimed');
  const answers = await claimInTurn(database, ordered).catch((error: unknown) => {
    if (!hasClaims) throw error;
    return answersOf(allLater(ordered));
  });
  return first.map((answer, index) => {
    if (answer.kind !== 'ordered') return answer;
    const key = requestKey(requests[index] as ClaimRequest);
    const given: Claimed = answers.get(key) ?? { kind: 'later', inMs: COLLIDED_MS };
    // Asked for twice in one batch: the first one has it.
    answers.delete(key);
    return given;
  });
}

/** As `claimOrdered`; who is superseded by an open one is answered with the claim of that one. */
async function claimInTurn(
  database: Database,
  requests: readonly ClaimRequest[],
): Promise<Map<string, Claimed>> {
  if (requests.length === 0) return new Map();
  const judged = await claimOrdered(database, requests);
  const turns = new Map<string, { readonly key: string; readonly request: ClaimRequest }>();
  for (const request of requests) {
    const key = requestKey(request);
    const newer = judged.get(key)?.newer;
    if (newer === undefined) continue;
    const turn = { ...request, ...newer };
    turns.set(requestKey(turn), { key, request: turn });
  }
  const answers = answersOf(judged);
  if (turns.size === 0) return answers;
  const inTurn = [...turns.values()].map((turn) => turn.request);
  // Whose turn is not given here has a lane job of its own.
  const given = await claimOrdered(database, inTurn).catch(() => allLater(inTurn));
  for (const [newer, { answer }] of given) {
    const key = turns.get(newer)?.key;
    if (key !== undefined && answer.kind === 'claimed') answers.set(key, answer);
  }
  return answers;
}

interface Judged {
  readonly answer: Claimed;
  readonly newer?: Pick<ClaimRequest, 'deliveryId' | 'round'>;
}

function answersOf(judged: Map<string, Judged>): Map<string, Claimed> {
  return new Map([...judged].map(([key, { answer }]) => [key, answer]));
}

/** Rejects only with a bug, and then nothing was claimed. */
async function claimOrdered(
  database: Database,
  requests: readonly ClaimRequest[],
): Promise<Map<string, Judged>> {
  try {
    const rows = await database.query<OrderedRow>(claimOrderedStatement, [recordset(requests)]);
    await cancelOrphans(
      database,
      rows.filter((row) => row.becomes === 'active'),
    );
    return new Map(rows.map((row) => [keyOf(row), judgedOf(row)]));
  } catch (error) {
    if (isCrossdockError(error)) return allLater(requests);
    if (!isOneOfTwo(error) && !isRowFault(error)) throw error;
    if (requests.length > 1) return claimOneByOne(database, requests);
    if (isOneOfTwo(error)) return allLater(requests, COLLIDED_MS);
    throw error;
  }
}

/** One of them fails by itself, and takes nobody with it. */
async function claimOneByOne(
  database: Database,
  requests: readonly ClaimRequest[],
): Promise<Map<string, Judged>> {
  const answers = new Map<string, Judged>();
  for (const request of requests) {
    const one = await claimOrdered(database, [request]).catch(() => allLater([request]));
    for (const [key, answer] of one) answers.set(key, answer);
  }
  return answers;
}

const UNIQUE_VIOLATION = '23505';

/** Somebody else was at the same chain at the same moment. */
function isOneOfTwo(error: unknown): boolean {
  return sqlState(error) === UNIQUE_VIOLATION || isCollision(error);
}

function allLater(requests: readonly ClaimRequest[], inMs = UNEXPLAINED_MS): Map<string, Judged> {
  const answer: Claimed = { kind: 'later', inMs };
  return new Map(requests.map((request) => [requestKey(request), { answer }]));
}

function judgedOf(row: OrderedRow): Judged {
  const answer = orderedAnswer(row);
  if (row.newer === null || row.newer_round === null) return { answer };
  return { answer, newer: { deliveryId: row.newer, round: row.newer_round } };
}

function orderedAnswer(row: OrderedRow): Claimed {
  const { chain, becomes, reason } = row;
  switch (becomes) {
    case 'active': {
      const answer = answerOf(row);
      return answer.kind === 'gone' ? { ...answer, chain } : answer;
    }
    case 'later':
      return { kind: 'later', inMs: Math.max(1, Math.ceil(row.in_ms)) };
    case 'held':
    case 'dead':
    case 'superseded':
      return { kind: 'gone', state: becomes, chain, ...(reason === null ? {} : { reason }) };
  }
}
