// The journal on PostgreSQL: puts its parts together, batches the three that travel with every
// message, and refuses a database that would not keep what it acknowledged.

import { setTimeout as sleep } from 'node:timers/promises';
import { CrossdockError } from '../model/errors.ts';
import type { FlowRevision } from '../model/flow-revision.ts';
import { type Meter, silentMeter } from '../model/meter.ts';
import { within } from '../model/within.ts';
import { advanceChains, chainViews } from './advance-chains.ts';
import { appendGroups, weighEvents } from './append-events.ts';
import { type Batcher, type BatcherLimits, createBatcher } from './batcher.ts';
import { claimInOrder } from './claim-ordered.ts';
import {
  type Database,
  isCollision,
  isRowFault,
  openDatabase,
  type Statement,
} from './database.ts';
import { deliveryChanges } from './delivery-changes.ts';
import { eventConflicts } from './event-conflicts.ts';
import type { Appended, Journal } from './journal.ts';
import { journalViews } from './journal-views.ts';
import { laggingLanes } from './lagging-lanes.ts';
import { laneChanges } from './lane-changes.ts';
import { migrate } from './migrate.ts';
import { overdueDeliveries } from './overdue-deliveries.ts';
import type { Pollers } from './pollers-port.ts';
import { postgresGates } from './postgres-gates.ts';
import { postgresPollers } from './postgres-pollers.ts';
import { postgresProblems } from './postgres-problems.ts';
import { postgresQuarantine } from './postgres-quarantine.ts';
import { postgresReplays } from './postgres-replays.ts';
import { postgresSecretUses } from './postgres-secret-uses.ts';
import type { Problems } from './problems-port.ts';
import type { Quarantine } from './quarantine-port.ts';
import { recordAttempts, weighRecord } from './record-attempts.ts';
import type { Replays } from './replays-port.ts';
import type { SecretUses } from './secret-uses-port.ts';

export interface PostgresJournalOptions {
  readonly url: string;
  readonly migrationsFolder: string;
  readonly meter?: Meter;
  /** @default 10 */
  readonly connectionsMax?: number;
  /** How long an append may take before the vendor is told to come again, in ms. @default 2 s */
  readonly queryMs?: number;
  onError(error: Error): void;
  /** Told of additive migrations of a newer version, which this one does without. */
  onNewer?(names: readonly string[]): void;
}

/** The journal and the ports beside it, on the same connections. */
export interface PostgresJournal extends Journal {
  readonly problems: Problems;
  readonly replays: Replays;
  readonly pollers: Pollers;
  readonly secretUses: SecretUses;
  readonly quarantine: Quarantine;
}

/** A vendor waits for an append: two under way, one in its commit while the next is written. */
const appendLimits: BatcherLimits = {
  itemsMax: 200,
  bytesMax: 4 * 1024 * 1024,
  batchesMax: 2,
  lingerMs: 1,
  waitingMax: 5_000,
  waitingBytesMax: 64 * 1024 * 1024,
  waitMsMax: 2_000,
};

/** Nobody waits for these but a delivery: fewer and larger. */
const deliveryLimits: BatcherLimits = { ...appendLimits, batchesMax: 1, lingerMs: 3 };

/** Brings the journal's tables to this version; resolves with the files that were applied now. */
export async function migrateJournal(
  options: Pick<PostgresJournalOptions, 'url' | 'migrationsFolder' | 'onError'>,
): Promise<readonly string[]> {
  const { url, onError } = options;
  const database = openDatabase({ url, name: 'crossdock-migrate', onError });
  try {
    return (await migrate(database, options.migrationsFolder)).applied;
  } finally {
    await database.close();
  }
}

/** Connects, migrates and checks; rejects `journal-unavailable`, `-not-durable` or `-too-new`. */
export async function openPostgresJournal(
  options: PostgresJournalOptions,
): Promise<PostgresJournal> {
  const database = openDatabase({
    url: options.url,
    name: 'crossdock-journal',
    onError: options.onError,
    ...(options.connectionsMax === undefined ? {} : { connectionsMax: options.connectionsMax }),
    ...(options.queryMs === undefined ? {} : { queryMs: options.queryMs }),
  });
  try {
    const { newer } = await migrate(database, options.migrationsFolder);
    if (newer.length > 0) options.onNewer?.(newer);
    await requireDurability(database);
  } catch (error) {
    await database.close();
    throw error;
  }
  return assemble(database, options.meter ?? silentMeter);
}

function assemble(database: Database, meter: Meter): PostgresJournal {
  const batched = <I, O>(
    name: string,
    run: (database: Database, items: readonly I[]) => Promise<readonly O[]>,
    options: { readonly weigh: (item: I) => number; readonly limits: BatcherLimits },
  ): Batcher<I, O> =>
    createBatcher({
      name,
      run: (items: readonly I[]) => againAfterCollision(() => run(database, items)),
      isItemFault,
      ...options,
      onBatch: (size) => meter.batch(name, size),
    });
  const append = batched('append', appendGroups, { weigh: weighEvents, limits: appendLimits });
  const claim = batched('claim', claimInOrder, { weigh: () => 128, limits: deliveryLimits });
  const record = batched('record', recordAttempts, { weigh: weighRecord, limits: deliveryLimits });
  const advance = batched('advance', advanceChains, {
    weigh: (chain: string) => chain.length,
    limits: deliveryLimits,
  });
  return {
    append: async (event) => (await append.add([event]))[0] as Appended,
    appendTogether: async (events) => (events.length === 0 ? [] : append.add(events)),
    claim: (request) => claim.add(request),
    record: (one) => record.add(one),
    advance: (chain) => advance.add(chain),
    ...chainViews(database),
    ...revisions(database),
    ...overdueDeliveries(database),
    ...journalViews(database),
    ...eventConflicts(database),
    ...deliveryChanges(database),
    ...laneChanges(database),
    ...laggingLanes(database),
    problems: postgresProblems(database),
    replays: postgresReplays(database),
    pollers: postgresPollers(database),
    secretUses: postgresSecretUses(database),
    quarantine: postgresQuarantine(database),
    ...postgresGates(database),
    ping: (deadlineMs) => ping(database, deadlineMs),
    async close() {
      await Promise.all([append, claim, record, advance].map((one) => one.drain()));
      await database.close();
    },
  };
}

const COLLISION_TRIES = 4;
const COLLISION_REST_MS = 30;

async function againAfterCollision<T>(run: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await run();
    } catch (error) {
      if (!isCollision(error)) throw error;
      if (tries >= COLLISION_TRIES) throw collided(error);
      await sleep(Math.random() * COLLISION_REST_MS);
    }
  }
}

function collided(cause: unknown): CrossdockError {
  const message = 'the journal was in its own way (deadlock) several times in a row';
  return new CrossdockError('journal-unavailable', message, { cause });
}

/** A value that the database, or our own preparation of it, refuses. */
function isItemFault(error: unknown): boolean {
  return isRowFault(error) || error instanceof RangeError || error instanceof TypeError;
}

const saveRevisionsStatement: Statement = {
  name: 'save-revisions',
  text: `
    INSERT INTO revisions (hash, flow, document)
    SELECT hash, flow, document FROM json_to_recordset($1::json) AS r(hash text, flow text, document json)
    ON CONFLICT (hash) DO NOTHING`,
};

const loadRevisionStatement: Statement = {
  name: 'load-revision',
  text: 'SELECT document FROM revisions WHERE hash = $1',
};

const REVISIONS_KEPT_MAX = 1_000;

function revisions(database: Database): Pick<Journal, 'saveRevisions' | 'loadRevision'> {
  const known = new Map<string, FlowRevision>();
  const keep = (revision: FlowRevision): void => {
    if (known.size >= REVISIONS_KEPT_MAX) known.clear();
    known.set(revision.hash, revision);
  };
  return {
    async saveRevisions(all) {
      const rows = all.map((one) => ({ hash: one.hash, flow: one.flow, document: one }));
      await database.query(saveRevisionsStatement, [JSON.stringify(rows)]);
      all.forEach(keep);
    },
    async loadRevision(hash) {
      const cached = known.get(hash);
      if (cached !== undefined) return cached;
      const [row] = await database.query<{ document: FlowRevision }>(loadRevisionStatement, [hash]);
      if (row !== undefined) keep(row.document);
      return row?.document;
    },
  };
}

const pingStatement: Statement = {
  name: 'ping',
  text: `SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms`,
};

async function ping(database: Database, deadlineMs: number): Promise<{ clockAheadMs: number }> {
  const startedMs = Date.now();
  const [row] = await within(database.query<{ ms: number }>(pingStatement), deadlineMs, () => {
    const message = `the journal did not answer within ${deadlineMs} ms`;
    return new CrossdockError('journal-unavailable', message);
  });
  const middleMs = (startedMs + Date.now()) / 2;
  return { clockAheadMs: Math.round(middleMs - (row?.ms ?? middleMs)) };
}

const durabilityStatement: Statement = {
  name: 'show-durability',
  text: `SELECT current_setting('synchronous_commit') AS commit, current_setting('fsync') AS fsync`,
};

async function requireDurability(database: Database): Promise<void> {
  const [row] = await database.query<{ commit: string; fsync: string }>(durabilityStatement);
  if (row?.commit !== 'off' && row?.fsync === 'on') return;
  throw new CrossdockError(
    'journal-not-durable',
    `the database runs with synchronous_commit=${row?.commit} and fsync=${row?.fsync}: what it ` +
      'acknowledges could be lost; set both to on for this database and role',
  );
}
