// What came under the id of an event with another body: kept beside the event, and deleted with it.

import type { Database, Statement } from './database.ts';
import type { ConflictView, Journal, NewEvent } from './journal.ts';

/** Of one event; further ones are counted by metrics alone. */
const CONFLICTS_MAX = 5;
/** Of one body; of a longer one the beginning is kept. */
const BODY_BYTES_MAX = 1_048_576;

const keepStatement: Statement = {
  name: 'keep-event-conflicts',
  text: `
    INSERT INTO event_conflicts (event_id, sha256, bytes, body, headers)
    SELECT event_id, sha256, bytes, substring($2::bytea FROM body_at FOR body_bytes), headers
    FROM (
      SELECT DISTINCT ON (r.event_id, r.sha256) r.*,
             (SELECT count(*) FROM event_conflicts k WHERE k.event_id = r.event_id)
               + dense_rank() OVER (PARTITION BY r.event_id ORDER BY r.sha256) AS place
      FROM json_to_recordset($1::json) AS r(event_id uuid, sha256 text, bytes int, headers json,
                                            body_at int, body_bytes int)
      ORDER BY r.event_id, r.sha256
    ) one
    WHERE place <= $3
    ON CONFLICT (event_id, sha256) DO NOTHING`,
};

const listStatement: Statement = {
  name: 'list-event-conflicts',
  text: `SELECT sha256, received_at, bytes, body, headers::text FROM event_conflicts
         WHERE event_id = $1::uuid ORDER BY received_at, sha256`,
};

export async function keepConflicts(
  database: Database,
  conflicts: readonly { readonly eventId: string; readonly event: NewEvent }[],
): Promise<void> {
  if (conflicts.length === 0) return;
  let bodyAt = 1;
  const bodies = conflicts.map(({ event }) => event.body.subarray(0, BODY_BYTES_MAX));
  const rows = conflicts.map(({ eventId, event }, index) => {
    const bodyBytes = bodies[index]?.length ?? 0;
    const row = {
      event_id: eventId,
      sha256: event.sha256,
      bytes: event.body.length,
      headers: event.headers,
      body_at: bodyAt,
      body_bytes: bodyBytes,
    };
    bodyAt += bodyBytes;
    return row;
  });
  await database.query(keepStatement, [JSON.stringify(rows), Buffer.concat(bodies), CONFLICTS_MAX]);
}

interface ConflictRow {
  readonly sha256: string;
  readonly received_at: Date;
  readonly bytes: number;
  readonly body: Buffer;
  readonly headers: string;
}

export function eventConflicts(database: Database): Pick<Journal, 'listConflicts'> {
  return {
    async listConflicts(eventId) {
      const rows = await database.query<ConflictRow>(listStatement, [eventId]);
      return rows.map(
        ({ received_at, headers, ...row }): ConflictView => ({
          ...row,
          receivedAt: received_at,
          headers: JSON.parse(headers) as ConflictView['headers'],
        }),
      );
    },
  };
}
