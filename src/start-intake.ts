// The receiving half of the composition root.

import type { Environment } from './config/environment.ts';
import type { Definitions } from './definitions/definitions.ts';
import type { Routes } from './definitions/routes.ts';
import { createIntake, type Intake } from './intake/intake.ts';
import { createLiveReceivers } from './intake/live-receivers.ts';
import { createPublishedKeys } from './intake/published-keys.ts';
import { createSecretCounter } from './intake/secret-uses.ts';
import type { PostgresJournal } from './journal/postgres-journal.ts';
import type { Log } from './model/log.ts';
import type { Meter } from './model/meter.ts';
import type { Lanes } from './queue/lanes.ts';
import { watchSecrets } from './rotate-secrets.ts';

export function startIntake(parts: {
  readonly environment: Pick<Environment, 'folder'>;
  readonly definitions: Definitions;
  readonly routes: Routes;
  readonly journal: PostgresJournal;
  readonly lanes: Lanes;
  readonly meter: Meter;
  readonly log: Log;
  /** What is opened here is closed with the rest of the hub, the last one first. */
  readonly closers: (() => Promise<void>)[];
}): Intake {
  const { environment, definitions, journal, log, closers } = parts;
  const receivers = createLiveReceivers(definitions.connectors, {
    keys: createPublishedKeys(parts),
  });
  const secrets = createSecretCounter({ uses: journal.secretUses, log });
  const rotation = watchSecrets({ folder: environment.folder, receivers, log });
  closers.push(async () => {
    rotation.close();
    await secrets.close();
  });
  return createIntake({ ...parts, receivers, secrets });
}
