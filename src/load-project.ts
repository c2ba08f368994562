// The project's files, read with every kind of connector and every check; without the hub around
// them, so that the commands that only look at files are quick.

import { join } from 'node:path';
import type { Environment } from './config/environment.ts';
import { packageRoot } from './config/package-root.ts';
import { connectorKinds } from './connectors/kinds.ts';
import { type LoadResult, loadDefinitions } from './definitions/load-definitions.ts';
import { checkExpression } from './mapping/check-expression.ts';

/** Resolves with all mistakes at once; `definitions` is there when none of them is an error. */
export function loadProject(
  project: Pick<Environment, 'folder' | 'variables'>,
): Promise<LoadResult> {
  return loadDefinitions({
    folder: project.folder,
    catalogFolder: join(packageRoot, 'connectors', 'catalog'),
    kinds: connectorKinds,
    environment: project.variables,
    checkExpression,
  });
}
