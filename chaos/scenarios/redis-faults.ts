// Redis dies, loses data, hangs or refuses.

import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultProxy } from '../fault-proxy.ts';
import type { Rig } from '../rig.ts';
import type { RigRedis } from '../rig-redis.ts';
import type { Scenario } from '../scenario.ts';

/** More than `everysec` can lose. */
const POWER_LOST_MS = 1_500;

function redisOf(rig: Rig): RigRedis {
  if (rig.redis === undefined) throw new Error('this fault needs lanes on Redis');
  return rig.redis;
}

function proxyOf(rig: Rig): FaultProxy {
  if (rig.proxies.redis === undefined) throw new Error('this fault needs a proxy before Redis');
  return rig.proxies.redis;
}

const redisKilled: Scenario = {
  id: 'F4',
  title: 'kill -9 of Redis, back after 5 s',
  promise: 'intake goes on; the lanes go on by themselves; nothing is lost',
  lanes: ['redis'],
  soak: true,
  quick: true,
  expect: { duplicates: { faults: 1 }, spentMax: 1 },
  async fault(rig) {
    await redisOf(rig).kill();
    await sleep(5_000);
    await redisOf(rig).restart();
  },
};

function powerLoss(fsync: 'everysec' | 'always', quick: boolean): Scenario {
  return {
    id: 'F5',
    variant: `appendfsync ${fsync}`,
    title: `Redis loses power: killed, and its last ${POWER_LOST_MS} ms are not on the disk`,
    promise: 'what Redis forgot comes back from the journal',
    lanes: ['redis'],
    soak: true,
    ...(quick ? { quick: true as const } : {}),
    rig: { fsync },
    expect: { duplicates: { faults: 1 }, spentMax: 1 },
    async fault(rig) {
      const watch = redisOf(rig).watchFile();
      await sleep(2_500);
      const { lostBytes } = await watch.losePower(POWER_LOST_MS);
      rig.note(`${lostBytes} bytes of the append-only file are lost`);
      await sleep(1_000);
      await redisOf(rig).restart();
    },
  };
}

const redisEmptied: Scenario = {
  id: 'F6',
  title: 'Redis is emptied twice, then loses its files',
  promise: 'the sweep fills the lanes from the journal again',
  lanes: ['redis'],
  soak: true,
  quick: true,
  expect: { duplicates: { faults: 3 } },
  async fault(rig, random) {
    const redis = redisOf(rig);
    for (let count = 0; count < 2; count += 1) {
      await redis.command('FLUSHALL');
      await sleep(500 + random.between(0, 1_000));
    }
    await redis.kill();
    await redis.removeFiles();
    await redis.restart();
  },
};

const redisFull: Scenario = {
  id: 'F7',
  title: 'Redis is out of memory for 8 s and evicts nothing',
  promise: 'intake goes on acknowledging; deliveries go on when there is memory',
  lanes: ['redis'],
  soak: true,
  expect: { duplicates: { faults: 1 }, spentMax: 1 },
  async fault(rig) {
    await redisOf(rig).command('CONFIG', 'SET', 'maxmemory', '1mb');
    await sleep(8_000);
    await redisOf(rig).command('CONFIG', 'SET', 'maxmemory', '0');
  },
};

const redisReadOnly: Scenario = {
  id: 'F8',
  title: 'Redis becomes a read-only replica for 8 s, as in a failover',
  promise: 'intake goes on acknowledging; deliveries go on when it is a primary again',
  lanes: ['redis'],
  soak: true,
  expect: { duplicates: { faults: 1 }, spentMax: 1 },
  async fault(rig) {
    await redisOf(rig).command('REPLICAOF', '127.0.0.1', '1');
    await sleep(8_000);
    await redisOf(rig).command('REPLICAOF', 'NO', 'ONE');
  },
};

const redisHangs: Scenario = {
  id: 'F10',
  title: 'Redis hangs for 8 s: connections stay open and nothing comes back',
  promise: 'intake does not wait for it; the lanes go on by themselves',
  lanes: ['redis'],
  soak: true,
  rig: { redisProxy: true },
  expect: { duplicates: { faults: 1 }, spentMax: 1 },
  async fault(rig, random) {
    if (random.next() < 0.5) {
      rig.note('the network swallows everything');
      await proxyOf(rig).set({ kind: 'blackhole' });
      await sleep(8_000);
      await proxyOf(rig).set({ kind: 'pass' });
    } else {
      rig.note('the process is stopped');
      const { pid } = redisOf(rig);
      process.kill(pid, 'SIGSTOP');
      await sleep(8_000);
      process.kill(pid, 'SIGCONT');
    }
  },
};

export const redisFaults: readonly Scenario[] = [
  redisKilled,
  powerLoss('everysec', true),
  powerLoss('always', false),
  redisEmptied,
  redisFull,
  redisReadOnly,
  redisHangs,
];
