/**
 * What the hub tells of itself, as events of the source `crossdock`: flows send them to mail, Slack or
 * a webhook like any other event. Each is told once, whichever processes see it: its dedupe key says
 * what happened and when that began. docs/alerts.md has the body of each.
 *
 * No circles: nothing is told about a delivery of such an event, whose death is a problem of its own,
 * and what is told about a lane does not go through that lane.
 */

import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Routes } from '../definitions/routes.ts';
import type { Journal } from '../journal/journal.ts';
import { HUB_SOURCE, type HubTopic } from '../model/hub-events.ts';
import { newId } from '../model/ids.ts';
import type { Log } from '../model/log.ts';
import { type Lanes, laneJobsOf } from '../queue/lanes.ts';

export interface OpenedLane {
  readonly connector: string;
  /** When its breaker opened, by the database's clock. */
  readonly openedAt: Date;
  readonly code: string;
  readonly reason: string;
}

export interface ClosedLane {
  readonly connector: string;
  readonly openedAt: Date;
  readonly closedAt: Date;
}

export interface DisabledConnector {
  readonly connector: string;
  /** Where it is one operation and not the whole connector. */
  readonly operation?: string;
  readonly disabledAt: Date;
  readonly reason: string;
}

export interface OpenedProblem {
  readonly fingerprint: string;
  readonly class: string;
  readonly code: string;
  readonly connector: string;
  readonly message: string;
  /** When it was opened, or opened again. */
  readonly openedAt: Date;
}

/** The first delivery that died of a problem. */
export interface DeadDelivery {
  readonly deliveryId: string;
  readonly eventId: string;
  readonly source: string;
  readonly topic: string;
  readonly key: string;
  readonly flow: string;
  readonly operation?: string;
  readonly attempts?: number;
  readonly reason?: string;
}

export interface LaggingLane {
  readonly connector: string;
  /** When it began to lag. */
  readonly since: Date;
  readonly oldestDueAt: Date;
  /** Deliveries that have been due for too long. */
  readonly due: number;
}

/** A message that came under the id of an event with another body. */
export interface EventConflict {
  readonly eventId: string;
  readonly source: string;
  readonly topic: string;
  readonly key: string;
  /** Of the body that came later. */
  readonly sha256: string;
}

/** No method rejects: what cannot be told is logged. */
export interface Alerts {
  laneOpened(lane: OpenedLane): Promise<void>;
  laneClosed(lane: ClosedLane): Promise<void>;
  connectorDisabled(disabled: DisabledConnector): Promise<void>;
  /**
   * Tells of the problem and, once for it, of the delivery that died of it first. Resolves with
   * whether somebody was told: false where no flow listens, and where something could not be stored.
   */
  problemOpened(problem: OpenedProblem, first: DeadDelivery): Promise<boolean>;
  lagHigh(lane: LaggingLane): Promise<void>;
  /** Once for an event, however many other bodies come. */
  eventConflict(conflict: EventConflict): Promise<void>;
}

export interface AlertPorts {
  readonly journal: Pick<Journal, 'append'>;
  readonly lanes: Pick<Lanes, 'add'>;
  readonly routes: Routes;
  readonly log: Log;
}

interface Telling {
  readonly topic: HubTopic;
  /** What happened, and when it began: the same in every process that sees it. */
  readonly key: readonly (string | Date)[];
  /** One sentence for a person, which every body has as `text`. */
  readonly text: string;
  readonly body: Readonly<Record<string, string | number | Date | undefined>>;
  /** The lane that it is about, and does not go through. */
  readonly not?: string;
}

/** What just failed may have failed since the journal is away; then nothing else works either. */
const TELL_TRIES = 3;
const TELL_REST_MS = 1_000;

export function createAlerts(ports: AlertPorts): Alerts {
  const tell = (telling: Telling) => tellAtLast(ports, telling);
  const tellOnly = async (telling: Telling) => void (await tell(telling));
  return {
    laneOpened: (lane) => tellOnly(ofOpenedLane(lane)),
    laneClosed: (lane) => tellOnly(ofClosedLane(lane)),
    connectorDisabled: (disabled) => tellOnly(ofDisabledConnector(disabled)),
    async problemOpened(problem, first) {
      if (first.source === HUB_SOURCE) return false;
      const told = [
        await tell(ofProblem(problem, first)),
        await tell(ofDeadDelivery(problem, first)),
      ];
      return told.includes('stored') && !told.includes('failed');
    },
    lagHigh: (lane) => tellOnly(ofLag(lane)),
    eventConflict: (conflict) => tellOnly(ofConflict(conflict)),
  };
}

function ofOpenedLane(lane: OpenedLane): Telling {
  const { connector, openedAt, code, reason } = lane;
  return {
    topic: 'lane-opened',
    key: [connector, openedAt],
    text: `The lane ${connector} is held: ${reason}. It is probed, and goes on by itself.`,
    body: { connector, openedAt, code, reason },
    not: connector,
  };
}

function ofClosedLane({ connector, openedAt, closedAt }: ClosedLane): Telling {
  const heldMs = closedAt.getTime() - openedAt.getTime();
  return {
    topic: 'lane-closed',
    key: [connector, openedAt],
    text: `The lane ${connector} goes on; it was held for ${Math.round(heldMs / 1_000)} s.`,
    body: { connector, openedAt, closedAt, heldMs },
  };
}

function ofDisabledConnector(disabled: DisabledConnector): Telling {
  const { connector, operation, disabledAt, reason } = disabled;
  const name = operation === undefined ? connector : `${connector}.${operation}`;
  return {
    topic: 'connector-disabled',
    key: [name, disabledAt],
    text: `${name} is disabled: ${reason}. What goes there is held until a person resumes it.`,
    body: { connector, operation, disabledAt, reason },
    not: connector,
  };
}

function ofProblem(problem: OpenedProblem, first: DeadDelivery): Telling {
  const { fingerprint, code, connector, message, openedAt } = problem;
  return {
    topic: 'problem-opened',
    key: [fingerprint, openedAt],
    text: `New problem of ${connector}, ${code}: ${message}`,
    body: {
      fingerprint,
      class: problem.class,
      code,
      connector,
      message,
      openedAt,
      ...idsOf(first),
    },
  };
}

function ofDeadDelivery(problem: OpenedProblem, first: DeadDelivery): Telling {
  const { fingerprint, code, connector, openedAt } = problem;
  const { flow, operation, source, topic, key, attempts } = first;
  const reason = first.reason ?? problem.message;
  return {
    topic: 'delivery-dead',
    key: [fingerprint, openedAt],
    text: `A delivery of ${flow} is dead: ${reason}. Others that die of the same are not told.`,
    body: {
      ...idsOf(first),
      ...{ flow, connector, operation, source, topic, key, attempts, code, reason, fingerprint },
    },
  };
}

function idsOf({ deliveryId, eventId }: DeadDelivery): { delivery: string; event: string } {
  return { delivery: deliveryId, event: eventId };
}

function ofLag({ connector, since, oldestDueAt, due }: LaggingLane): Telling {
  return {
    topic: 'lag-high',
    key: [connector, since],
    text: `The lane ${connector} does not keep up: ${due} deliveries have been due for minutes.`,
    body: { connector, since, oldestDueAt, due },
    not: connector,
  };
}

function ofConflict({ eventId, source, topic, key, sha256 }: EventConflict): Telling {
  return {
    topic: 'event-conflict',
    key: [eventId],
    text: `${source} sent ${key} again with another body. The first one counts; the other is kept.`,
    body: { event: eventId, source, topic, key, sha256 },
  };
}

/** `unheard`: no flow listens, and there is no event either. */
type Told = 'stored' | 'unheard' | 'failed';

async function tellAtLast(ports: AlertPorts, telling: Telling): Promise<Told> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await tellOnce(ports, telling);
    } catch (error) {
      const { topic, text } = telling;
      if (tries >= TELL_TRIES) {
        ports.log.warn({ err: error, topic, text }, 'an alert could not be stored');
        return 'failed';
      }
      await sleep(TELL_REST_MS);
    }
  }
}

async function tellOnce(ports: AlertPorts, telling: Telling): Promise<Told> {
  const { journal, lanes, routes, log } = ports;
  const { topic, text, not } = telling;
  const body = Buffer.from(JSON.stringify({ text, ...telling.body }));
  const message = { source: HUB_SOURCE, topic, body };
  const deliveries = routes.route(message).filter(({ connector }) => connector !== not);
  if (deliveries.length === 0) return 'unheard';
  const parts = telling.key.map((part) => (part instanceof Date ? part.toISOString() : part));
  const event = {
    ...message,
    id: newId(),
    dedupeKey: [topic, ...parts].join(':'),
    headers: {},
    sha256: createHash('sha256').update(body).digest('hex'),
    deliveries,
  };
  const appended = await journal.append(event);
  if (appended.kind === 'duplicate') return 'stored';
  await lanes.add(laneJobsOf(event)).catch((error: unknown) => {
    log.debug({ err: error, event: event.id }, 'not scheduled; the sweep will do it');
  });
  return 'stored';
}
