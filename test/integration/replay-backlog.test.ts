// A large replay into a paused lane on Redis: while its jobs are added, others must not wait.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { runReplays } from '../../src/delivery/replay-runner.ts';
import { createBullmqLanes } from '../../src/queue/bullmq-lanes.ts';
import { createRedisBackend } from '../../src/queue/redis-backend.ts';
import { skipWithoutRedis, startRedis } from '../support/redis-server.ts';
import { controlsOf, planOf, projectNow } from '../support/replay-parts.ts';
import { openTestJournal } from '../support/test-journal.ts';
import { query, quietLog } from '../support/test-journal-server.ts';

/** `REPLAY_BACKLOG=100000` measures more. */
const COUNT = Number(process.env['REPLAY_BACKLOG'] ?? 20_000);
const STALL_MS_MAX = 50;
const PING_EVERY_MS = 5;

const never = new AbortController().signal;

/** Round trips to Redis while `work` goes on, in milliseconds. */
async function pingsDuring(client: Redis, work: () => Promise<unknown>): Promise<number[]> {
  const took: number[] = [];
  let isOver = false;
  const pinging = (async () => {
    while (!isOver) {
      const startedMs = performance.now();
      await client.ping();
      took.push(performance.now() - startedMs);
      await sleep(PING_EVERY_MS);
    }
  })();
  await work();
  isOver = true;
  await pinging;
  return took.toSorted((a, b) => a - b);
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

describe('a large replay', skipWithoutRedis(), () => {
  test(`of ${COUNT} into a paused lane stalls Redis for nobody`, async (t) => {
    const redis = await startRedis();
    assert.ok(redis);
    const { journal, url, close } = await openTestJournal();
    const backend = await createRedisBackend({ url: redis.url, onError: () => undefined });
    const lanes = createBullmqLanes({ backend, names: ['erp'], log: quietLog });
    const client = new Redis(redis.url);
    try {
      await lanes.pause('erp');
      await insertDead(url, COUNT);
      const startedMs = performance.now();
      const { replay } = await planOf(journal, {});
      t.diagnostic(`planned in ${Math.round(performance.now() - startedMs)} ms`);
      assert.equal(replay.total, COUNT);
      await controlsOf(journal).run(replay.id, 'a test');
      // As fast as chunks go: many times what a replay may ask for.
      await query(url, 'UPDATE replays SET per_second = 1e6');
      const idle = await pingsDuring(client, () => sleep(1_000));
      await client.config('SET', 'slowlog-log-slower-than', String(STALL_MS_MAX * 1_000));
      await client.call('SLOWLOG', 'RESET');
      const parts = { replays: journal.replays, lanes, log: quietLog, laneBacklogMax: 1e9 };
      const { routes } = projectNow();
      const busy = await pingsDuring(client, async () => {
        while ((await journal.replays.get(replay.id)).state === 'running') {
          await runReplays({ ...parts, routes }, never);
        }
      });
      const slow = Number(await client.call('SLOWLOG', 'LEN'));
      const shown = [0.5, 0.99, 1].map((share) =>
        [idle, busy].map((all) => quantile(all, share).toFixed(1)).join(' → '),
      );
      t.diagnostic(`PING p50, p99, max in ms, idle → adding: ${shown.join(', ')}`);
      t.diagnostic(`commands slower than ${STALL_MS_MAX} ms, by Redis itself: ${slow}`);
      const { waiting } = await lanes.count('erp');
      t.diagnostic(`${waiting} jobs wait`);
      // PING is asked from this process, which is busy as well: only its middle says something of
      // Redis. What Redis itself measured says it all, but for moments in which it had no processor.
      assert.ok(quantile(busy, 0.5) < STALL_MS_MAX, 'PING waited for the adds');
      assert.ok(slow <= COUNT / 2_000, `${slow} commands took longer than ${STALL_MS_MAX} ms`);
      const [made] = await query(
        url,
        'SELECT count(*)::int AS made FROM deliveries WHERE replay_run IS NOT NULL',
      );
      assert.equal(made?.['made'], COUNT);
    } finally {
      client.disconnect();
      await lanes.close(3_000);
      await close();
      await redis.stop();
    }
  });
});

/** Dead deliveries of as many events, written in one go. */
async function insertDead(url: string, count: number): Promise<void> {
  await query(
    url,
    `WITH e AS (
       INSERT INTO events (id, source, topic, dedupe_key, body, headers, sha256)
       SELECT gen_random_uuid(), 'shop', 'orders/create', 'k' || n, '{}', '{}', ''
       FROM generate_series(1, ${count}) n RETURNING id
     )
     INSERT INTO deliveries (id, event_id, flow, connector, operation, revision, state, code, reason,
                             open, dead)
     SELECT gen_random_uuid(), id, 'order-to-erp', 'erp', 'create', 'r1', 'dead', 'rejected',
            'no stock', false, true FROM e`,
  );
}
