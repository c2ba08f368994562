// The laws of the order, over random histories. A failure prints its seed and the shortest history.

import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import pg from 'pg';
import type { Journal } from '../../src/journal/journal.ts';
import { openPostgresJournal } from '../../src/journal/postgres-journal.ts';
import { createHistory, type Mode, type Step, stepKinds } from '../support/order-history.ts';
import { migrationsFolder, openTestJournal } from '../support/test-journal.ts';

/** CROSSDOCK_PROPERTY_RUNS and _SEED say otherwise. */
const RUNS = 8;
const STEPS_MAX = 40;

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('append', 'claim-all', 'delivered', 'advance') },
    { weight: 2, arbitrary: fc.constantFrom(...stepKinds) },
  ) as fc.Arbitrary<Step['kind']>,
  pick: fc.nat(1_000),
});

function seed(): { readonly seed?: number; readonly endOnFailure?: boolean } {
  const given = process.env['CROSSDOCK_PROPERTY_SEED'];
  return given === undefined ? {} : { seed: Number(given), endOnFailure: true };
}

describe('over any history', () => {
  let journals: readonly [Journal, Journal];
  let client: pg.Client;
  let close: () => Promise<void>;

  before(async () => {
    const first = await openTestJournal();
    const { url } = first;
    const onError = (): void => undefined;
    const second = await openPostgresJournal({ url, migrationsFolder, onError });
    journals = [first.journal, second];
    client = new pg.Client({ connectionString: url });
    await client.connect();
    close = async () => {
      await client.end();
      await second.close();
      await first.close();
    };
  });
  after(() => close());

  for (const mode of ['block', 'park', 'skip', 'latest'] satisfies Mode[]) {
    test(`one of a key at a time, in its order, and every chain ends (${mode})`, async () => {
      const runs = Number(process.env['CROSSDOCK_PROPERTY_RUNS'] ?? RUNS);
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { minLength: 10, maxLength: STEPS_MAX, size: 'max' }),
          async (steps) => {
            const history = createHistory(journals, client, mode);
            for (const one of steps) await history.run(one);
            await history.drain();
          },
        ),
        { numRuns: runs, includeErrorInReport: true, ...seed() },
      );
    });
  }
});
