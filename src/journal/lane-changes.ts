// What was done to a lane as a whole.

import type { Database, Statement } from './database.ts';
import type { ChangeView, Journal } from './journal.ts';

/** Newest first within this; a lane is not paused more often while one delivery waits. */
const CHANGES_MAX = 200;

const laneChangesStatement: Statement = {
  name: 'list-lane-changes',
  text: `SELECT at, became AS to, made_by AS by, reason FROM changes
         WHERE delivery_id IS NULL AND connector = $1 AND at >= $2 ORDER BY id DESC LIMIT $3`,
};

interface LaneChangeRow {
  readonly at: Date;
  readonly to: string;
  readonly by: string;
  readonly reason: string | null;
}

export function laneChanges(database: Database): Pick<Journal, 'listLaneChanges'> {
  return {
    async listLaneChanges({ connector, since }) {
      const values = [connector, since, CHANGES_MAX];
      const rows = await database.query<LaneChangeRow>(laneChangesStatement, values);
      return rows
        .reverse()
        .map(({ reason, ...rest }): ChangeView => (reason === null ? rest : { ...rest, reason }));
    },
  };
}
