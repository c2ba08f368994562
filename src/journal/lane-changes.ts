// What was done to a lane as a whole, or to a flow or an operation.

import type { Database, Statement } from './database.ts';
import type { ChangeView, Journal } from './journal.ts';

/** Newest first within this; a lane is not paused more often while one delivery waits. */
const CHANGES_MAX = 200;

/** The last change before `since` to one of these: told where it began what then still held. */
const lastBefore = (kinds: string, begins: string): string => `
  SELECT c.* FROM unnest($1::text[]) AS name CROSS JOIN LATERAL (
    SELECT id, at, became, made_by, reason, connector FROM changes
    WHERE delivery_id IS NULL AND connector = name AND at < $2 AND became IN (${kinds})
    ORDER BY id DESC LIMIT 1
  ) c WHERE c.became = '${begins}'`;

const laneChangesStatement: Statement = {
  name: 'list-lane-changes',
  text: `
    (SELECT id, at, became, made_by, reason, connector FROM changes
     WHERE delivery_id IS NULL AND connector = ANY($1::text[]) AND at >= $2
     ORDER BY id DESC LIMIT $3)
    UNION ALL (${lastBefore(`'paused', 'resumed'`, 'paused')})
    UNION ALL (${lastBefore(`'opened', 'closed', 'resumed'`, 'opened')})
    ORDER BY id`,
};

interface LaneChangeRow {
  readonly at: Date;
  readonly became: string;
  readonly made_by: string;
  readonly reason: string | null;
  /** A connector's id; a flow or an operation with its scope before it. */
  readonly connector: string;
}

export function laneChanges(database: Database): Pick<Journal, 'listLaneChanges'> {
  return {
    async listLaneChanges({ connector, flow, operation, since }) {
      const names = [connector, `flow:${flow}`, `operation:${connector}.${operation}`];
      const values = [names, since, CHANGES_MAX];
      const rows = await database.query<LaneChangeRow>(laneChangesStatement, values);
      return rows.map((row) => changeOf(row, connector));
    },
  };
}

function changeOf(row: LaneChangeRow, connector: string): ChangeView {
  const { at, became: to, made_by: by, reason } = row;
  return {
    at,
    to,
    by,
    ...(reason === null ? {} : { reason }),
    ...(row.connector === connector ? {} : { of: row.connector }),
  };
}
