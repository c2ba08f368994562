// `crossdock pollers` on a journal in which one poller has come far, one has failed, and one is new.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { PostgresJournal } from '../../src/journal/postgres-journal.ts';
import { runCrossdock } from '../support/run-crossdock.ts';
import { openTestJournal } from '../support/test-journal.ts';
import { createTestProject } from '../support/test-project.ts';

const polled = `kind: http
baseUrl: http://127.0.0.1:1
operations: { list: { get: /orders } }
receive:
  topic: { is: order.changed }
  dedupe: { json: id }
  poll: { operation: list, every: 5m, items: "orders[]", cursor: { json: id } }
`;
const clock = `receive:
  topic: { is: tick }
  schedule: [{ cron: "0 6 * * *", topic: tick }]
`;

describe('crossdock pollers', () => {
  let journal: PostgresJournal;
  let url: string;
  let close: () => Promise<void>;
  let project: Awaited<ReturnType<typeof createTestProject>>;

  before(async () => {
    ({ journal, url, close } = await openTestJournal());
    project = await createTestProject({
      erpUrl: 'http://127.0.0.1:1',
      files: {
        'connectors/far.yaml': polled,
        'connectors/failing.yaml': polled,
        'connectors/fresh.yaml': polled,
        'connectors/clock.yaml': clock,
      },
    });
    for (const [source, end] of [
      ['far', { cursor: '4711' }],
      ['failing', { error: 'the answer was 503' }],
      ['gone', { cursor: 'of a file that is no more' }],
    ] as const) {
      const turn = await journal.pollers.take(source, 10_000);
      assert.ok(turn !== undefined);
      await journal.pollers.end({ source, fence: turn.fence, nextInMs: 60_000, ...end });
    }
  });
  after(async () => {
    await project.remove();
    await close();
  });

  const run = (...args: string[]) =>
    runCrossdock(['pollers', ...args], {
      project: project.folder,
      env: { DATABASE_URL: url, SHOP_SECRET: 'a-secret', ERP_TOKEN: 'a-token' },
    });

  test('shows cursors, failures, and what has had no turn yet', async () => {
    const { code, stdout, stderr } = await run();
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^far +going +4711 +\d{4}-/m);
    assert.match(stdout, /^failing +failed 1 times? .*the answer was 503$/m);
    assert.match(stdout, /^fresh +not tried yet/m);
    assert.match(stdout, /^clock schedule +not tried yet/m);
    assert.doesNotMatch(stdout, /^gone/m);
  });

  test('and the same as JSON', async () => {
    const { code, stdout } = await run('--json');
    assert.equal(code, 0);
    const { pollers, untried } = JSON.parse(stdout) as {
      readonly pollers: readonly { readonly source: string; readonly failures: number }[];
      readonly untried: readonly string[];
    };
    const failures = pollers.map((one) => [one.source, one.failures]);
    assert.deepEqual(failures.sort(), [
      ['failing', 1],
      ['far', 0],
    ]);
    assert.deepEqual([...untried].sort(), ['clock schedule', 'fresh']);
  });
});
