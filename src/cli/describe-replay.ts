// How replays by query are shown.

import { queryWords } from '../delivery/empty-plan.ts';
import type { ReplayPlan, ReplayProgress } from '../delivery/replays.ts';
import type { ReplayTarget, ReplayView } from '../journal/replays-port.ts';
import { shownTime } from './describe.ts';
import { formatFields, formatTable } from './table.ts';
import { countOf, paint } from './terminal.ts';

export function replayTable(replays: readonly ReplayView[]): readonly string[] {
  return formatTable(
    ['REPLAY', 'STATE', 'PLANNED', 'BY', 'MADE', 'OF', 'QUERY'],
    replays.map((replay) => [
      replay.id,
      replay.state,
      shownTime(replay.createdAt),
      replay.createdBy,
      String(replay.made),
      String(replay.total),
      queryWords(replay.query),
    ]),
  );
}

export function planLines({ replay, sample }: ReplayPlan): readonly string[] {
  const { state } = replay.query;
  const what = state === 'unrouted' ? 'event that no flow took' : `${state} delivery`;
  const many = state === 'unrouted' ? 'events that no flow took' : `${state} deliveries`;
  return [
    ...formatFields([
      ['replay', replay.id],
      ['query', queryWords(replay.query)],
      ['finds', countOf(replay.total, what, many)],
      ['revision', replay.revision],
      ['takes', `${durationText(replay.expectedMs)} at ${rateText(replay.perSecond)}`],
      ...(replay.reason === undefined ? [] : [['reason', replay.reason] as const]),
    ]),
    ...section(
      formatTable(
        ['COUNT', 'WHAT', 'TO'],
        replay.targets.map((target) => [String(target.count), whatOf(target), toOf(target)]),
      ),
      replay.targets.length,
    ),
    ...section(
      formatTable(
        ['THE FIRST', 'EVENT', 'TOPIC', 'KEY'],
        sample.map(({ deliveryId, eventId, topic, key }) => [
          deliveryId ?? eventId,
          eventId,
          topic,
          key,
        ]),
      ),
      sample.length,
    ),
    ...section(
      replay.warnings.map((warning) => `${paint('yellow', 'warning')}  ${warning}`),
      replay.warnings.length,
    ),
  ];
}

export function progressLines(progress: ReplayProgress): readonly string[] {
  const { replay, states, open, madePerSecond, leftMs } = progress;
  const shown = Object.entries(states).map(([state, count]) => `${count} ${state}`);
  const passedOver = replay.taken - replay.made;
  return formatFields([
    ['state', `${replay.state}${progress.isOver || open === 0 ? '' : `, ${open} under way`}`],
    [
      'made',
      `${replay.made} of ${replay.total}${passedOver > 0 ? `, ${passedOver} passed over` : ''}`,
    ],
    ...(shown.length === 0 ? [] : [['became', shown.join(', ')] as const]),
    ...(madePerSecond === undefined ? [] : [['rate', rateText(madePerSecond)] as const]),
    ...(leftMs === undefined ? [] : [['left', durationText(leftMs)] as const]),
    ...(replay.waitingFor === undefined ? [] : [['waits for', replay.waitingFor] as const]),
  ]);
}

function section(lines: readonly string[], count: number): readonly string[] {
  return count === 0 ? [] : ['', ...lines];
}

function whatOf({ flow, source, topic }: ReplayTarget): string {
  return flow ?? `${source} ${topic}`;
}

function toOf({ connector, operation }: ReplayTarget): string {
  return connector === undefined ? '' : `${connector}.${operation}`;
}

function rateText(perSecond: number): string {
  return perSecond >= 1
    ? `${Math.round(perSecond * 10) / 10}/s`
    : `${Math.round(perSecond * 600) / 10}/m`;
}

/** In the largest unit of which there are two or more. */
function durationText(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  if (seconds < 120) return `about ${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 120 ? `about ${minutes} min` : `about ${Math.ceil(minutes / 60)} h`;
}
