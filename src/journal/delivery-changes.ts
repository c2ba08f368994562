// What people change: each in one statement, with its trace, or not at all.

import { CrossdockError } from '../model/errors.ts';
import { newId } from '../model/ids.ts';
import type { Database, Statement } from './database.ts';
import type { DeliveryChange, Journal } from './journal.ts';
import { type DueRow, dueColumns, dueOf } from './overdue-deliveries.ts';

const reopenStatement = change({
  name: 'reopen-delivery',
  set: `state = 'pending', open = true, dead = false, blocks = false, problem = NULL, spent = 0,
        strikes = 0, hub_errors = 0, code = NULL, reason = NULL,
        opened_at = clock_timestamp(), due_at = clock_timestamp(), round = round + 1`,
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
  set: `state = 'cancelled', open = false, held = false, held_by = NULL, round = round + 1`,
  from: ['pending', 'retrying', 'held'],
  became: 'cancelled',
  reason: 'cancelled by hand',
});

function change(parts: {
  readonly name: string;
  readonly set: string;
  readonly from: readonly string[];
  readonly became: string;
  readonly reason: string;
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
      )
      SELECT ${dueColumns} FROM d JOIN events e ON e.id = d.event_id`,
  };
}

const replayStatement: Statement = {
  name: 'replay-deliveries',
  text: `
    WITH d AS (
      INSERT INTO deliveries (id, event_id, flow, connector, operation, revision, replay_of)
      SELECT r.id, o.event_id, o.flow, o.connector, o.operation, o.revision, o.id
      FROM json_to_recordset($1::json) AS r(id uuid, original uuid)
      JOIN deliveries o ON o.id = r.original
      RETURNING *
    ), traced AS (
      INSERT INTO changes (delivery_id, became, made_by, reason)
      SELECT id, 'pending', $2, 'replay of ' || replay_of FROM d
    )
    SELECT ${dueColumns} FROM d JOIN events e ON e.id = d.event_id`,
};

type Changes = Pick<Journal, 'reopen' | 'promote' | 'cancel' | 'replay'>;

export function deliveryChanges(database: Database): Changes {
  const apply = async (statement: Statement, { deliveryId, by }: DeliveryChange, verb: string) => {
    const [row] = await database.query<DueRow>(statement, [deliveryId, by]);
    if (row === undefined) throw await refusal(database, deliveryId, verb);
    return dueOf(row);
  };
  return {
    reopen: (request) => apply(reopenStatement, request, 'tried again'),
    promote: (request) => apply(promoteStatement, request, 'made due now'),
    async cancel(request) {
      await apply(cancelStatement, request, 'cancelled');
    },
    async replay({ of, by }) {
      const copies = of.map((original) => ({ id: newId(), original: original.id }));
      return (await database.query<DueRow>(replayStatement, [JSON.stringify(copies), by])).map(
        dueOf,
      );
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
