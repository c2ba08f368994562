// The story of one delivery in plain words: what the journal knows of it, in the order in which it
// happened, one line a thing; where it stands now, and what a person can do. A pure function.

import type { AttemptView, ChangeView, DeliveryView } from '../journal/journal.ts';
import type { DeliveryState } from '../model/delivery.ts';
import { HUB_SOURCE } from '../model/hub-events.ts';
import { outcomeCodes, outcomeRules } from '../model/outcome-rules.ts';
import { adviseOn } from './advise.ts';
import { timeWords } from './shown-state.ts';

export interface StoryLine {
  readonly at: Date;
  readonly text: string;
}

export interface Story {
  /** In the order of time. */
  readonly lines: readonly StoryLine[];
  /** Where it stands. */
  readonly now: string;
  /** Absent where there is nothing to do and nothing to wait for. */
  readonly todo?: string;
}

export interface StoryParts {
  readonly delivery: DeliveryView;
  /** As people are told of it: `held` while something holds it, whatever the journal waits for. */
  readonly shown: { readonly state: DeliveryState; readonly reason?: string };
  readonly attempts: readonly AttemptView[];
  readonly changes: readonly ChangeView[];
  /** Pauses and the like of its lane, its flow and its operation, since it was made or from before. */
  readonly laneChanges: readonly ChangeView[];
  readonly nowMs: number;
}

export function tellStory(parts: StoryParts): Story {
  const todo = adviseOn(parts);
  return {
    lines: [beginning(parts), ...middle(parts)].sort((a, b) => a.at.getTime() - b.at.getTime()),
    now: nowOf(parts),
    ...(todo === undefined ? {} : { todo }),
  };
}

function beginning({ delivery, changes }: StoryParts): StoryLine {
  const { createdAt, source, topic, eventId, replayOf, flow } = delivery;
  const to = `goes to ${delivery.connector}.${delivery.operation} by flow ${flow}`;
  if (replayOf !== undefined) {
    const by = changes.find(isReplay)?.by ?? 'somebody';
    return {
      at: createdAt,
      text: `made again of delivery ${replayOf} by ${by}: event ${eventId} ${to}`,
    };
  }
  const came = source === HUB_SOURCE ? 'told by the hub itself' : `came in from ${source}`;
  return { at: createdAt, text: `${came} as ${topic} (event ${eventId}), ${to}` };
}

function isReplay({ reason }: ChangeView): boolean {
  return reason?.startsWith('replay of ') === true;
}

function middle(parts: StoryParts): readonly StoryLine[] {
  const { delivery, attempts, changes, laneChanges } = parts;
  const isOver =
    delivery.dueAt === undefined && delivery.state !== 'active' && delivery.state !== 'held';
  const lane = laneChanges.filter(({ at }) => !isOver || at <= delivery.updatedAt);
  return [
    ...attempts.map((attempt, index) => ({
      at: attempt.startedAt,
      text: attemptText(attempt, attempts[index + 1], parts),
    })),
    ...changes
      .filter((change) => !isReplay(change))
      .map(({ at, ...rest }) => ({ at, text: changeText(rest) })),
    ...lane.map((change) => laneLine(change, delivery)),
  ];
}

function attemptText(
  attempt: AttemptView,
  following: AttemptView | undefined,
  { delivery, changes }: StoryParts,
): string {
  const name = `attempt ${attempt.number}`;
  const status = attempt.status === undefined ? '' : ` (${attempt.status})`;
  if (attempt.outcome === 'delivered') {
    const but = attempt.reason === undefined ? '' : `; ${attempt.reason}`;
    return `${name}: ${delivery.connector} took it${status} after ${span(attempt.durationMs)}${but}`;
  }
  const reason = attempt.reason ?? attempt.code ?? 'it did not work';
  const doubt = attempt.ambiguous ? ': it may have worked' : '';
  const gone = isGone(attempt.code) ? ': the operation is disabled, no attempt spent' : '';
  const endedMs = attempt.startedAt.getTime() + attempt.durationMs;
  const isLast = following === undefined && !changes.some(({ at }) => at.getTime() > endedMs);
  return `${name}: ${reason}${doubt}${gone}${afterwards({ delivery, endedMs, following, isLast })}`;
}

/** An attempt's outcome as people read it. */
export function outcomeWords({ outcome, code }: AttemptView): string {
  return isGone(code) ? 'operation disabled' : outcome;
}

function isGone(code: string | undefined): boolean {
  return outcomeCodes.some((one) => one === code && outcomeRules[one].holdsOperation === true);
}

function afterwards(what: {
  readonly delivery: DeliveryView;
  readonly endedMs: number;
  readonly following: AttemptView | undefined;
  readonly isLast: boolean;
}): string {
  const { delivery, endedMs, following, isLast } = what;
  if (following !== undefined) return `; next in ${span(following.startedAt.getTime() - endedMs)}`;
  if (!isLast) return '';
  if (delivery.state === 'dead') return ': dead';
  if (delivery.dueAt === undefined) return '';
  return `; next in ${span(delivery.dueAt.getTime() - endedMs)}`;
}

function changeText({ to, by, reason }: Omit<ChangeView, 'at'>): string {
  switch (to) {
    case 'pending':
    case 'retrying':
      if (by === 'hub') return `${reason ?? 'handed back'}: no attempt spent`;
      return `${reason ?? 'made due'}, by ${by}`;
    case 'filtered':
      return "filtered: the flow's `when` was false";
    case 'cancelled':
      return `cancelled by ${by}${reason === undefined ? '' : `: ${reason}`}`;
    default:
      return by === 'hub' ? because(to, reason) : `${because(to, reason)}, by ${by}`;
  }
}

/** What held it when it was made is told then. */
function laneLine({ at, ...change }: ChangeView, delivery: DeliveryView): StoryLine {
  const { connector, createdAt } = delivery;
  if (at >= createdAt) return { at, text: laneText(connector, change) };
  return { at: createdAt, text: laneText(connector, change, ` since ${timeWords(at)}`) };
}

function laneText(
  connector: string,
  { to, by, reason, of }: Omit<ChangeView, 'at'>,
  since = '',
): string {
  const what = of === undefined ? `lane ${connector}` : of.replace(':', ' ');
  const why = reason === undefined ? '' : `: ${reason}`;
  if (to === 'paused') return `held: ${what} is paused by ${by}${since}${why}`;
  if (to === 'resumed') return `${what} is resumed by ${by}${why}`;
  if (to === 'opened') return `held: the target of ${what} is away${since}${why}`;
  if (to === 'closed') return `${what} goes on: its target is back`;
  return `${what} is ${to}, by ${by}${why}`;
}

function nowOf({ delivery, shown, nowMs }: StoryParts): string {
  const { reason = delivery.reason } = shown;
  switch (shown.state) {
    case 'pending':
    case 'retrying':
      return `waits for ${dueOf(delivery, nowMs)}`;
    case 'active':
      return 'is being tried at this moment, or its process has just vanished';
    case 'held':
      return because('held', reason);
    case 'delivered':
      return because('delivered', delivery.reason);
    case 'filtered':
      return 'filtered: it goes nowhere';
    case 'dead':
      return because(delivery.code === undefined ? 'dead' : `dead (${delivery.code})`, reason);
    case 'superseded':
    case 'cancelled':
      return because(shown.state, reason);
  }
}

function dueOf({ state, dueAt }: DeliveryView, nowMs: number): string {
  const what = state === 'retrying' ? 'its next attempt' : 'its first attempt';
  const inMs = dueAt === undefined ? 0 : dueAt.getTime() - nowMs;
  if (dueAt === undefined || inMs <= 0) return `${what}: it is due, and has its turn in the lane`;
  return `${what}, due in ${span(inMs)}, at ${dueAt.toISOString()}`;
}

function because(what: string, reason: string | undefined): string {
  return reason === undefined ? what : `${what}: ${reason}`;
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
] as const;

/** `820 ms`, `4.2 s`, `3.5 min`, `2 h`. */
function span(ms: number): string {
  const positive = Math.max(0, ms);
  const [unit, size] = units.find(([, each]) => positive >= each) ?? ['s', 1_000];
  if (positive < 1_000) return `${Math.round(positive)} ms`;
  return `${Math.round((positive / size) * 10) / 10} ${unit}`;
}
