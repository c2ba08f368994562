// The connectors of a project, made live: for the hub, and for the process apart that tries suspects.

import type { Environment } from './config/environment.ts';
import { connectorKinds } from './connectors/kinds.ts';
import type { ConnectorDefinition, Definitions } from './definitions/definitions.ts';
import type { LiveConnector } from './delivery/attempt.ts';

/** The connectors that can be called: each has a lane. */
export function callable(definitions: Definitions): readonly ConnectorDefinition[] {
  return [...definitions.connectors.values()].filter((one) => one.operations.size > 0);
}

/** By id. Whoever opened them closes them. */
export function openConnectors(
  definitions: Definitions,
  environment: Pick<Environment, 'folder'>,
): ReadonlyMap<string, LiveConnector> {
  const context = { folder: environment.folder, now: Date.now };
  return new Map(
    callable(definitions).map((definition) => {
      const kind = connectorKinds.find((one) => one.kind === definition.kind);
      if (kind === undefined) throw new Error(`connector ${definition.id} has no kind`);
      return [definition.id, { definition, connector: kind.create(definition, context) }];
    }),
  );
}
