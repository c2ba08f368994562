// Where one lane is held and has far more that is due than the others, and all of it older.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import { firstDueStatement } from '../../src/journal/postgres-gates.ts';
import type { PostgresJournal } from '../../src/journal/postgres-journal.ts';
import { openTestJournal } from '../support/test-journal.ts';

const HELD = 20_000;
const OTHERS = 300;

describe('beside the backlog of a held lane', () => {
  let journal: PostgresJournal;
  let close: () => Promise<void>;
  let client: pg.Client;

  before(async () => {
    const opened = await openTestJournal();
    ({ journal, close } = opened);
    client = new pg.Client({ connectionString: opened.url });
    await client.connect();
    await client.query(
      `INSERT INTO events (id, source, topic, dedupe_key, body, headers, sha256)
       SELECT gen_random_uuid(), 'shop', 'orders/create', n::text, 'x', '{}', 'x'
       FROM generate_series(1, ${HELD + OTHERS}) n`,
    );
    await client.query(
      `INSERT INTO deliveries (id, event_id, flow, connector, operation, revision, due_at)
       SELECT gen_random_uuid(), id, 'f',
              CASE WHEN n <= ${HELD} THEN 'erp' WHEN n % 2 = 0 THEN 'crm' ELSE 'wms' END,
              'post', 'r', clock_timestamp() - interval '1 hour' + n * interval '1 millisecond'
       FROM (SELECT id, dedupe_key::int AS n FROM events) e`,
    );
    await client.query('ANALYZE deliveries');
  });
  after(async () => {
    await client.end();
    await close();
  });

  test('what is due of the others comes page by page, oldest first, each once', async () => {
    const keys: number[] = [];
    let after: { dueAt: string; deliveryId: string } | undefined;
    for (;;) {
      const page = { graceMs: 5_000, limit: 70, without: ['erp'] };
      const { due, last } = await journal.findOverdue(
        after === undefined ? page : { ...page, after },
      );
      keys.push(...due.map(({ key }) => Number(key)));
      if (due.length < 70) break;
      after = last;
    }
    assert.deepEqual(
      keys,
      Array.from({ length: OTHERS }, (_, index) => HELD + 1 + index),
    );
    assert.equal((await journal.findFirstDue('wms'))?.key, String(HELD + 1));
    assert.equal(await journal.findFirstDue('mail'), undefined);
  });

  test('the backlog is not read for what is first of another, whatever the planner knows', async () => {
    for (const plans of ['force_generic_plan', 'force_custom_plan']) {
      await client.query(`SET plan_cache_mode = ${plans}`);
      const text = `EXPLAIN (ANALYZE, TIMING off) ${firstDueStatement.text}`;
      const { rows } = await client.query(text, ['wms']);
      const plan = rows.map((row) => String(row['QUERY PLAN'])).join('\n');
      assert.match(plan, /Index Scan using deliveries_open_of_connector/);
      assert.doesNotMatch(plan, /Rows Removed by Filter: \d{4}/, plan);
    }
  });
});
