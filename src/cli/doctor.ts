import type { Command } from 'commander';
import { type Environment, readEnvironment } from '../config/environment.ts';
import type { LoadResult } from '../definitions/load-definitions.ts';
import { loadProject } from '../load-project.ts';
import { countProblems } from './check.ts';
import { type CommonOptions, defineCommand, ending } from './command.ts';
import { countFiles } from './count-files.ts';
import { type Finding, fail, pass, warn } from './doctor/finding.ts';
import { checkDisk, checkExposure, checkNode, checkPackages, checkPort } from './doctor/machine.ts';
import { checkServices } from './doctor/services.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { formatTable } from './table.ts';
import { countOf, type Format, print, printJson, withProgress } from './terminal.ts';
import { commandLog } from './with-operations.ts';

const formats: Readonly<Record<Finding['verdict'], Format>> = {
  pass: 'green',
  warn: 'yellow',
  fail: 'red',
};

export function addDoctor(program: Command): void {
  defineCommand(program, {
    usage: 'doctor',
    summary: 'Look at everything that the hub stands on, and say what to do about what is wrong.',
    details: 'Exits 1 if something fails, 3 if the database or Redis cannot be reached.',
    examples: ['doctor', 'doctor --json'],
  }).action(ending(doctor));
}

async function doctor({ json }: CommonOptions): Promise<ExitCode> {
  const environment = readEnvironment();
  const findings = await withProgress('looking', examine(environment));
  if (json) printJson({ findings });
  else for (const line of rowsOf(findings)) print(line);
  if (findings.some(({ unreachable }) => unreachable === true)) return exitCodes.environment;
  const failing = findings.some(({ verdict }) => verdict === 'fail');
  return failing ? exitCodes.findings : exitCodes.fine;
}

async function examine(environment: Environment): Promise<readonly Finding[]> {
  const loaded = await loadProject(environment);
  return [
    checkNode(),
    ...(await checkPackages()),
    await checkFiles(environment, loaded),
    await checkPort(environment),
    checkExposure(environment),
    await checkDisk(environment),
    ...(await checkServices(environment, commandLog(environment), loaded.definitions)),
  ];
}

async function checkFiles(environment: Environment, { problems }: LoadResult): Promise<Finding> {
  const files = countOf(await countFiles(environment.folder), 'file');
  const [errors, warnings] = countProblems(problems);
  const where = `in ${files} of ${environment.folder}`;
  const todo = 'Run crossdock check.';
  if (errors > 0) return fail('files', `${countOf(errors, 'error')} ${where}`, todo);
  if (warnings > 0) return warn('files', `${countOf(warnings, 'warning')} ${where}`, todo);
  return pass('files', `no problems ${where}`);
}

function rowsOf(findings: readonly Finding[]): readonly string[] {
  return formatTable(
    ['', 'CHECK', 'FOUND', 'WHAT TO DO'],
    findings.map(({ what, verdict, found, todo }) => [
      { text: verdict, format: formats[verdict] },
      what,
      found,
      todo ?? '',
    ]),
  );
}
