// The append: events and their deliveries, many at once, in one statement and one commit.

import type { Event } from '../model/event.ts';
import type { OrderPlace } from '../model/order.ts';
import type { Database, Statement } from './database.ts';
import { keepConflicts } from './event-conflicts.ts';
import type { Appended, NewDelivery, NewEvent } from './journal.ts';
import { storableText } from './storable-text.ts';

/**
 * The columns of an event and of a delivery as a JSON recordset carries them; the record statement
 * stores emitted events with the same ones. Bodies travel beside it, one after the other in one
 * bytea, each cut out by where it starts and how long it is: binary, without escaping.
 */
export const eventRecordset = `(id uuid, source text, topic text, dedupe_key text, shop text,
  headers json, sha256 text, occurred_at timestamptz, cause_id uuid, unreadable text, body_at int,
  body_bytes int)`;
export const deliveryRecordset = `(id uuid, event_id uuid, flow text, connector text,
  operation text, revision text, chain text, version numeric, behind text, settle_ms int, tenant text)`;

/** What is inserted of a recordset `d` of deliveries. A place in an order is taken as it comes. */
export const deliveryColumns =
  'id, event_id, flow, connector, operation, revision, chain, seq, version, behind, settle_ms, tenant';
export const deliveryValues = `d.id, d.event_id, d.flow, d.connector, d.operation, d.revision, d.chain,
  CASE WHEN d.chain IS NOT NULL THEN nextval('delivery_seq') END, d.version, d.behind,
  d.settle_ms, d.tenant`;

const appendStatement: Statement = {
  name: 'append-events',
  // Sorted by the unique key, so that two batches with the same messages cannot deadlock.
  text: `
    WITH incoming AS (
      SELECT * FROM json_to_recordset($1::json) AS r${eventRecordset}
    ), stored AS (
      INSERT INTO events (id, source, topic, dedupe_key, shop, body, headers, sha256, occurred_at,
                          cause_id, unreadable)
      SELECT id, source, topic, dedupe_key, shop, substring($2::bytea FROM body_at FOR body_bytes),
             headers, sha256, occurred_at, cause_id, unreadable
      FROM incoming ORDER BY source, dedupe_key
      ON CONFLICT (source, dedupe_key) DO NOTHING
      RETURNING id
    ), started AS (
      INSERT INTO deliveries (${deliveryColumns})
      SELECT ${deliveryValues}
      FROM (
        SELECT r.* FROM json_to_recordset($3::json) AS r${deliveryRecordset}
        JOIN stored ON stored.id = r.event_id
        -- as they were made, so that the elements of one list keep their order
        ORDER BY r.id
      ) d
    )
    SELECT id::text FROM stored`,
};

const firstsStatement: Statement = {
  name: 'find-first-events',
  text: `
    SELECT e.id::text, e.source, e.dedupe_key, e.sha256
    FROM events e
    JOIN json_to_recordset($1::json) AS r(source text, dedupe_key text)
      ON e.source = r.source AND e.dedupe_key = r.dedupe_key`,
};

export async function appendEvents(
  database: Database,
  events: readonly NewEvent[],
): Promise<readonly Appended[]> {
  const { rows, bodies } = eventRows(events);
  const stored = await database.query<{ id: string }>(appendStatement, [
    JSON.stringify(rows),
    bodies,
    JSON.stringify(events.flatMap(deliveryRows)),
  ]);
  if (stored.length === events.length) {
    return events.map((event) => ({ kind: 'stored', id: event.id }));
  }
  const storedIds = new Set(stored.map((row) => row.id));
  const repeated = events.filter((event) => !storedIds.has(event.id));
  const firsts = await findFirsts(database, repeated);
  await keepConflicts(
    database,
    repeated.flatMap((event) => {
      const first = firsts.get(keyOf(event.source, storableText(event.dedupeKey)));
      const isOther = first !== undefined && first.sha256 !== event.sha256;
      return isOther ? [{ eventId: first.id, event }] : [];
    }),
  );
  return Promise.all(
    events.map(async (event): Promise<Appended> => {
      if (storedIds.has(event.id)) return { kind: 'stored', id: event.id };
      const first = firsts.get(keyOf(event.source, storableText(event.dedupeKey)));
      if (first !== undefined) {
        return { kind: 'duplicate', id: first.id, sameBody: first.sha256 === event.sha256 };
      }
      // It was there when the insert ran, and retention has taken it since: now there is room.
      const [again] = await appendEvents(database, [event]);
      return again ?? { kind: 'stored', id: event.id };
    }),
  );
}

async function findFirsts(
  database: Database,
  events: readonly NewEvent[],
): Promise<Map<string, { id: string; sha256: string }>> {
  const keys = events.map((event) => ({
    source: event.source,
    dedupe_key: storableText(event.dedupeKey),
  }));
  const rows = await database.query<{
    id: string;
    source: string;
    dedupe_key: string;
    sha256: string;
  }>(firstsStatement, [JSON.stringify(keys)]);
  return new Map(rows.map((row) => [keyOf(row.source, row.dedupe_key), row]));
}

function keyOf(source: string, dedupeKey: string): string {
  return `${source}\n${dedupeKey}`;
}

/** The rows of some events, and their bodies end to end. */
export function eventRows(events: readonly (NewEvent & Pick<Event, 'causeId'>)[]): {
  readonly rows: readonly object[];
  readonly bodies: Buffer;
} {
  let bodyAt = 1;
  const rows = events.map((event) => {
    const row = {
      id: event.id,
      source: event.source,
      topic: storableText(event.topic),
      dedupe_key: storableText(event.dedupeKey),
      shop: event.shop === undefined ? null : storableText(event.shop),
      headers: event.headers,
      sha256: event.sha256,
      occurred_at: event.occurredAt ?? null,
      cause_id: event.causeId ?? null,
      unreadable: event.unreadable === undefined ? null : storableText(event.unreadable),
      body_at: bodyAt,
      body_bytes: event.body.length,
    };
    bodyAt += event.body.length;
    return row;
  });
  return { rows, bodies: Buffer.concat(events.map((event) => event.body)) };
}

export function deliveryRows(event: NewEvent): readonly object[] {
  return event.deliveries.map((delivery: NewDelivery) => ({
    id: delivery.id,
    event_id: event.id,
    flow: delivery.flow,
    connector: delivery.connector,
    operation: delivery.operation,
    revision: delivery.revision,
    ...placeRow(delivery),
  }));
}

function placeRow({ flow, order, tenant }: NewDelivery): object {
  return {
    ...(order === undefined ? {} : chainRow(flow, order)),
    ...(tenant === undefined ? {} : { tenant: storableText(tenant) }),
  };
}

export function chainRow(flow: string, { key, version, dead, settleMs }: OrderPlace): object {
  return {
    chain: storableText(`${flow}:${key}`),
    behind: dead,
    ...(version === undefined ? {} : { version }),
    ...(settleMs === undefined ? {} : { settle_ms: settleMs }),
  };
}

/** Bytes that an event weighs in a batch: its body and roughly its row. */
export function weighEvent(event: NewEvent): number {
  return event.body.length + 1_024 + 256 * event.deliveries.length;
}

/** What `appendTogether` was given, as one item of a batch. */
export function weighEvents(events: readonly NewEvent[]): number {
  return events.reduce((bytes, event) => bytes + weighEvent(event), 0);
}

/** The events of many requests in one statement, answered request by request. */
export async function appendGroups(
  database: Database,
  groups: readonly (readonly NewEvent[])[],
): Promise<readonly (readonly Appended[])[]> {
  const appended = await appendEvents(database, groups.flat());
  let at = 0;
  return groups.map(({ length }) => {
    at += length;
    return appended.slice(at - length, at);
  });
}
