// The journal's word, read by SQL: what it holds at the end of a run.

import pg from 'pg';
import type { JournalDelivery, JournalDump, JournalEvent } from './evidence.ts';

const CONNECT_MS = 3_000;

type Rows = readonly Record<string, unknown>[];

export async function queryJournal(url: string, text: string): Promise<Rows> {
  return withJournal(url, (query) => query(text));
}

/** How many deliveries are open: far cheaper than all that the journal holds. */
export async function countOpen(url: string): Promise<number> {
  const [row] = await queryJournal(url, 'SELECT count(*)::int AS n FROM deliveries WHERE open');
  return Number(row?.['n']);
}

/** One session: each new one costs both sides more than most queries. */
async function withJournal<T>(
  url: string,
  work: (query: (text: string) => Promise<Rows>) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'chaos',
    connectionTimeoutMillis: CONNECT_MS,
  });
  // A server that is killed under the session says so here as well as in the rejection.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(async (text) => (await client.query(text)).rows);
  } finally {
    await client.end();
  }
}

export function dumpJournal(url: string): Promise<JournalDump> {
  return withJournal(url, readAll);
}

async function readAll(query: (text: string) => Promise<Rows>): Promise<JournalDump> {
  const events = await query(
    `SELECT id::text, topic, dedupe_key, sha256, encode(sha256(body), 'hex') AS stored FROM events`,
  );
  const deliveries = await query(
    `SELECT d.id::text, d.event_id::text, d.flow, d.connector, d.revision, d.state, d.code, d.reason,
            d.open, d.attempts, d.spent,
            (SELECT count(*) FROM attempts a WHERE a.delivery_id = d.id AND a.ambiguous)::int AS ambiguous,
            (extract(epoch FROM d.due_at) * 1000)::float8 AS due_ms,
            (extract(epoch FROM d.updated_at) * 1000)::float8 AS updated_ms
     FROM deliveries d ORDER BY d.id`,
  );
  const revisions = await query('SELECT hash, document::text FROM revisions');
  return {
    events: events.map(eventOf),
    deliveries: deliveries.map(deliveryOf),
    revisions: new Map(revisions.map((row) => [String(row['hash']), String(row['document'])])),
  };
}

function eventOf(row: Record<string, unknown>): JournalEvent {
  return {
    id: String(row['id']),
    topic: String(row['topic']),
    dedupeKey: String(row['dedupe_key']),
    sha256: String(row['sha256']),
    storedSha256: String(row['stored']),
  };
}

function deliveryOf(row: Record<string, unknown>): JournalDelivery {
  const { code, reason } = row;
  return {
    id: String(row['id']),
    eventId: String(row['event_id']),
    flow: String(row['flow']),
    connector: String(row['connector']),
    revision: String(row['revision']),
    state: String(row['state']),
    open: row['open'] === true,
    attempts: Number(row['attempts']),
    spent: Number(row['spent']),
    ambiguous: Number(row['ambiguous']),
    dueMs: Number(row['due_ms']),
    updatedMs: Number(row['updated_ms']),
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof reason === 'string' ? { reason } : {}),
  };
}
