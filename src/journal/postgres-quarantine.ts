// The quarantine on PostgreSQL.

import { isId } from '../model/ids.ts';
import type { Database, Statement } from './database.ts';
import type {
  NewQuarantined,
  Quarantine,
  Quarantined,
  QuarantinedSummary,
  QuarantineQuery,
} from './quarantine-port.ts';
import { storableJson, storableText } from './storable-text.ts';

const PAGE_DEFAULT = 50;
const PAGE_MAX = 500;

// Bodies travel beside the rows, end to end in one bytea, as in the append.
const addStatement: Statement = {
  name: 'add-to-quarantine',
  text: `
    INSERT INTO quarantine (id, source, code, reason, received_at, method, target, headers,
                            repeated, hidden, body, bytes, sha256, address, weight)
    SELECT id, source, code, reason, received_at, method, target, headers,
           ARRAY(SELECT json_array_elements_text(repeated)),
           ARRAY(SELECT json_array_elements_text(hidden)),
           substring($2::bytea FROM body_at FOR body_bytes), bytes, sha256, address, weight
    FROM json_to_recordset($1::json) AS r(id uuid, source text, code text, reason text,
      received_at timestamptz, method text, target text, headers json, repeated json, hidden json,
      body_at int, body_bytes int, bytes int, sha256 text, address text, weight int)
    ON CONFLICT (id) DO NOTHING`,
};

const trimStatement: Statement = {
  name: 'trim-quarantine',
  text: `
    WITH bounds AS (
      SELECT * FROM json_to_recordset($1::json)
        AS b(source text, count_max int, bytes_max bigint, age_ms float8)
    ), ranked AS (
      SELECT q.id, b.count_max, b.bytes_max, b.age_ms, q.received_at,
             row_number() OVER newest AS place, sum(q.weight) OVER newest AS held
      FROM quarantine q JOIN bounds b ON b.source = q.source
      WINDOW newest AS (PARTITION BY q.source ORDER BY q.id DESC)
    )
    DELETE FROM quarantine q USING ranked r
    WHERE q.id = r.id AND (r.place > r.count_max OR r.held > r.bytes_max
      OR r.received_at < clock_timestamp() - r.age_ms * interval '1 millisecond')
    RETURNING q.id`,
};

const trimAllStatement: Statement = {
  name: 'trim-whole-quarantine',
  text: `
    WITH ranked AS (SELECT id, sum(weight) OVER (ORDER BY id DESC) AS held FROM quarantine)
    DELETE FROM quarantine q USING ranked r WHERE q.id = r.id AND r.held > $1
    RETURNING q.id`,
};

const sourcesStatement: Statement = {
  name: 'list-quarantine-sources',
  text: 'SELECT DISTINCT source FROM quarantine ORDER BY source',
};

const summaryColumns = `id::text, source, code, reason, received_at, method, target, bytes, sha256,
  address, released_at, event_ids::text[]`;

const matches = `($1::text IS NULL OR source = $1) AND ($2::text IS NULL OR code = $2)
  AND ($3::timestamptz IS NULL OR received_at >= $3)`;

const listStatement: Statement = {
  name: 'list-quarantine',
  text: `SELECT ${summaryColumns} FROM quarantine
         WHERE ${matches} AND ($4::uuid IS NULL OR id < $4::uuid) ORDER BY id DESC LIMIT $5`,
};

const getStatement: Statement = {
  name: 'get-quarantined',
  text: `SELECT ${summaryColumns}, headers::text, repeated, hidden, body
         FROM quarantine WHERE id = $1::uuid`,
};

const heldStatement: Statement = {
  name: 'list-held-quarantine',
  text: `SELECT id::text FROM quarantine
         WHERE ${matches} AND released_at IS NULL AND ($4::uuid IS NULL OR id > $4::uuid)
         ORDER BY id LIMIT $5`,
};

const releasedStatement: Statement = {
  name: 'mark-quarantine-released',
  text: `UPDATE quarantine SET released_at = clock_timestamp(), event_ids = $2::uuid[]
         WHERE id = $1::uuid AND released_at IS NULL RETURNING id`,
};

const dropOneStatement: Statement = {
  name: 'drop-quarantined',
  text: 'DELETE FROM quarantine WHERE id = $1::uuid RETURNING id',
};

const dropStatement: Statement = {
  name: 'drop-quarantine',
  text: `DELETE FROM quarantine WHERE ${matches} RETURNING id`,
};

export function postgresQuarantine(database: Database): Quarantine {
  return {
    async add(requests) {
      if (requests.length === 0) return;
      const bodies = Buffer.concat(requests.map(({ body }) => body));
      await database.query(addStatement, [JSON.stringify(rowsOf(requests)), bodies]);
    },
    async trim(bounds, allBytesMax) {
      const rows = [...bounds].map(([source, { countMax, bytesMax, ageMsMax }]) => ({
        source,
        count_max: countMax,
        bytes_max: bytesMax,
        age_ms: ageMsMax,
      }));
      const beyond = await database.query(trimStatement, [JSON.stringify(rows)]);
      return beyond.length + (await database.query(trimAllStatement, [allBytesMax])).length;
    },
    sources: async () =>
      (await database.query<{ source: string }>(sourcesStatement)).map(({ source }) => source),
    async list({ before, limit, ...query }) {
      const size = Math.min(PAGE_MAX, Math.max(1, limit ?? PAGE_DEFAULT));
      const values = [...filtersOf(query), before ?? null, size];
      return (await database.query<SummaryRow>(listStatement, values)).map(summaryOf);
    },
    async get(id) {
      if (!isId(id)) return undefined;
      const [row] = await database.query<WholeRow>(getStatement, [id]);
      return row === undefined ? undefined : wholeOf(row);
    },
    async listHeld({ after, limit, ...query }) {
      const values = [...filtersOf(query), after ?? null, Math.min(PAGE_MAX, limit)];
      return (await database.query<{ id: string }>(heldStatement, values)).map(({ id }) => id);
    },
    markReleased: async (id, eventIds) =>
      (await database.query(releasedStatement, [id, eventIds])).length === 1,
    dropOne: async (id) => (isId(id) ? (await database.query(dropOneStatement, [id])).length : 0),
    drop: async (query) => (await database.query(dropStatement, filtersOf(query))).length,
  };
}

function filtersOf({ source, code, since }: QuarantineQuery): readonly (string | null)[] {
  return [source ?? null, code ?? null, since ?? null];
}

/** What one weighs besides what it holds, in bytes. */
const ROW_BYTES = 512;

function rowsOf(requests: readonly NewQuarantined[]): readonly object[] {
  let bodyAt = 1;
  return requests.map((request) => {
    const { id, source, code, receivedAt, method, body, bytes, sha256, address } = request;
    const headers = storableJson(JSON.stringify(request.headers));
    const target = storableText(request.target);
    const row = {
      ...{ id, source, code, method, target, bytes, sha256 },
      reason: storableText(request.reason),
      received_at: receivedAt,
      headers: JSON.parse(headers) as unknown,
      repeated: request.repeated.map(storableText),
      hidden: request.hidden.map(storableText),
      body_at: bodyAt,
      body_bytes: body.length,
      address: address ?? null,
      weight: ROW_BYTES + body.length + Buffer.byteLength(headers) + Buffer.byteLength(target),
    };
    bodyAt += body.length;
    return row;
  });
}

interface SummaryRow {
  readonly id: string;
  readonly source: string;
  readonly code: string;
  readonly reason: string;
  readonly received_at: Date;
  readonly method: string;
  readonly target: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly address: string | null;
  readonly released_at: Date | null;
  readonly event_ids: readonly string[];
}

interface WholeRow extends SummaryRow {
  readonly headers: string;
  readonly repeated: readonly string[];
  readonly hidden: readonly string[];
  readonly body: Buffer;
}

function summaryOf(row: SummaryRow): QuarantinedSummary {
  const { id, source, code, reason, method, target, bytes, sha256, address } = row;
  return {
    ...{ id, source, code, reason, method, target, bytes, sha256 },
    receivedAt: row.received_at,
    eventIds: row.event_ids,
    ...(address === null ? {} : { address }),
    ...(row.released_at === null ? {} : { releasedAt: row.released_at }),
  };
}

function wholeOf(row: WholeRow): Quarantined {
  const { repeated, hidden, body } = row;
  const headers = JSON.parse(row.headers) as Quarantined['headers'];
  return { ...summaryOf(row), headers, repeated, hidden, body };
}
