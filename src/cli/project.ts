import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Environment, readEnvironment } from '../config/environment.ts';
import type { Definitions } from '../definitions/definitions.ts';
import { loadProject } from '../load-project.ts';
import { CrossdockError } from '../model/errors.ts';
import { formatProblem, type Problem } from '../model/problem.ts';
import { countOf, note, paint, plain } from './terminal.ts';

/** For commands that need files without errors. Rejects `definitions-invalid`, the errors on stderr. */
export async function requireProject(
  environment: Environment = readEnvironment(),
  variables: Environment['variables'] = environment.variables,
): Promise<Definitions> {
  const { definitions, problems } = await loadProject({ folder: environment.folder, variables });
  if (definitions !== undefined) return definitions;
  const errors = problems.filter(({ severity }) => severity === 'error');
  for (const problem of errors) note(problemLine(problem, process.stderr));
  const count = countOf(errors.length, 'error');
  const isUnset = errors.every(({ code }) => code === 'variable-unset');
  throw new CrossdockError('definitions-invalid', `${count} in ${environment.folder}`, {
    ...(isUnset ? { todo: settingVariables(environment.folder) } : {}),
  });
}

function settingVariables(folder: string): string {
  const isNew = !existsSync(join(folder, '.env')) && existsSync(join(folder, '.env.example'));
  if (isNew) return 'Copy .env.example to .env and fill it in.';
  return 'Set these variables, in the environment or in the file .env of this folder.';
}

export function problemLine(problem: Problem, stream: NodeJS.WritableStream): string {
  const format = problem.severity === 'error' ? 'red' : 'yellow';
  const line = plain(formatProblem(problem));
  return line.replace(` ${problem.code} `, (code) => paint(format, code, stream));
}
