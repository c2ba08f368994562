// The process of one run: each has its own, so that no run waits for the work of another.

import { type Closers, closeAll, type LaneStore } from './rig.ts';
import { runScenario } from './run-scenario.ts';
import { nameOf } from './scenario.ts';
import { scenarios } from './scenarios.ts';
import { createSoak } from './soak.ts';

/** What the parent asks for; the answer is a `ScenarioResult`. */
export interface RunOrder {
  /** As `nameOf` gives it. */
  readonly name: string;
  readonly lanes: LaneStore;
  readonly seed: number;
  readonly sharedPostgresUrl: string;
  /** Of a soak. */
  readonly soakMs?: number;
}

const closers: Closers = [];
// Each server and hub has a listener on our exit.
process.setMaxListeners(0);

process.once('message', (order: RunOrder) => void run(order));
process.once('disconnect', () => void leave());
// A Ctrl-C comes from the terminal and from our parent: the second must not end us half way.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void leave());

async function run(order: RunOrder): Promise<void> {
  const { name, lanes, seed, sharedPostgresUrl, soakMs } = order;
  const scenario =
    soakMs === undefined
      ? scenarios.find((one) => nameOf(one) === name)
      : createSoak(
          soakMs,
          scenarios.filter((one) => one.soak === true),
        );
  if (scenario === undefined) throw new Error(`there is no scenario ${name}`);
  const result = await runScenario({ scenario, lanes, seed }, sharedPostgresUrl, closers);
  process.send?.(result, () => process.exit(0));
}

let isLeaving = false;

async function leave(): Promise<void> {
  if (isLeaving) return;
  isLeaving = true;
  await closeAll(closers).catch(() => undefined);
  process.exit(130);
}
