// How events, deliveries and attempts are shown in lines and columns.

import { outcomeWords, type Story } from '../delivery/story.ts';
import type { AttemptView, ChangeView, DeliveryView, EventSummary } from '../journal/journal.ts';
import type { DeliveryState } from '../model/delivery.ts';
import { type Cell, formatFields, formatTable, inOneLine } from './table.ts';
import type { Format } from './terminal.ts';

const stateFormats: Readonly<Record<DeliveryState, Format>> = {
  pending: 'cyan',
  active: 'cyan',
  retrying: 'yellow',
  held: 'yellow',
  delivered: 'green',
  filtered: 'dim',
  dead: 'red',
  superseded: 'dim',
  cancelled: 'dim',
};

export function stateCell(state: DeliveryState): Cell {
  return { text: state, format: stateFormats[state] };
}

/** `2026-11-22 09:30:00Z`. */
export function shownTime(time: Date): string {
  return time.toISOString().replace('T', ' ').replace(/\.\d+/, '');
}

export function eventTable(events: readonly EventSummary[]): readonly string[] {
  return formatTable(
    ['EVENT', 'RECEIVED', 'SOURCE', 'TOPIC', 'KEY', 'DELIVERIES'],
    events.map((event) => [
      event.id,
      shownTime(event.receivedAt),
      event.source,
      event.topic,
      event.key,
      [
        ...(event.unreadable === undefined ? [] : ['unreadable']),
        ...Object.entries(event.deliveries).map(([state, count]) => `${count} ${state}`),
      ].join(', '),
    ]),
  );
}

export function deliveryTable(deliveries: readonly DeliveryView[]): readonly string[] {
  return formatTable(
    ['DELIVERY', 'FLOW', 'TO', 'STATE', 'ATTEMPTS', 'CHANGED', 'WHY'],
    deliveries.map((delivery) => [
      delivery.id,
      delivery.flow,
      `${delivery.connector}.${delivery.operation}`,
      stateCell(delivery.state),
      String(delivery.attempts),
      shownTime(delivery.updatedAt),
      inOneLine(whyOf(delivery)),
    ]),
  );
}

export function deliveryFields(delivery: DeliveryView): readonly string[] {
  return formatFields([
    ['delivery', delivery.id],
    ['event', `${delivery.eventId} (${delivery.source} ${delivery.topic} ${delivery.key})`],
    ['flow', `${delivery.flow}, revision ${delivery.revision}`],
    ['to', `${delivery.connector}.${delivery.operation}`],
    ['state', stateCell(delivery.state)],
    ['attempts', String(delivery.attempts)],
    ['created', shownTime(delivery.createdAt)],
    ['changed', shownTime(delivery.updatedAt)],
    ['idempotency', delivery.idempotencyKey],
    ...optional('due', delivery.dueAt === undefined ? undefined : shownTime(delivery.dueAt)),
    ...optional('why', whyOf(delivery) || undefined),
    ...optional('result', delivery.result),
    ...optional('replay of', delivery.replayOf),
  ]);
}

export function attemptTable(attempts: readonly AttemptView[]): readonly string[] {
  return formatTable(
    ['#', 'STARTED', 'TOOK', 'OUTCOME', 'STATUS', 'WHY'],
    attempts.map((attempt) => [
      String(attempt.number),
      shownTime(attempt.startedAt),
      `${attempt.durationMs} ms`,
      attempt.ambiguous ? `${outcomeWords(attempt)} (ambiguous)` : outcomeWords(attempt),
      String(attempt.status ?? ''),
      inOneLine(whyOf(attempt)),
    ]),
  );
}

export function changeTable(changes: readonly ChangeView[]): readonly string[] {
  return formatTable(
    ['CHANGED', 'TO', 'BY', 'WHY'],
    changes.map(({ at, to, by, reason }) => [shownTime(at), to, by, reason ?? '']),
  );
}

/** One line a thing that happened, with its time; then where it stands, and what can be done. */
export function storyLines(delivery: DeliveryView, story: Story): readonly string[] {
  const width = shownTime(delivery.createdAt).length;
  const todo = story.todo === undefined ? [] : [`what you can do: ${story.todo}`];
  return [
    `delivery ${delivery.id}, event ${delivery.eventId}`,
    '',
    ...story.lines.map(({ at, text }) => `${shownTime(at)}  ${text}`),
    `${'now'.padEnd(width)}  ${[story.now, ...todo].join(`\n${' '.repeat(width)}  `)}`,
  ];
}

function whyOf({ code, reason }: { readonly code?: string; readonly reason?: string }): string {
  return [code, reason].filter((part) => part !== undefined).join(': ');
}

function optional(name: string, text: string | undefined): readonly (readonly [string, Cell])[] {
  return text === undefined ? [] : [[name, text]];
}
