// What people change: each in one statement, with its trace, or not at all.

import { CrossdockError } from '../model/errors.ts';
import type { Database, Statement } from './database.ts';
import type { DeliveryChange, Journal } from './journal.ts';
import {
  blockAgain,
  freeReplaced,
  freeSamePlace,
  insertReplays,
  replayRecordset,
  replayRows,
} from './make-replays.ts';
import { type DueRow, dueColumns, dueOf } from './overdue-deliveries.ts';

const reopenStatement = change({
  name: 'reopen-delivery',
  set: `state = 'pending', open = true, dead = false, blocks = false, spent = 0,
        strikes = (code IS NOT DISTINCT FROM 'process-crashed')::int, hub_errors = 0, code = NULL,
        reason = NULL,
        opened_at = clock_timestamp(), due_at = clock_timestamp(), round = round + 1`,
  also: `, replaced AS (${freeSamePlace('d')})`,
  from: ['dead', 'cancelled'],
  became: 'pending',
  reason: 'tried again by hand',
});

const promoteStatement = change({
  name: 'promote-delivery',
  set: `state = CASE state WHEN 'held' THEN 'pending' ELSE state END, held = false, held_by = NULL,
        due_at = clock_timestamp(), round = round + 1`,
  from: ['pending', 'retrying', 'held'],
  became: 'pending',
  reason: 'made due now by hand',
});

const cancelStatement = change({
  name: 'cancel-delivery',
  set: `state = 'cancelled', open = false, dead = false, blocks = false, held = false,
        held_by = NULL, running = NULL, round = round + 1`,
  also: `, restored AS (${blockAgain('d')})`,
  from: ['pending', 'retrying', 'held', 'dead'],
  became: 'cancelled',
  reason: 'cancelled by hand',
});

function change(parts: {
  readonly name: string;
  readonly set: string;
  readonly from: readonly string[];
  readonly became: string;
  readonly reason: string;
  /** More parts of the statement. */
  readonly also?: string;
}): Statement {
  const from = parts.from.map((state) => `'${state}'`).join(', ');
  return {
    name: parts.name,
    text: `
      WITH d AS (
        UPDATE deliveries SET ${parts.set}, updated_at = clock_timestamp()
        WHERE id = $1::uuid AND state IN (${from})
        RETURNING *
      ), traced AS (
        INSERT INTO changes (delivery_id, became, made_by, reason)
        SELECT id, '${parts.became}', $2, '${parts.reason}' FROM d
      )${parts.also ?? ''}
      SELECT ${dueColumns}, d.chain FROM d JOIN events e ON e.id = d.event_id`,
  };
}

const replayStatement: Statement = {
  name: 'replay-deliveries',
  text: `
    WITH given AS (
      SELECT * FROM json_to_recordset($1::json) AS r${replayRecordset}
    ), replaced AS (${freeReplaced('given r')}
    ), d AS (${insertReplays({ given: 'given r', run: 'NULL', body: '$3::bytea' })}
    ), traced AS (
      INSERT INTO changes (delivery_id, became, made_by, reason)
      SELECT d.id, 'pending', $2, given.reason FROM d JOIN given ON given.id = d.id
    )
    SELECT ${dueColumns} FROM d JOIN events e ON e.id = d.event_id`,
};

interface ChangedRow extends DueRow {
  readonly chain: string | null;
}

type Changes = Pick<Journal, 'reopen' | 'promote' | 'cancel' | 'replay'>;

export function deliveryChanges(database: Database): Changes {
  const apply = async (statement: Statement, { deliveryId, by }: DeliveryChange, verb: string) => {
    const [row] = await database.query<ChangedRow>(statement, [deliveryId, by]);
    if (row === undefined) throw await refusal(database, deliveryId, verb);
    return row;
  };
  return {
    reopen: async (request) => dueOf(await apply(reopenStatement, request, 'tried again')),
    promote: async (request) => dueOf(await apply(promoteStatement, request, 'made due now')),
    async cancel(request) {
      const { chain } = await apply(cancelStatement, request, 'cancelled');
      return chain === null ? {} : { chain };
    },
    async replay({ of, by, body }) {
      const note = body === undefined ? '' : `, with an edited body of ${body.length} bytes`;
      const rows = JSON.stringify(replayRows(of, note));
      const values = [rows, by, body ?? null];
      return (await database.query<DueRow>(replayStatement, values)).map(dueOf);
    },
  };
}

const stateStatement: Statement = {
  name: 'delivery-state',
  text: 'SELECT state FROM deliveries WHERE id = $1::uuid',
};

async function refusal(database: Database, id: string, verb: string): Promise<CrossdockError> {
  const [row] = await database.query<{ state: string }>(stateStatement, [id]);
  return row === undefined
    ? new CrossdockError('not-found', `there is no delivery ${id}`)
    : new CrossdockError('state-conflict', `delivery ${id} is ${row.state}: it cannot be ${verb}`);
}
