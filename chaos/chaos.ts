// `npm run chaos`: breaks things under the real hub and says what became of the messages.

import { randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../src/config/package-root.ts';
import { startPrivateServer } from '../test/support/test-journal-server.ts';
import { describeRig } from './machine.ts';
import { type ChaosOptions, parseOptions, usage } from './options.ts';
import { endRuns, planRuns, runAll } from './plan.ts';
import { reliabilityPage } from './reliability-page.ts';
import { progressLine, resultTable, troubleLines } from './report.ts';
import { sharedPostgresSettings } from './rig.ts';
import type { Run, ScenarioResult } from './run-scenario.ts';
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
  const beganMs = Date.now();
  const { results, machine } = await runThem(runs, options);
  const source = { results, machine, seeds: options.seeds, args, tookMs: Date.now() - beganMs };
  return report(options, source);
}

interface Outcome {
  readonly results: readonly ScenarioResult[];
  readonly machine: Readonly<Record<string, string>>;
}

async function runThem(runs: readonly Run[], options: ChaosOptions): Promise<Outcome> {
  const { seeds, parallel, soakMs } = options;
  console.error(`seed ${seeds.join(', ')}; ${runs.length} runs, ${parallel} side by side`);
  const shared = await startPrivateServer(sharedPostgresSettings);
  let isLeaving = false;
  const leave = async (): Promise<void> => {
    if (isLeaving) return;
    isLeaving = true;
    await endRuns();
    await shared.stop().finally(() => process.exit(130));
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void leave());
  try {
    const machine = await describeRig(shared.url);
    const results = await runAll(runs, {
      parallel,
      sharedPostgresUrl: shared.url,
      ...(soakMs === undefined ? {} : { soakMs }),
      onResult(result, count) {
        console.error(`[${count}/${runs.length}] ${progressLine(result)}`);
        for (const line of troubleLines(result)) console.error(line);
      },
    });
    return { results, machine };
  } finally {
    await shared.stop();
  }
}

async function report(
  options: ChaosOptions,
  source: Parameters<typeof reliabilityPage>[0],
): Promise<number> {
  const { results, machine, seeds, tookMs } = source;
  console.log(resultTable(results).join('\n'));
  const passed = results.filter(({ verdict }) => verdict === 'passed').length;
  const minutes = (tookMs / 60_000).toFixed(1);
  console.log(
    `\n${passed} of ${results.length} passed in ${minutes} min; seed ${seeds.join(', ')}`,
  );
  console.log(
    `repeat with --seed ${seeds[0]}${seeds.length > 1 ? ` --seeds ${seeds.length}` : ''}`,
  );
  if (options.json !== undefined) {
    await writeFile(options.json, `${JSON.stringify({ machine, seeds, results }, null, 2)}\n`);
  }
  if (options.writeDocs) {
    await writeFile(join(packageRoot, 'docs', 'reliability.md'), reliabilityPage(source));
  }
  return passed === results.length ? 0 : 1;
}
