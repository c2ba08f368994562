// `npm run chaos`: breaks things under the real hub and says what became of the messages.

import { randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { type PrivateServer, startPrivateServer } from '../test/support/test-journal-server.ts';
import { type ChaosOptions, parseOptions, usage } from './options.ts';
import { progressLine, resultTable, troubleLines } from './report.ts';
import { sharedPostgresSettings } from './rig.ts';
import { type Run, runScenario, type ScenarioResult } from './run-scenario.ts';
import type { Scenario } from './scenario.ts';
import { scenarios } from './scenarios.ts';

const SEED_MAX = 1_000_000;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let options: ChaosOptions;
  try {
    options = parseOptions(args, () => randomInt(SEED_MAX));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return 2;
  }
  if (options.help) {
    console.log(usage);
    return 0;
  }
  const runs = planRuns(options);
  if (runs.length === 0) {
    console.error(`no scenario fits; there are ${scenarios.map(({ id }) => id).join(' ')}`);
    return 2;
  }
  // Each server and hub has a listener on our exit.
  process.setMaxListeners(0);
  const seeds = options.seeds.join(', ');
  console.error(`seed ${seeds}; ${runs.length} runs, ${options.parallel} side by side`);
  const shared = await startPrivateServer(sharedPostgresSettings);
  const results = await runAll(runs, shared, options.parallel).finally(() => shared.stop());
  console.log(resultTable(results).join('\n'));
  console.log(`\nseed ${seeds}: repeat with --seed ${options.seeds[0]}`);
  if (options.json !== undefined) await writeFile(options.json, JSON.stringify(results, null, 2));
  return results.every(({ verdict }) => verdict === 'passed') ? 0 : 1;
}

function planRuns({ quick, only, lanes, seeds }: ChaosOptions): readonly Run[] {
  const isWanted = (scenario: Scenario): boolean => {
    if (only.length > 0) return only.includes(scenario.id);
    return scenario.awaits === undefined && (!quick || scenario.quick === true);
  };
  return seeds.flatMap((seed) =>
    scenarios
      .filter(isWanted)
      .flatMap((scenario) =>
        scenario.lanes
          .filter((store) => lanes.includes(store))
          .map((store) => ({ scenario, lanes: store, seed })),
      ),
  );
}

/** Those that compare times come first, one at a time; the others side by side. */
async function runAll(
  runs: readonly Run[],
  shared: PrivateServer,
  parallel: number,
): Promise<readonly ScenarioResult[]> {
  const results = new Map<Run, ScenarioResult>();
  const work = async (queue: Run[]): Promise<void> => {
    for (let run = queue.shift(); run !== undefined; run = queue.shift()) {
      const result = await runScenario(run, shared);
      results.set(run, result);
      console.error(`[${results.size}/${runs.length}] ${progressLine(result)}`);
      for (const line of troubleLines(result)) console.error(line);
    }
  };
  await work(runs.filter(({ scenario }) => scenario.alone === true));
  const queue = runs.filter(({ scenario }) => scenario.alone !== true);
  await Promise.all(Array.from({ length: parallel }, () => work(queue)));
  return runs.flatMap((run) => results.get(run) ?? []);
}
