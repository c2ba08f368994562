// What the hub needs to be there: the journal's database, and the lanes' store.

import type { Environment } from '../../config/environment.ts';
import type { Definitions } from '../../definitions/definitions.ts';
import { type Operations, openOperations } from '../../hub.ts';
import { CrossdockError } from '../../model/errors.ts';
import type { Log } from '../../model/log.ts';
import { inspectRedis, type RedisReport } from '../../queue/redis-doctor.ts';
import { todoFor } from '../exit-codes.ts';
import { type Finding, fail, judgeClock, pass, warn } from './finding.ts';
import { judgeSecrets } from './secrets.ts';

const PING_MS = 3_000;
/** Past this share of its memory a Redis soon refuses new jobs. */
const MEMORY_WARN_SHARE = 0.7;

export async function checkServices(
  environment: Environment,
  log: Log,
  definitions?: Definitions,
): Promise<readonly Finding[]> {
  const { redisUrl } = environment;
  const journal = await checkJournal(environment, log, definitions);
  return redisUrl === undefined ? journal : [...journal, ...(await checkRedis(redisUrl))];
}

async function checkJournal(
  environment: Environment,
  log: Log,
  definitions: Definitions | undefined,
): Promise<readonly Finding[]> {
  const journal = environment.databaseUrl === undefined ? 'embedded PostgreSQL' : 'PostgreSQL';
  const opened = await openOperations({ environment, log }).catch((error: unknown) => error);
  if (!isOperations(opened)) return [failed('journal', opened)];
  const operations = opened;
  try {
    const { clockAheadMs } = await operations.journal.ping(PING_MS);
    return [
      pass('journal', `${journal} answers`),
      pass('durability', 'fsync and synchronous_commit are on'),
      pass('migrations', 'the tables are of this version'),
      judgeClock('clock', clockAheadMs),
      ...judgeSecrets(
        definitions?.connectors.values() ?? [],
        await operations.secretUses.list(),
        Date.now() - clockAheadMs,
      ),
      ...(await checkLanes(operations, environment)),
    ];
  } catch (error) {
    return [failed('journal', error)];
  } finally {
    await operations.close();
  }
}

function isOperations(opened: unknown): opened is Operations {
  return typeof opened === 'object' && opened !== null && 'journal' in opened;
}

/** A Redis is looked at by itself: a connection of the lanes takes a moment to be ready. */
async function checkLanes(
  { lanes }: Operations,
  { redisUrl }: Environment,
): Promise<readonly Finding[]> {
  if (redisUrl !== undefined) return [];
  try {
    await lanes.ping();
    return [pass('lanes', 'PostgreSQL answers')];
  } catch (error) {
    return [failed('lanes', error)];
  }
}

/** What the hub refuses to start with, in its own words. */
function failed(what: string, error: unknown): Finding {
  if (!(error instanceof CrossdockError)) throw error;
  const unreachable = error.code !== 'journal-not-durable' && error.code !== 'journal-too-new';
  return { ...fail(what, `${error.code}: ${error.message}`, todoFor(error)), unreachable };
}

async function checkRedis(url: string): Promise<readonly Finding[]> {
  try {
    const report = await inspectRedis(url);
    return [pass('lanes', `Redis ${report.version} answers`), ...judgeRedis(report)];
  } catch (error) {
    return [failed('lanes', error)];
  }
}

export function judgeRedis(report: RedisReport): readonly Finding[] {
  return [
    judgeEviction(report),
    judgePersistence(report),
    judgeMemory(report),
    judgeClock('Redis clock', report.clockAheadMs),
  ];
}

function judgeEviction({ maxmemoryPolicy }: RedisReport): Finding {
  const what = 'Redis eviction';
  const found = `maxmemory-policy ${maxmemoryPolicy ?? 'is not told'}`;
  if (maxmemoryPolicy === 'noeviction') return pass(what, found);
  return fail(what, found, 'Set maxmemory-policy noeviction: BullMQ loses track of evicted keys.');
}

/** The journal fills lost lanes again; what is spared is the wait until it has. */
function judgePersistence({ appendfsync }: RedisReport): Finding {
  const what = 'Redis persistence';
  const found = appendfsync === undefined ? 'not told' : `appendfsync ${appendfsync}`;
  if (appendfsync === 'always' || appendfsync === 'everysec') return pass(what, found);
  return warn(what, found, 'Set appendonly yes; otherwise a restart waits for the sweep.');
}

function judgeMemory({ maxmemory, usedMemory }: RedisReport): Finding {
  const what = 'Redis memory';
  if (maxmemory === 0) return pass(what, 'no limit of its own');
  const share = usedMemory / maxmemory;
  const found = `${Math.round(share * 100)} % used`;
  return share < MEMORY_WARN_SHARE ? pass(what, found) : warn(what, found, 'Raise maxmemory.');
}
