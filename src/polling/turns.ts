// The turns of the housekeeping that bring events: pollers and schedules. Any number of processes
// may do them.

import type { Connector } from '../connectors/connector.ts';
import type { Definitions } from '../definitions/definitions.ts';
import type { ReceiveDefinition } from '../definitions/receive.ts';
import type { PolledConnector, PollerPorts } from './poller.ts';
import { pollOnce } from './poller.ts';
import { lastRun, scheduledEvent } from './schedule-events.ts';
import { storeEvents } from './store-events.ts';

/** How often is looked whether a poller is due; the journal says when it is. */
const LOOK_EVERY_MS = 5_000;
const SCHEDULE_EVERY_MS = 10_000;
/** Times that were missed while no process ran: the last one of a day is made up for. */
const MISSED_MS_MAX = 86_400_000;

interface Turn {
  readonly task: string;
  readonly everyMs: number;
  run(leaving: AbortSignal): Promise<unknown>;
}

export function pollingTurns(
  definitions: Definitions,
  connectors: ReadonlyMap<string, { readonly connector: Connector }>,
  ports: PollerPorts,
): readonly Turn[] {
  return [...definitions.connectors.values()].flatMap(({ id, receive }): readonly Turn[] => {
    if (receive === undefined) return [];
    const connector = connectors.get(id)?.connector;
    const { poll, schedules } = receive;
    return [
      ...(poll === undefined || connector === undefined
        ? []
        : [pollTurn({ id, receive, poll, connector }, ports)]),
      ...(schedules.length === 0 ? [] : [scheduleTurn(id, receive, ports)]),
    ];
  });
}

function pollTurn(polled: PolledConnector, ports: PollerPorts): Turn {
  return {
    task: `poll ${polled.id}`,
    everyMs: Math.min(LOOK_EVERY_MS, polled.poll.everyMs / 2),
    async run(leaving) {
      const outcome = await pollOnce(polled, ports, leaving);
      if (outcome === undefined) return;
      const { kind: _, ...told } = outcome;
      if (outcome.kind === 'failed') {
        ports.log.warn({ connector: polled.id, ...told }, 'polling failed; it is tried again');
      } else if (outcome.stored > 0) {
        ports.log.info({ connector: polled.id, ...told }, 'polled');
      }
    },
  };
}

function scheduleTurn(id: string, receive: ReceiveDefinition, ports: PollerPorts): Turn {
  const source = `${id} schedule`;
  return {
    task: `schedule ${id}`,
    everyMs: SCHEDULE_EVERY_MS,
    async run() {
      const turn = await ports.pollers.take(source, LOOK_EVERY_MS);
      if (turn === undefined) return;
      // At the very first turn nothing was missed.
      const earliest = new Date(turn.now.getTime() - MISSED_MS_MAX);
      const seen = turn.cursor === undefined ? turn.now : new Date(turn.cursor);
      const after = seen < earliest ? earliest : seen;
      const events = receive.schedules.flatMap((schedule) => {
        const at = lastRun(schedule, after, turn.now);
        return at === undefined ? [] : [scheduledEvent(id, { schedule, at }, ports.routes)];
      });
      await storeEvents(events, ports);
      const cursor = turn.now.toISOString();
      await ports.pollers.end({ source, fence: turn.fence, cursor, nextInMs: 0 });
    },
  };
}
