import type { Command } from 'commander';
import { readEnvironment } from '../config/environment.ts';
import { CrossdockError } from '../model/errors.ts';
import { type CommonOptions, defineCommand, ending } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { openMapper } from './open-mapper.ts';
import { withPlaceholders } from './placeholder-variables.ts';
import { requireProject } from './project.ts';
import { paint, print, printJson } from './terminal.ts';
import { reportCase } from './testing/report.ts';
import { type CaseResult, runTests } from './testing/run-tests.ts';

interface TestOptions extends CommonOptions {
  readonly filter?: string;
}

export function addTest(program: Command): void {
  defineCommand(program, {
    usage: 'test',
    summary:
      'Run mappings/*.test.yaml and flows/*.test.yaml, without a network and without waiting.',
    details: 'Variables that are not set have a placeholder; exits 1 if a case fails.',
    examples: ['test', 'test --filter order-to-erp', 'test --json'],
  })
    .option('--filter <text>', 'only cases whose file or name contains this text')
    .action(ending(test));
}

async function test(options: TestOptions): Promise<ExitCode> {
  const environment = readEnvironment();
  const variables = await withPlaceholders(environment.folder, environment.variables);
  const definitions = await requireProject(environment, variables);
  const startedMs = performance.now();
  const results = await runAll(options, definitions);
  if (results.length === 0 && options.filter !== undefined) {
    const message = `no case has "${options.filter}" in its file or name`;
    throw new CrossdockError('usage', message, { todo: 'Run crossdock test to see all cases.' });
  }
  const failed = results.filter(({ differences }) => differences.length > 0).length;
  const passed = results.length - failed;
  const durationMs = Math.round(performance.now() - startedMs);
  if (options.json) printJson({ passed, failed, durationMs, cases: results });
  else print(summaryOf(passed, failed, durationMs));
  return failed > 0 ? exitCodes.findings : exitCodes.fine;
}

async function runAll(
  { filter, json }: TestOptions,
  definitions: Awaited<ReturnType<typeof requireProject>>,
): Promise<readonly CaseResult[]> {
  const results: CaseResult[] = [];
  const mapper = await openMapper();
  try {
    const run = { definitions, mapper, ...(filter === undefined ? {} : { filter }) };
    for await (const result of runTests(run)) {
      if (!json) {
        if (results.at(-1)?.file !== result.file) print(paint('bold', result.file));
        for (const line of reportCase(result)) print(line);
      }
      results.push(result);
    }
  } finally {
    await mapper.close();
  }
  return results;
}

function summaryOf(passed: number, failed: number, durationMs: number): string {
  if (passed + failed === 0) return paint('yellow', 'no cases');
  const took = paint('dim', `(${durationMs} ms)`);
  if (failed === 0) return `${paint('green', `${passed} passed`)} ${took}`;
  return `${paint('green', `${passed} passed`)}, ${paint('red', `${failed} failed`)} ${took}`;
}
