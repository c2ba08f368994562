// The advance: lets the next delivery of a chain go when the one in front of it has left.
//
// Nobody is told in the same transaction, so that three things could leave a delivery held although
// nothing is in front of it any more:
// - The claim holds B because A is open, while A's record commits. Whoever holds looks again after
//   its commit, and whoever leaves looks after its own: the later of the two looks sees both.
// - The process ends between A's record and its look. The leader looks at every chain in which
//   somebody waits, again and again.
// - A look picks B, and something comes in front of B meanwhile (A is retried by hand, or its append
//   commits late). B is due, but its claim decides anew, and holds it again.
// A look changes only what is held for its order, and that once: two looks at once are one.

import type { DeliveryState } from '../model/delivery.ts';
import { isId } from '../model/ids.ts';
import { inFront, newerOpen, newerSent, settledAt } from './chain-rules.ts';
import type { Database, Statement } from './database.ts';
import type { DueDelivery } from './journal.ts';
import type { Chains } from './order-port.ts';
import { type DueRow, dueColumns, dueOf } from './overdue-deliveries.ts';

const held = "d.open AND d.held AND d.held_by = 'order'";

// The commit need not wait for the disk: what a power loss undoes, the leader's look does again.
const advanceStatement: Statement = {
  name: 'advance-chains',
  text: `
    WITH commit AS MATERIALIZED (
      SELECT set_config('synchronous_commit', 'off', true)
    ), wanted AS MATERIALIZED (
      SELECT DISTINCT chain FROM unnest($1::text[]) AS chain
    ), stale AS (
      UPDATE deliveries d
      SET state = 'superseded', open = false, held = false, held_by = NULL, code = NULL,
          reason = 'a newer one of the same key is there', round = d.round + 1,
          updated_at = clock_timestamp()
      FROM wanted w LEFT JOIN order_keys k ON k.chain = w.chain
      WHERE d.chain = w.chain AND d.version IS NOT NULL AND ${held}
        AND (${newerSent} OR EXISTS (${newerOpen}))
      RETURNING d.id, d.chain, d.reason
    ), heads AS MATERIALIZED (
      SELECT head.id, k.sent_at, k.sent_version
      FROM wanted w LEFT JOIN order_keys k ON k.chain = w.chain
      CROSS JOIN LATERAL (
        (SELECT d.id FROM deliveries d
         WHERE d.chain = w.chain AND d.version IS NULL AND d.open ORDER BY d.seq, d.id LIMIT 1)
        UNION ALL
        (SELECT d.id FROM deliveries d
         WHERE d.chain = w.chain AND d.version IS NOT NULL AND d.open
         ORDER BY d.version DESC, d.seq DESC, d.id DESC LIMIT 1)
      ) head
    ), next AS (
      UPDATE deliveries d
      SET state = CASE WHEN d.attempts > 0 THEN 'retrying' ELSE 'pending' END, held = false,
          held_by = NULL, reason = NULL, round = d.round + 1, updated_at = clock_timestamp(),
          due_at = greatest(clock_timestamp(), ${settledAt})
      FROM heads k
      WHERE d.id = k.id AND ${held} AND (${newerSent}) IS NOT TRUE
        AND NOT EXISTS (SELECT 1 FROM (${inFront}) f WHERE f.rank < 4 OR d.behind = 'block')
      RETURNING d.*
    ), traced AS (
      INSERT INTO changes (delivery_id, became, made_by, reason)
      SELECT id, 'superseded', 'hub', reason FROM stale
    )
    SELECT w.chain, EXISTS (SELECT 1 FROM stale s WHERE s.chain = w.chain) AS again, ${dueColumns}
    FROM wanted w LEFT JOIN next d ON d.chain = w.chain LEFT JOIN events e ON e.id = d.event_id
    WHERE (SELECT set_config FROM commit) IS NOT NULL`,
};

type AdvancedRow = { readonly chain: string; readonly again: boolean } & (
  | DueRow
  | { readonly delivery_id: null }
);

/** For each chain those that need a lane job now. */
export async function advanceChains(
  database: Database,
  chains: readonly string[],
): Promise<readonly (readonly DueDelivery[])[]> {
  const due = new Map<string, DueDelivery[]>();
  let wanted: readonly string[] = [...new Set(chains)];
  // What was made pointless may have stood in front of another: then once more.
  while (wanted.length > 0) {
    const rows = await database.query<AdvancedRow>(advanceStatement, [wanted]);
    for (const row of rows) {
      if (row.delivery_id === null) continue;
      due.set(row.chain, [...(due.get(row.chain) ?? []), dueOf(row)]);
    }
    wanted = [...new Set(rows.filter((row) => row.again).map((row) => row.chain))];
  }
  return chains.map((chain) => {
    const found = due.get(chain) ?? [];
    due.delete(chain);
    return found;
  });
}

const waitingStatement: Statement = {
  name: 'list-waiting-chains',
  text: `
    SELECT d.id::text, d.chain FROM deliveries d
    WHERE d.held AND d.held_by = 'order' AND d.id > $1::uuid ORDER BY d.id LIMIT $2`,
};

// Every claim and record of ours changes the two together.
const freeEndedStatement: Statement = {
  name: 'free-ended',
  text: `
    UPDATE deliveries SET running = NULL
    WHERE running IS NOT NULL AND state <> 'active' RETURNING id`,
};

const inFrontStatement: Statement = {
  name: 'find-in-front',
  text: `
    SELECT f.id::text, f.state FROM deliveries d CROSS JOIN LATERAL (${inFront}) f
    WHERE d.id = $1::uuid AND d.open AND d.chain IS NOT NULL`,
};

const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

/** Everything of the order but `advance`, which is batched. */
export function chainViews(database: Database): Omit<Chains, 'advance'> {
  return {
    async listWaitingChains({ limit, after = BEFORE_ALL }) {
      const rows = await database.query<{ id: string; chain: string }>(waitingStatement, [
        after,
        limit,
      ]);
      const last = rows.at(-1)?.id;
      const chains = [...new Set(rows.map((row) => row.chain))];
      return rows.length < limit || last === undefined ? { chains } : { chains, last };
    },
    freeEnded: async () => (await database.query(freeEndedStatement)).length,
    async findInFront(deliveryId) {
      if (!isId(deliveryId)) return undefined;
      const [row] = await database.query<{ id: string; state: DeliveryState }>(inFrontStatement, [
        deliveryId,
      ]);
      return row === undefined ? undefined : { deliveryId: row.id, state: row.state };
    },
  };
}
