// What becomes of the lanes' connections to a Redis that refuses them, or fails over.

import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { Redis } from 'ioredis';
import { newId } from '../../src/model/ids.ts';
import { type BullmqLanes, createBullmqLanes } from '../../src/queue/bullmq-lanes.ts';
import type { LaneJob, Step } from '../../src/queue/lanes.ts';
import { createRedisBackend } from '../../src/queue/redis-backend.ts';
import { type RedisServer, skipWithoutRedis, startRedis } from '../support/redis-server.ts';
import { quietLog } from '../support/test-journal-server.ts';
import { waitUntil } from '../support/wait-until.ts';

const options = skipWithoutRedis();

/** A name that can be pointed elsewhere: connections that exist stay where they are. */
async function startName(port: number): Promise<{
  readonly url: string;
  pointTo(port: number): void;
  close(): Promise<void>;
}> {
  let target = port;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    near.pipe(far).pipe(near);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    pointTo(next) {
      target = next;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function ask<T>(url: string, question: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url);
  try {
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}

async function openRedis(args: readonly string[] = []): Promise<RedisServer> {
  const redis = await startRedis(args);
  assert.ok(redis);
  return redis;
}

function laneJob(): LaneJob {
  const names = { lane: 'erp', flow: 'order-to-erp', topic: 'orders/create', key: 'k1' };
  return { ...names, deliveryId: newId(), eventId: newId(), round: 0, dueInMs: 0 };
}

/** Adds jobs until one is taken: what a caller and the sweep do together. */
async function addUntilTaken(lanes: BullmqLanes): Promise<LaneJob> {
  return await waitUntil('an add', async () => {
    const job = laneJob();
    return await lanes.add([job]).then(
      () => job,
      () => undefined,
    );
  });
}

describe('the lanes’ connections to Redis', options, () => {
  test('move to the new primary when the old one has become its replica', async () => {
    const [old, next] = [await openRedis(), await openRedis()];
    const name = await startName(old.port);
    const errors: Error[] = [];
    const backend = await createRedisBackend({
      url: name.url,
      onError: (error) => errors.push(error),
    });
    const lanes = createBullmqLanes({ backend, names: ['erp'], log: quietLog });
    try {
      const done: string[] = [];
      const gate = new EventEmitter();
      const isOpen = once(gate, 'open');
      lanes.work('erp', { concurrency: 1 }, async (job): Promise<Step> => {
        await isOpen;
        done.push(job.deliveryId);
        return { kind: 'done', note: 'delivered' };
      });
      const first = await addUntilTaken(lanes);
      await waitUntil('it is active', async () =>
        (await lanes.count('erp')).active === 1 ? true : undefined,
      );
      await failOver(old, next);
      name.pointTo(next.port);
      gate.emit('open');
      await waitUntil('the refusal is reported', () =>
        errors.some((error) => error.message.includes('READONLY')) ? true : undefined,
      );
      const second = await addUntilTaken(lanes);
      await waitUntil('the second is done', () =>
        done.includes(second.deliveryId) ? true : undefined,
      );
      // The old primary refused the first one's end; it was told to the new one, and not as a failure.
      assert.deepEqual(done, [first.deliveryId, second.deliveryId]);
      assert.deepEqual(await lanes.findMissing([first]), [first]);
      assert.equal((await lanes.count('erp')).failed, 0);
    } finally {
      await lanes.close(3_000);
      await name.close();
      await Promise.all([old.stop(), next.stop()]);
    }
  });

  test('report a wrong password once, not with every try', async () => {
    const redis = await openRedis(['--requirepass', 'right']);
    const errors: Error[] = [];
    const backend = await createRedisBackend({
      url: redis.url.replace('redis://', 'redis://:wrong@'),
      onError: (error) => errors.push(error),
    });
    try {
      assert.match(String(errors[0]?.message), /WRONGPASS/);
      assert.equal(backend.isReachable(), false);
      await ask(redis.url.replace('redis://', 'redis://:right@'), (admin) =>
        waitUntil('many tries', async () => {
          const tries = /total_connections_received:(\d+)/.exec(await admin.info('stats'))?.[1];
          return Number(tries) > 8 ? true : undefined;
        }),
      );
      assert.equal(errors.length, 1);
    } finally {
      await backend.close();
      await redis.stop();
    }
  });
});

/** With everything the old primary has; its connections stay open. */
async function failOver(old: RedisServer, next: RedisServer): Promise<void> {
  await ask(next.url, async (admin) => {
    await admin.replicaof('127.0.0.1', old.port);
    await waitUntil('the copy', async () =>
      (await admin.info('replication')).includes('master_link_status:up') ? true : undefined,
    );
    await admin.replicaof('NO', 'ONE');
  });
  await ask(old.url, (admin) => admin.replicaof('127.0.0.1', next.port));
}
