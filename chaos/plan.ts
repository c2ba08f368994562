// Which runs there are, in which order, and how many side by side.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ChaosOptions } from './options.ts';
import type { RunOrder } from './run-process.ts';
import type { Run, ScenarioResult } from './run-scenario.ts';
import { nameOf, type Scenario } from './scenario.ts';
import { scenarios } from './scenarios.ts';
import { createSoak } from './soak.ts';

const program = fileURLToPath(new URL('./run-process.js', import.meta.url));

export function planRuns(options: ChaosOptions): readonly Run[] {
  const { quick, only, lanes, seeds, soakMs } = options;
  if (soakMs !== undefined) {
    const [seed = 0] = seeds;
    return [{ scenario: createSoak(soakMs, []), lanes: lanes[0] ?? 'redis', seed }];
  }
  const isWanted = (scenario: Scenario): boolean => {
    if (quick ? scenario.quick === undefined : scenario.quick === 'only') return false;
    return only.length === 0 || only.includes(scenario.id);
  };
  return seeds.flatMap((seed, turn) =>
    scenarios
      .filter((scenario) => isWanted(scenario) && (turn === 0 || scenario.once === undefined))
      .flatMap((scenario) =>
        scenario.lanes
          .filter((store) => lanes.includes(store))
          .slice(0, turn > 0 && scenario.lanesAside ? 1 : undefined)
          .map((store) => ({ scenario, lanes: store, seed })),
      ),
  );
}

/** Side by side; at the end, one at a time, those that compare times. */
export async function runAll(
  runs: readonly Run[],
  how: {
    readonly parallel: number;
    readonly soakMs?: number;
    readonly sharedPostgresUrl: string;
    /** Called as each ends, with how many have. */
    onResult(result: ScenarioResult, count: number): void;
  },
): Promise<readonly ScenarioResult[]> {
  const results = new Map<Run, ScenarioResult>();
  const work = async (queue: Run[]): Promise<void> => {
    for (let run = queue.shift(); run !== undefined; run = queue.shift()) {
      const { scenario, ...rest } = run;
      const { sharedPostgresUrl, soakMs } = how;
      const soak = soakMs === undefined ? {} : { soakMs };
      const result = await runApart({
        ...{ ...rest, name: nameOf(scenario), sharedPostgresUrl, ...soak },
      }).catch((error: unknown) => brokenRun(run, error));
      results.set(run, result);
      how.onResult(result, results.size);
    }
  };
  const beside = runs.filter(({ scenario }) => scenario.alone !== true);
  const queue = beside.toSorted((one, other) => isSlow(other) - isSlow(one));
  await Promise.all(Array.from({ length: how.parallel }, () => work(queue)));
  await work(runs.filter(({ scenario }) => scenario.alone === true));
  return runs.flatMap((run) => results.get(run) ?? []);
}

function isSlow({ scenario }: Run): number {
  return scenario.slow === true ? 1 : 0;
}

const running = new Set<ChildProcess>();

/** Ends the runs that are under way, with all they started. */
export async function endRuns(): Promise<void> {
  const ends = [...running].map((child) => once(child, 'exit'));
  for (const child of running) child.kill('SIGTERM');
  await Promise.all(ends);
}

function runApart(order: RunOrder): Promise<ScenarioResult> {
  const child = fork(program);
  running.add(child);
  child.once('exit', () => running.delete(child));
  return new Promise((resolve, reject) => {
    let result: ScenarioResult | undefined;
    child.once('message', (message) => {
      result = message as ScenarioResult;
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (result !== undefined) resolve(result);
      else reject(new Error(`the run ended with ${signal ?? `status ${code}`}`));
    });
    child.send(order);
  });
}

function brokenRun({ scenario, lanes, seed }: Run, error: unknown): ScenarioResult {
  const { id, variant, title, promise } = scenario;
  return {
    ...{
      id,
      title,
      promise,
      lanes,
      seed,
      verdict: 'failed',
      tookMs: 0,
      loadAverage: 0,
      findings: [],
    },
    ...(variant === undefined ? {} : { variant }),
    reason: error instanceof Error ? error.message : String(error),
  };
}
