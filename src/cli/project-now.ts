import { readEnvironment } from '../config/environment.ts';
import { createRoutes } from '../definitions/routes.ts';
import type { ProjectNow } from '../delivery/replay-again.ts';
import type { Operations } from '../hub.ts';
import { loadProject } from '../load-project.ts';
import { withPlaceholders } from './placeholder-variables.ts';
import { requireProject } from './project.ts';

/** The files as they are, for what goes out by them. Rejects `definitions-invalid`. */
export async function requireProjectNow({ journal }: Operations): Promise<ProjectNow> {
  const definitions = await requireProject();
  await journal.saveRevisions([...definitions.flows.values()].map(({ revision }) => revision));
  return { definitions, routes: createRoutes(definitions) };
}

/** The files for looking things up; `undefined` where they have mistakes. */
export async function readProjectNow(): Promise<ProjectNow | undefined> {
  const { folder, variables } = readEnvironment();
  const known = await withPlaceholders(folder, variables);
  const { definitions } = await loadProject({ folder, variables: known });
  return definitions === undefined ? undefined : { definitions, routes: createRoutes(definitions) };
}
