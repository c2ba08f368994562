// The `poll:` and `schedule:` of a receiver: read, and checked beyond their shapes.

import { Cron } from 'croner';
import type { Json, JsonObject } from '../model/json.ts';
import { didYouMeanOrKnown } from '../model/suggest.ts';
import { parseDurationMs } from '../model/units.ts';
import { isObject } from './content.ts';
import { type Fault, fault, type Path } from './fault.ts';
import type { PollDefinition, ScheduleDefinition } from './receive.ts';
import { parseJsonPath, parseListPath } from './template.ts';

const EVERY_MS_DEFAULT = 300_000;
const EVERY_MS_MIN = 10_000;
const EVERY_MS_MAX = 30 * 86_400_000;
const OVERLAP_MS_DEFAULT = 300_000;
const PAGES_DEFAULT = 50;

/** `undefined` where there is none, or one with faults; then those are reported. */
export function parsePoll(value: Json | undefined): PollDefinition | undefined {
  if (!isObject(value) || typeof value['operation'] !== 'string') return undefined;
  const { operation, every, items, cursor, overlap, from, next, pagesMax } = value;
  const list = parseListPath(String(items ?? '[]'));
  if ('problem' in list) return undefined;
  const reached = isObject(cursor) ? cursorOf(cursor) : undefined;
  const nextPath = nextOf(next);
  return {
    operation,
    everyMs: parseDurationMs(String(every)) ?? EVERY_MS_DEFAULT,
    items: list.value,
    ...(reached === undefined ? {} : { cursor: reached }),
    overlapMs: parseDurationMs(String(overlap)) ?? OVERLAP_MS_DEFAULT,
    from: typeof from === 'string' ? from : 'now',
    ...(nextPath === undefined ? {} : { next: nextPath }),
    pagesMax: typeof pagesMax === 'number' ? pagesMax : PAGES_DEFAULT,
  };
}

const units = ['iso', 's', 'ms', 'number', 'text'] as const;

function cursorOf(cursor: JsonObject): PollDefinition['cursor'] {
  const path = parseJsonPath(String(cursor['json']));
  const unit = units.find((one) => one === cursor['unit']) ?? 'iso';
  return 'problem' in path ? undefined : { path: path.value, unit };
}

function nextOf(next: Json | undefined): PollDefinition['next'] {
  if (next === 'count') return 'count';
  const parsed = typeof next === 'string' ? parseJsonPath(next) : undefined;
  return parsed === undefined || 'problem' in parsed ? undefined : parsed.value;
}

export function parseSchedules(value: Json | undefined): readonly ScheduleDefinition[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly Json[]).flatMap((one): ScheduleDefinition[] => {
    if (!isObject(one)) return [];
    const { cron, timezone, topic, body } = one;
    if (typeof cron !== 'string' || typeof topic !== 'string') return [];
    const zone = typeof timezone === 'string' ? timezone : 'UTC';
    return [{ cron, timezone: zone, topic, body: isObject(body) ? body : {} }];
  });
}

/** What is wrong with `poll`; `operations` are those of the same connector. */
export function checkPoll(
  value: Json | undefined,
  path: Path,
  operations: readonly string[],
): readonly Fault[] {
  if (!isObject(value)) return [];
  return [
    ...operationFaults(value, path, operations),
    ...everyFaults(value, path),
    ...textFaults(value, path),
    ...fromFaults(value, path),
  ];
}

function operationFaults(
  { operation }: JsonObject,
  path: Path,
  operations: readonly string[],
): readonly Fault[] {
  if (typeof operation !== 'string' || operations.includes(operation)) return [];
  const message = `there is no operation "${operation}" in this file`;
  const hint = didYouMeanOrKnown(operation, operations);
  return [fault([...path, 'operation'], 'unknown-operation', { message, hint })];
}

function everyFaults({ every }: JsonObject, path: Path): readonly Fault[] {
  const everyMs = parseDurationMs(String(every ?? '5m')) ?? 0;
  if (everyMs >= EVERY_MS_MIN && everyMs <= EVERY_MS_MAX) return [];
  const message = `"${path.join('.')}.every" must be from 10s to 30d`;
  return [fault([...path, 'every'], 'wrong-value', { message })];
}

function textFaults({ items, cursor, next }: JsonObject, path: Path): readonly Fault[] {
  const texts: readonly (readonly [Path, object])[] = [
    [['items'], parseListPath(String(items ?? '[]'))],
    [['cursor', 'json'], isObject(cursor) ? parseJsonPath(String(cursor['json'])) : {}],
    [['next'], typeof next === 'string' && next !== 'count' ? parseJsonPath(next) : {}],
  ];
  return texts.flatMap(([at, parsed]) => {
    if (!('problem' in parsed)) return [];
    const problem = parsed.problem as { readonly message: string; readonly hint: string };
    return [fault([...path, ...at], 'wrong-value', problem)];
  });
}

function fromFaults({ cursor, from }: JsonObject, path: Path): readonly Fault[] {
  if (cursor !== undefined || from === undefined) return [];
  const message = '"from" has no effect without a "cursor"';
  return [fault([...path, 'from'], 'wrong-value', { message, target: 'key' })];
}

export function checkSchedules(value: Json | undefined, path: Path): readonly Fault[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly Json[]).flatMap((one, index) =>
    isObject(one) ? scheduleFaults(one, [...path, index]) : [],
  );
}

function scheduleFaults({ cron, timezone }: JsonObject, path: Path): readonly Fault[] {
  const zone = String(timezone ?? 'UTC');
  if (!isTimezone(zone)) {
    const message = `"${zone}" is no time zone`;
    const hint = 'a name of the tz database, such as Europe/Berlin';
    return [fault([...path, 'timezone'], 'wrong-value', { message, hint })];
  }
  const problem = cronProblem(String(cron), zone);
  if (problem === undefined) return [];
  const hint = 'minute, hour, day of month, month, day of week, such as 0 6 * * 1-5';
  return [fault([...path, 'cron'], 'wrong-value', { message: problem, hint })];
}

function isTimezone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }) !== undefined;
  } catch {
    return false;
  }
}

function cronProblem(cron: string, timezone: string): string | undefined {
  try {
    const pattern = new Cron(cron, { timezone, mode: '5-part', paused: true });
    return pattern.nextRun() === null ? `"${cron}" never comes` : undefined;
  } catch {
    return `"${cron}" is no cron expression of five parts`;
  }
}
