import type { Command } from 'commander';
import { readEnvironment } from '../config/environment.ts';
import { loadProject } from '../load-project.ts';
import type { Problem } from '../model/problem.ts';
import { type CommonOptions, defineCommand, ending } from './command.ts';
import { countFiles } from './count-files.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { problemLine } from './project.ts';
import { countOf, paint, print, printJson, withProgress } from './terminal.ts';

interface CheckOptions extends CommonOptions {
  readonly strict?: boolean;
}

export function addCheck(program: Command): void {
  defineCommand(program, {
    usage: 'check',
    summary: 'Look for mistakes in every file of connectors/, flows/, mappings/ and schemas/.',
    details: 'Prints file:line:column, a code and what is wrong; exits 1 if there is an error.',
    examples: ['check', 'check --strict', 'check --json'],
  })
    .option('--strict', 'let warnings count as errors')
    .action(ending(check));
}

async function check(options: CheckOptions): Promise<ExitCode> {
  const environment = readEnvironment();
  const { problems } = await withProgress('reading the files', loadProject(environment));
  const files = await countFiles(environment.folder);
  const [errors, warnings] = countProblems(problems);
  if (options.json) {
    printJson({ files, errors, warnings, problems });
  } else {
    for (const problem of problems) print(problemLine(problem, process.stdout));
    print(summaryOf(errors, warnings, files));
  }
  const failing = options.strict ? errors + warnings : errors;
  return failing > 0 ? exitCodes.findings : exitCodes.fine;
}

export function countProblems(problems: readonly Problem[]): readonly [number, number] {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  return [errors, problems.length - errors];
}

function summaryOf(errors: number, warnings: number, files: number): string {
  const where = countOf(files, 'file');
  if (errors + warnings === 0) return paint('green', `${where}, no problems`);
  const counts = [
    ...(errors > 0 ? [countOf(errors, 'error')] : []),
    ...(warnings > 0 ? [countOf(warnings, 'warning')] : []),
  ];
  return paint(errors > 0 ? 'red' : 'yellow', `${counts.join(', ')} in ${where}`);
}
