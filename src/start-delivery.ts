// The delivering half of a hub: the engine's parts, who listens to whom, and in which order they end.

import { fileURLToPath } from 'node:url';
import type { Environment } from './config/environment.ts';
import type { Definitions } from './definitions/definitions.ts';
import type { Routes } from './definitions/routes.ts';
import { type Alerts, createAlerts } from './delivery/alerts.ts';
import type { ClockGuard } from './delivery/clock-guard.ts';
import { createDeliver, type DeliverPorts } from './delivery/deliver.ts';
import { startHousekeeping } from './delivery/housekeeping.ts';
import { createLagTurn } from './delivery/lag-watch.ts';
import { createLaneGates, type LaneGatePorts } from './delivery/lane-gates.ts';
import { createOrder } from './delivery/order.ts';
import { createProblemWatch, type OnProblemOpened } from './delivery/problems.ts';
import { startReplayRunner } from './delivery/replay-runner.ts';
import { createSuspects, type Suspects } from './delivery/suspects.ts';
import { createSweep } from './delivery/sweep.ts';
import { createQuarantineTurn } from './intake/quarantine.ts';
import { forgetSecretUses } from './intake/secret-uses.ts';
import type { Journal } from './journal/journal.ts';
import type { PostgresJournal } from './journal/postgres-journal.ts';
import { openConnectors } from './live-connectors.ts';
import { createChildPoolMapper } from './mapping/child-pool-mapper.ts';
import type { Log } from './model/log.ts';
import type { Meter } from './model/meter.ts';
import { pollingTurns } from './polling/turns.ts';
import type { Lanes } from './queue/lanes.ts';

export interface DeliveryParts {
  readonly definitions: Definitions;
  readonly routes: Routes;
  readonly journal: PostgresJournal;
  readonly lanes: Lanes;
  readonly log: Log;
  readonly environment: Environment;
  readonly meter: Meter;
  readonly clock: ClockGuard;
  /** What is pushed last is closed first. */
  readonly closers: (() => Promise<void>)[];
}

/** Begins to take work; the result hands back what is under way within `graceMs` and ends it. */
export function startDelivery(parts: DeliveryParts, graceMs: number): () => Promise<void> {
  const { definitions, routes, journal, lanes, log, environment, meter, clock, closers } = parts;
  const mapper = createChildPoolMapper({
    onEvaluation: (ms, kind) => meter.mapping(kind, ms),
  });
  closers.push(() => mapper.close());
  const connectors = openConnectors(definitions, environment);
  closers.push(async () => {
    await Promise.all([...connectors.values()].map(({ connector }) => connector.close()));
  });
  const suspects = openSuspects(environment, log);
  closers.push(() => suspects.close());
  const order = createOrder({ journal, lanes, log });
  closers.push(() => order.close());
  const alerts = createAlerts({ journal, lanes, routes, log });
  const { retentionDays } = environment;
  const { problems, replays, quarantine } = journal;
  const onProblemOpened = tellOfProblems(alerts, journal);
  const watch = createProblemWatch({ journal, problems, log, retentionDays, onProblemOpened });
  const gates = createLaneGates({ gates: journal, lanes, connectors, log, ...tellOfLanes(alerts) });
  const ports: DeliverPorts = {
    ...{ journal, lanes, routes, mapper, connectors, meter, log, suspects },
    now: Date.now,
    onSettled: [gates.onSettled, order.onSettled, watch.onSettled],
    onChain: order.onChain,
  };
  for (const { definition } of connectors.values()) {
    const deliver = createDeliver(ports, definition.timeoutMs);
    lanes.work(definition.id, definition.limits, gates.guard(definition.id, deliver));
  }
  const sweep = createSweep({ journal, lanes, laneNames: [...connectors.keys()], meter, log });
  const runner = startReplayRunner({ replays, lanes, routes, log, retentionDays });
  const housekeeping = startHousekeeping({
    ...{ journal, log, retentionDays, sweep },
    turns: [
      order.turn,
      ...watch.turns,
      ...runner.turns,
      createLagTurn({ journal, alerts }),
      ...pollingTurns(definitions, connectors, { ...parts, pollers: journal.pollers }),
      forgetSecretUses(journal.secretUses),
      createQuarantineTurn({ journal, quarantine, connectors: definitions.connectors }),
    ],
    isClockRight: () => clock.state().isRight,
  });
  // Before its ports are closed, so that the deliveries under way can end.
  const stop = async (): Promise<void> => {
    const ends = [gates.close(), lanes.close(graceMs), housekeeping.close(), runner.close()];
    await Promise.all(ends);
  };
  closers.push(stop);
  return stop;
}

function openSuspects(environment: Environment, log: Log): Suspects {
  const program = fileURLToPath(new URL('./suspect-child.js', import.meta.url));
  const variables = { ...environment.variables, CROSSDOCK_DIR: environment.folder };
  return createSuspects({ program, environment: variables, log });
}

function tellOfProblems(
  alerts: Pick<Alerts, 'problemOpened'>,
  journal: Pick<Journal, 'getDelivery'>,
): OnProblemOpened {
  return async (problem, deliveryId) => {
    const delivery = await journal.getDelivery(deliveryId);
    return delivery !== undefined && alerts.problemOpened(problem, { ...delivery, deliveryId });
  };
}

function tellOfLanes(
  alerts: Pick<Alerts, 'laneOpened' | 'laneClosed' | 'connectorDisabled'>,
): Pick<LaneGatePorts, 'onOpened' | 'onClosed' | 'onDisabled'> {
  return {
    onOpened(connector, { at: openedAt, code, reason }) {
      void alerts.laneOpened({ connector, openedAt, code, reason });
    },
    onClosed(connector, { at: openedAt }) {
      void alerts.laneClosed({ connector, openedAt, closedAt: new Date() });
    },
    onDisabled(name, reason) {
      const [connector = name, operation] = name.split('.', 2);
      const what = operation === undefined ? {} : { operation };
      void alerts.connectorDisabled({ connector, ...what, disabledAt: new Date(), reason });
    },
  };
}
