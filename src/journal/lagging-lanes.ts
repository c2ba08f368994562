// Which lanes do not keep up, and since when.

import type { Database, Statement } from './database.ts';
import type { Journal } from './journal.ts';

// Not of a lane that a person, its breaker or its target's wish holds, which is told otherwise; not
// of a replay by query, which may take its time. What is under way is late already, but not for want
// of a worker.
const markStatement: Statement = {
  name: 'mark-lagging-lanes',
  text: `
    WITH lagging AS (
      SELECT connector, min(due_at) AS oldest, count(*)::int AS due
      FROM deliveries d
      WHERE open AND NOT held AND replay_run IS NULL
        AND due_at < clock_timestamp() - $1 * interval '1 millisecond'
        AND (lease_until IS NULL OR lease_until < clock_timestamp())
        AND NOT EXISTS (SELECT 1 FROM pauses p WHERE p.scope = 'connector' AND p.name = d.connector)
        AND NOT EXISTS (SELECT 1 FROM lane_gates g
                        WHERE g.connector = d.connector
                          AND (g.opened_at IS NOT NULL OR g.rest_until > clock_timestamp()))
      GROUP BY connector
    ), noted AS (
      INSERT INTO lane_gates AS g (connector, lagging_since)
      SELECT connector, clock_timestamp() FROM lagging
      ON CONFLICT (connector) DO UPDATE
        SET lagging_since = coalesce(g.lagging_since, excluded.lagging_since)
      RETURNING connector, lagging_since
    ), over AS (
      UPDATE lane_gates SET lagging_since = NULL
      WHERE lagging_since IS NOT NULL AND connector NOT IN (SELECT connector FROM lagging)
    )
    SELECT connector, noted.lagging_since AS since, lagging.oldest AS "oldestDueAt", lagging.due
    FROM noted JOIN lagging USING (connector)
    ORDER BY connector`,
};

interface LagRow {
  readonly connector: string;
  readonly since: Date;
  readonly oldestDueAt: Date;
  readonly due: number;
}

export function laggingLanes(database: Database): Pick<Journal, 'markLagging'> {
  return {
    markLagging: (olderThanMs) => database.query<LagRow>(markStatement, [olderThanMs]),
  };
}
