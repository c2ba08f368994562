// Two versions of the program on one journal: the newer one has migrated it, the older one comes back.

import assert from 'node:assert/strict';
import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { createOrder } from '../../src/delivery/order.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { migrateJournal, openPostgresJournal } from '../../src/journal/postgres-journal.ts';
import { isCrossdockError } from '../../src/model/errors.ts';
import type { LaneJob } from '../../src/queue/lanes.ts';
import { createChain } from '../support/ordered-chain.ts';
import { sampleEvent } from '../support/sample-event.ts';
import { migrationsFolder, openTestJournal } from '../support/test-journal.ts';
import {
  acquireTestDatabase,
  query,
  quietLog,
  temporaryFolder,
} from '../support/test-journal-server.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const onError = (): void => undefined;

/** A database that a newer version has migrated with one more file. */
async function migratedByNewer(sql: string): Promise<string> {
  const { url, close } = await acquireTestDatabase();
  closers.push(close);
  const folder = await temporaryFolder();
  closers.push(() => rm(folder, { recursive: true, force: true }));
  await cp(migrationsFolder, folder, { recursive: true });
  await writeFile(join(folder, '9001-later.sql'), sql);
  const applied = await migrateJournal({ url, migrationsFolder: folder, onError });
  assert.equal(applied.at(-1), '9001-later.sql');
  return url;
}

async function openOlder(url: string, newer: string[] = []): Promise<Journal> {
  const onNewer = (names: readonly string[]): void => void newer.push(...names);
  const journal = await openPostgresJournal({ url, migrationsFolder, onError, onNewer });
  closers.push(() => journal.close());
  return journal;
}

test('an older version goes on beside what a newer one has only added', async () => {
  const url = await migratedByNewer(
    "-- additive\nALTER TABLE deliveries ADD COLUMN later text NOT NULL DEFAULT 'a';\n",
  );
  const newer: string[] = [];
  const journal = await openOlder(url, newer);
  assert.deepEqual(newer, ['9001-later.sql']);
  const event = sampleEvent();
  await journal.append(event);
  const deliveryId = event.deliveries[0]?.id ?? '';
  assert.equal((await journal.claim({ deliveryId, round: 0, leaseMs: 1_000 })).kind, 'claimed');
});

test('an older version does not start on what a newer one has changed', async () => {
  const url = await migratedByNewer('ALTER TABLE deliveries RENAME COLUMN tenant TO share;\n');
  await assert.rejects(openOlder(url), (error) => isCrossdockError(error, 'journal-too-new'));
});

test('a chain that an older version which knows no order left behind is let go', async () => {
  const { journal, url, close } = await openTestJournal();
  closers.push(close);
  const chain = createChain(journal);
  const [first, second] = [await chain.append(), await chain.append()];
  await chain.take(first.id);
  await chain.claim(second.id);
  await query(
    url,
    `UPDATE deliveries SET state = 'delivered', open = false, lease_until = NULL WHERE id = '${first.id}'`,
  );
  const jobs: string[] = [];
  const add = async (due: readonly LaneJob[]): Promise<void> => {
    jobs.push(...due.map((job) => job.deliveryId));
  };
  const order = createOrder({ journal, lanes: { add }, log: quietLog });
  closers.push(() => order.close());
  await order.turn.run(new AbortController().signal);
  assert.deepEqual(jobs, [second.id]);
});

test('a ledger of the first version, which knew of no additive files, is read', async () => {
  const { url, close } = await acquireTestDatabase();
  closers.push(close);
  await migrateJournal({ url, migrationsFolder, onError });
  await query(url, 'ALTER TABLE migrations DROP COLUMN additive');
  await openOlder(url);
});
