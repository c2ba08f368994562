// The numbers of one run, reckoned from the same evidence that the rules judge.

import type { Expectations } from './checker.ts';
import type { Evidence, SentMessage, Times } from './evidence.ts';
import { extraWorks, type Story } from './stories.ts';

export interface Figures {
  readonly sent: number;
  readonly acknowledged: number;
  /** Acknowledged, and not in the journal, or open at the end, or delivered to nobody. */
  readonly lost: number;
  /** Works beyond the first of a key. */
  readonly duplicates: number;
  /** In the journal although no 2xx was read: allowed, and counted. */
  readonly ghosts: number;
  /** Requests that were answered other than 2xx, or not at all. */
  readonly refused: number;
  /** From the end of the fault until its backlog was drained and a fresh event was through. */
  readonly recoveredMs?: number;
  /** From the request until the neighbour had the call: 99 of 100 took less. */
  readonly neighbourIdleP99Ms?: number;
  readonly neighbourFaultP99Ms?: number;
  /** From request to 2xx outside of the fault: 99 of 100 took less. */
  readonly ackP99Ms?: number;
}

export function measure(
  evidence: Evidence,
  expectations: Expectations,
  stories: readonly Story[],
): Figures {
  const { sent, times } = evidence;
  const events = new Set(evidence.journal.events.map(({ dedupeKey }) => dedupeKey));
  const acknowledged = sent.filter((one) => one.acknowledgedMs !== undefined);
  const lost = new Set([
    ...acknowledged.filter(({ id }) => !events.has(id)),
    ...stories.filter((story) => isLost(story, expectations)).map(({ message }) => message),
  ]);
  const neighbour = expectations.neighbour ?? 'crm';
  const waits = (isInside: (sentMs: number) => boolean): number | undefined =>
    p99(neighbourWaits(stories, neighbour, isInside));
  const ackOutside = acknowledged.flatMap(({ tries }) =>
    tries.filter((one) => one.eventId !== undefined && isIdle(one.atMs, times)),
  );
  return compact({
    sent: sent.length,
    acknowledged: acknowledged.length,
    lost: lost.size,
    duplicates: stories.reduce((sum, { calls }) => sum + extraWorks(calls), 0),
    ghosts: sent.filter((one) => one.acknowledgedMs === undefined && events.has(one.id)).length,
    refused: sent.flatMap(({ tries }) => tries).filter((one) => one.eventId === undefined).length,
    recoveredMs: recoveredMs(
      evidence,
      stories.filter((story) => !mayStayOpen(story, expectations)),
    ),
    neighbourIdleP99Ms: waits((ms) => isIdle(ms, times)),
    neighbourFaultP99Ms: waits((ms) => ms >= times.faultBeganMs && ms < times.faultEndedMs),
    ackP99Ms: p99(ackOutside.map(({ tookMs }) => tookMs)),
  });
}

/** Acknowledged, and neither on its way to nor at the end that the scenario expects. */
function isLost(story: Story, { endings }: Expectations): boolean {
  if (story.message.acknowledgedMs === undefined) return false;
  const [delivery] = story.deliveries;
  if (delivery === undefined) return true;
  if (delivery.state === 'delivered') return !story.calls.some((call) => call.worked);
  const allowed = endings?.(story) ?? [];
  return !allowed.some(({ state }) => state === delivery.state);
}

/**
 * What was sent before the fault ended has come to its end, and something that was sent after it
 * too; `undefined` where one of them never did.
 */
function recoveredMs(evidence: Evidence, stories: readonly Story[]): number | undefined {
  const { faultEndedMs } = evidence.times;
  const sentMs = ({ message }: Story): number => message.tries[0]?.atMs ?? Number.POSITIVE_INFINITY;
  const backlog = stories.filter((story) => sentMs(story) < faultEndedMs).map(doneMs);
  const fresh = stories.filter((story) => sentMs(story) >= faultEndedMs).map(doneMs);
  const drainedMs = Math.max(faultEndedMs, ...backlog);
  const freshMs = Math.min(...fresh);
  const recovered = Math.round(Math.max(drainedMs, freshMs) - faultEndedMs);
  return Number.isFinite(recovered) ? recovered : undefined;
}

function mayStayOpen(story: Story, { endings }: Expectations): boolean {
  const [delivery] = story.deliveries;
  if (delivery?.open !== true) return false;
  return (endings?.(story) ?? []).some(({ state }) => state === delivery.state);
}

/** When its delivery came to an end, by the journal; one that a person must look at has ended. */
function doneMs({ event, deliveries: [delivery] }: Story): number {
  if (event === undefined) return 0;
  if (delivery === undefined || delivery.open) return Number.POSITIVE_INFINITY;
  return delivery.updatedMs;
}

function neighbourWaits(
  stories: readonly Story[],
  target: string,
  isInside: (sentMs: number) => boolean,
): readonly number[] {
  return stories.flatMap(({ message, expected, calls }) => {
    const first = calls.find((call) => call.worked);
    const sentMs = acknowledgedTryMs(message);
    if (expected.target !== target || first === undefined || sentMs === undefined) return [];
    return isInside(sentMs) ? [first.atMs - sentMs] : [];
  });
}

function acknowledgedTryMs({ tries }: SentMessage): number | undefined {
  return tries.find((one) => one.eventId !== undefined)?.atMs;
}

function isIdle(atMs: number, { warmMs, faultBeganMs }: Times): boolean {
  return atMs >= warmMs && atMs < faultBeganMs;
}

/** The nearest rank. */
export function p99(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.99) - 1];
}

function compact(figures: { [K in keyof Figures]: Figures[K] | undefined }): Figures {
  const known = Object.entries(figures).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as unknown as Figures;
}
