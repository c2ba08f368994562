// Many dead deliveries at once: copies of what the journal holds, as no producer could send them in
// time. Their scenario judges them itself and takes them away before the checker comes.

import type { Finding } from './checker.ts';
import { queryJournal } from './journal-dump.ts';

/** Begins the dedupe key of each copied event. */
const COPY_KEY = 'copy-';
/** What the copies are said to have died of. */
export const COPY_CODE = 'rejected';
const PROBLEM = '0'.repeat(32);

/** Copies of the flow's delivered ones, each with an event of its own, dead. */
export async function copyAsDead(url: string, flow: string, count: number): Promise<void> {
  await queryJournal(
    url,
    `WITH sample AS MATERIALIZED (
       SELECT row_number() OVER (ORDER BY d.id) - 1 AS nth, count(*) OVER () AS of,
              e.source, e.topic, e.shop, e.body, e.headers, e.sha256, e.occurred_at,
              d.flow, d.connector, d.operation, d.revision, d.attempts, d.spent
       FROM deliveries d JOIN events e ON e.id = d.event_id
       WHERE d.flow = '${flow}' AND d.state = 'delivered'
     ), copy AS MATERIALIZED (
       SELECT s.*, n, uuidv7() AS event_id, uuidv7() AS delivery_id
       FROM generate_series(1, ${count}) n JOIN sample s ON s.nth = n % s.of
     ), event AS (
       INSERT INTO events (id, source, topic, dedupe_key, shop, body, headers, sha256, occurred_at)
       SELECT event_id, source, topic, '${COPY_KEY}' || n, shop, body, headers, sha256, occurred_at
       FROM copy ORDER BY n
     )
     INSERT INTO deliveries (id, event_id, flow, connector, operation, revision, state, code, reason,
                             open, dead, attempts, spent, problem)
     SELECT delivery_id, event_id, flow, connector, operation, revision, 'dead', '${COPY_CODE}',
            'made to be replayed', false, true, attempts, spent, '${PROBLEM}'
     FROM copy ORDER BY n`,
  );
  await queryJournal(url, 'ANALYZE events, deliveries');
}

/** Events, deliveries, attempts and changes of all copies. */
export async function removeCopies(url: string): Promise<void> {
  await queryJournal(
    url,
    `WITH event AS MATERIALIZED (
       DELETE FROM events WHERE starts_with(dedupe_key, '${COPY_KEY}') RETURNING id
     ), delivery AS MATERIALIZED (
       DELETE FROM deliveries d USING event WHERE d.event_id = event.id RETURNING d.id
     ), attempt AS (
       DELETE FROM attempts a USING delivery WHERE a.delivery_id = delivery.id
     )
     DELETE FROM changes c USING delivery WHERE c.delivery_id = delivery.id`,
  );
}

/** What became of a replay, by the journal and by its target. */
export interface ReplayTally {
  /** As the hub tells it: members of its list it came past, and deliveries that it made. */
  readonly taken: number;
  readonly made: number;
  /** In the journal: its deliveries; of how many different dead ones; how many of them are open. */
  readonly deliveries: number;
  readonly originals: number;
  readonly open: number;
  /** Keys that the journal calls delivered, less those that the target never worked on. */
  readonly delivered: number;
  readonly unseen: number;
  /** Keys that the target was asked for more than once, less those that an attempt in doubt explains. */
  readonly repeated: number;
  /** Keys that the target saw and no delivery of the run explains. */
  readonly strange: number;
}

export interface ReplayedRow {
  readonly key: string;
  readonly original: string;
  readonly state: string;
  readonly open: boolean;
  readonly ambiguous: number;
}

export async function readReplayed(url: string, run: string): Promise<readonly ReplayedRow[]> {
  const rows = await queryJournal(
    url,
    `SELECT d.event_id || ':' || d.flow AS key, d.replay_of::text AS original, d.state, d.open,
            count(a.*) FILTER (WHERE a.ambiguous)::int AS ambiguous
     FROM deliveries d LEFT JOIN attempts a ON a.delivery_id = d.id
     WHERE d.replay_run = '${run}' GROUP BY d.id`,
  );
  return rows as unknown as readonly ReplayedRow[];
}

export function tallyReplay(
  told: { readonly taken: number; readonly made: number },
  rows: readonly ReplayedRow[],
  calls: readonly { readonly idempotencyKey: string; readonly worked: boolean }[],
): ReplayTally {
  const works = new Map<string, number>();
  for (const { idempotencyKey: key, worked } of calls) {
    works.set(key, (works.get(key) ?? 0) + (worked ? 1 : 0));
  }
  const worksOf = ({ key }: ReplayedRow): number => works.get(key) ?? 0;
  const delivered = rows.filter(({ state }) => state === 'delivered');
  const known = new Set(rows.map(({ key }) => key));
  const { taken, made } = told;
  return {
    ...{ taken, made },
    deliveries: rows.length,
    originals: new Set(rows.map(({ original }) => original)).size,
    open: rows.filter(({ open }) => open).length,
    delivered: delivered.length,
    unseen: delivered.filter((row) => worksOf(row) === 0).length,
    repeated: rows.filter((row) => worksOf(row) > 1 + row.ambiguous).length,
    strange: [...works.keys()].filter((key) => !known.has(key)).length,
  };
}

export function judgeReplay(tally: ReplayTally): readonly Finding[] {
  const { taken, made, deliveries, originals, open, unseen, repeated, strange } = tally;
  const broken: readonly (readonly [boolean, string])[] = [
    [taken !== made, `came past ${taken} of its list and made ${made}`],
    [made !== deliveries, `says it made ${made}, the journal has ${deliveries}`],
    [originals !== deliveries, `${deliveries} deliveries of ${originals} dead ones`],
    [open > 0, `${open} are open after its end`],
    [unseen > 0, `${unseen} are delivered by the journal, and the target never had them`],
    [repeated > 0, `${repeated} were worked on more than once`],
    [strange > 0, `the target had ${strange} that the replay did not make`],
  ];
  return broken
    .filter(([isBroken]) => isBroken)
    .map(([, what]) => ({ rule: 'replayed', message: `the replay: ${what}`, ids: [] }));
}
