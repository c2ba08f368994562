// How long Redis kept others waiting, asked on a connection of its own that knows neither the hub
// nor a proxy. What Redis says of itself is the measure; a round trip also measures this process.

import { readFile } from 'node:fs/promises';
import { setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { redisPassword } from './canaries.ts';
import { p99 } from './figures.ts';

export interface RedisWatch {
  /** Ends it; resolves with what was seen since it began. */
  end(): Promise<RedisSight>;
}

export interface RedisSight {
  /** Whether it came before everybody else who wanted a processor: that takes root. */
  readonly isFirst: boolean;
  /** Commands that took longer than allowed, by Redis' own clock. */
  readonly slow: readonly SlowCommand[];
  /** Round trips of a PING. */
  readonly pings: number;
  readonly pingP99Ms: number;
  readonly pingMaxMs: number;
  /** What Redis had a processor for, and what it had to wait for one; absent outside of Linux. */
  readonly ranMs?: number;
  readonly waitedMs?: number;
}

export interface SlowCommand {
  readonly tookMs: number;
  /** Its name, and of a script the queue's key. */
  readonly what: string;
}

const PING_EVERY_MS = 5;
const SLOW_KEPT_MAX = 1_000;

export async function watchRedis(
  redis: { readonly port: number; readonly pid: number },
  stallMsMax: number,
): Promise<RedisWatch> {
  const client = new Redis(redis.port, '127.0.0.1', { password: redisPassword });
  client.on('error', () => undefined);
  await client.config('SET', 'slowlog-max-len', String(SLOW_KEPT_MAX));
  await client.config('SET', 'slowlog-log-slower-than', String(stallMsMax * 1_000));
  await client.call('SLOWLOG', 'RESET');
  const isFirst = putFirst(redis.pid);
  const before = await processorTimes(redis.pid);
  const took: number[] = [];
  let isOver = false;
  const pinging = (async () => {
    while (!isOver) {
      const beganMs = performance.now();
      await client.ping();
      took.push(performance.now() - beganMs);
      await sleep(PING_EVERY_MS);
    }
  })();
  return {
    async end() {
      isOver = true;
      try {
        await pinging;
        const after = await processorTimes(redis.pid);
        const entries = (await client.call('SLOWLOG', 'GET', SLOW_KEPT_MAX)) as readonly unknown[];
        return {
          isFirst,
          slow: entries.map(slowCommandOf),
          pings: took.length,
          pingP99Ms: Math.round(p99(took) ?? 0),
          pingMaxMs: Math.round(Math.max(0, ...took)),
          ...(before === undefined || after === undefined
            ? {}
            : { ranMs: after.ranMs - before.ranMs, waitedMs: after.waitedMs - before.waitedMs }),
        };
      } finally {
        client.disconnect();
      }
    },
  };
}

/** An entry of SLOWLOG GET: id, second, microseconds, the words of the command, the client. */
export function slowCommandOf(entry: unknown): SlowCommand {
  const [, , microseconds, words] = entry as readonly [number, number, number, readonly string[]];
  const [name = '?', , , key] = words;
  const isScript = /^eval/i.test(name);
  return {
    tookMs: Math.round(microseconds / 1_000),
    what: isScript && key !== undefined ? `${name} … ${key}` : name,
  };
}

/** See proc(5), `/proc/<pid>/schedstat`, in nanoseconds. */
async function processorTimes(
  pid: number,
): Promise<{ readonly ranMs: number; readonly waitedMs: number } | undefined> {
  const text = await readFile(`/proc/${pid}/schedstat`, 'utf8').catch(() => undefined);
  const [ran, waited] = text?.split(' ').map((part) => Math.round(Number(part) / 1e6)) ?? [];
  return ran === undefined || waited === undefined ? undefined : { ranMs: ran, waitedMs: waited };
}

const FIRST = -20;

/**
 * Two cores are shared by PostgreSQL, the hub's processes and us: a command that waits for one of
 * them would count as slow, though Redis never was.
 */
function putFirst(pid: number): boolean {
  try {
    setPriority(pid, FIRST);
    return true;
  } catch {
    return false;
  }
}
