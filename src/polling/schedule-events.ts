// Events that come by the clock. Every process that does this makes the same event for the same
// minute: its dedupe key says which one it is, so that it is one, whoever was first.

import { createHash } from 'node:crypto';
import { Cron } from 'croner';
import type { ScheduleDefinition } from '../definitions/receive.ts';
import type { Routes } from '../definitions/routes.ts';
import type { NewEvent } from '../journal/journal.ts';
import { newId } from '../model/ids.ts';

/** The last time of a schedule in (after, until]; times before that were missed and are left out. */
export function lastRun(
  { cron, timezone }: ScheduleDefinition,
  after: Date,
  until: Date,
): Date | undefined {
  const pattern = new Cron(cron, { timezone, mode: '5-part', paused: true });
  const [last] = pattern.previousRuns(1, new Date(until.getTime() + 1));
  return last !== undefined && last > after ? last : undefined;
}

export function scheduledEvent(
  source: string,
  { schedule, at }: { readonly schedule: ScheduleDefinition; readonly at: Date },
  routes: Routes,
): NewEvent {
  const scheduledAt = at.toISOString();
  const { topic } = schedule;
  const body = Buffer.from(JSON.stringify({ scheduledAt, ...schedule.body }));
  const dedupeKey = `${topic}:${schedule.cron}:${schedule.timezone}:${scheduledAt}`;
  return {
    id: newId(),
    source,
    topic,
    dedupeKey,
    sha256: createHash('sha256').update(body).digest('hex'),
    occurredAt: at,
    body,
    headers: { 'content-type': 'application/json' },
    deliveries: routes.route({ source, topic, body }),
  };
}
