import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type BoardControls, createBoard } from '../../src/queue/board.ts';
import { createRedisBackend } from '../../src/queue/redis-backend.ts';
import { asAdmin, startHttp } from '../support/http-hub.ts';
import { skipWithoutRedis, startRedis } from '../support/redis-server.ts';
import { waitUntil } from '../support/wait-until.ts';

const notCalled = () => assert.fail('no control is to be called');
const controls: BoardControls = {
  retry: notCalled,
  promote: notCalled,
  cancel: notCalled,
  pauseLane: notCalled,
  resumeLane: notCalled,
};

/** The board over the lane `erp`, which holds the job `d.1`, on a Redis of its own. */
async function startBoard(context: TestContext) {
  const redis = await startRedis();
  assert.ok(redis);
  const backend = await createRedisBackend({ url: redis.url, onError: () => undefined });
  const queue = backend.createQueue('erp');
  queue.on('error', () => undefined);
  const ids = { delivery: 'd', event: 'e', flow: 'f', topic: 't', key: 'k' };
  await queue.add('f', { v: 1, round: 1, ...ids }, { jobId: 'd.1' });
  const board = createBoard({ queues: [queue], controls, basePath: '/queues', by: 'bull-board' });
  const hub = await startHttp({ board });
  context.after(async () => {
    await hub.server.close(1_000);
    await queue.close();
    await backend.close();
    await redis.stop();
  });
  const ask = async (method: string, path: string) => {
    const response = await fetch(`${hub.url}/queues/api${path}`, { method, headers: asAdmin });
    return { status: response.status, text: await response.text() };
  };
  return { redis, ask };
}

test('the board is 503 and says why while Redis is away, and well when it is back', {
  ...skipWithoutRedis(),
}, async (context) => {
  const { redis, ask } = await startBoard(context);
  const isWell = async () => (await ask('GET', '/queues')).status === 200;
  assert.equal(await isWell(), true);
  await redis.kill();
  const startedMs = performance.now();
  const answers = await Promise.all([
    ask('GET', '/queues'),
    ask('GET', '/queues/erp/d.1'),
    ask('GET', '/redis/stats'),
    ask('PUT', '/queues/erp/clean/waiting'),
    ask('PUT', '/queues/erp/promote'),
  ]);
  for (const { status, text } of answers) {
    assert.equal(status, 503, text);
    assert.match(text, /"code":"lanes-unavailable","message":"lane erp: /);
  }
  assert.ok(performance.now() - startedMs < 10_000);
  await redis.restart();
  await waitUntil('the board is back', async () => (await isWell()) || undefined);
});

test('the board is 503 while Redis takes commands and does not answer', {
  ...skipWithoutRedis(),
}, async (context) => {
  const { redis, ask } = await startBoard(context);
  process.kill(redis.pid, 'SIGSTOP');
  const { status, text } = await ask('GET', '/queues');
  process.kill(redis.pid, 'SIGCONT');
  assert.equal(status, 503, text);
  assert.match(text, /lanes-unavailable/);
});
