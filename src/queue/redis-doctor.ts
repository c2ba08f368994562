import type { Redis } from 'ioredis';
import { CrossdockError } from '../model/errors.ts';
import { ioredis } from './required-packages.ts';

/** What a Redis says about itself; `undefined` where it does not let us ask. */
export interface RedisReport {
  readonly version: string;
  /** `no` also where there is no append-only file at all. */
  readonly appendfsync: 'always' | 'everysec' | 'no' | undefined;
  readonly maxmemoryPolicy: string | undefined;
  /** Bytes; 0 is no limit. */
  readonly maxmemory: number;
  readonly usedMemory: number;
  /** How far this process' clock is ahead of the server's. */
  readonly clockAheadMs: number;
}

const CONNECT_MS = 2_000;

/** One look at the server. Rejects `lanes-unavailable` when it cannot be reached. */
export async function inspectRedis(url: string): Promise<RedisReport> {
  const redis = new ioredis.Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    commandTimeout: CONNECT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  // The rejection of `connect` tells the same.
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    const info = parseInfo(await redis.info());
    const [seconds, microseconds] = await redis.time();
    const serverMs = Number(seconds) * 1_000 + Number(microseconds) / 1_000;
    return {
      version: info.get('redis_version') ?? 'unknown',
      appendfsync: info.get('aof_enabled') === '0' ? 'no' : await readAppendfsync(redis),
      maxmemoryPolicy: info.get('maxmemory_policy'),
      maxmemory: Number(info.get('maxmemory') ?? 0),
      usedMemory: Number(info.get('used_memory') ?? 0),
      clockAheadMs: Math.round(Date.now() - serverMs),
    };
  } catch (error) {
    throw unreachable(error);
  } finally {
    redis.disconnect();
  }
}

function unreachable(cause: unknown): CrossdockError {
  return new CrossdockError('lanes-unavailable', 'Redis does not answer', { cause });
}

/** Many hosted servers forbid CONFIG. */
async function readAppendfsync(redis: Redis): Promise<RedisReport['appendfsync']> {
  try {
    const [, value] = (await redis.config('GET', 'appendfsync')) as string[];
    return value === 'always' || value === 'everysec' || value === 'no' ? value : undefined;
  } catch {
    return undefined;
  }
}

function parseInfo(text: string): ReadonlyMap<string, string> {
  const pairs = text.split('\r\n').flatMap((line) => {
    const at = line.indexOf(':');
    return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const];
  });
  return new Map(pairs);
}
