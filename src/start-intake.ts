// The receiving half of the composition root: intake, what becomes of what it refuses, and the way
// back in.

import type { KeyObject } from 'node:crypto';
import type { Environment } from './config/environment.ts';
import type { Definitions } from './definitions/definitions.ts';
import type { Routes } from './definitions/routes.ts';
import { createAlerts } from './delivery/alerts.ts';
import { createConfirmations } from './intake/confirmations.ts';
import { withDevKey } from './intake/dev-key.ts';
import { createIntake, type Intake } from './intake/intake.ts';
import { createLiveReceivers } from './intake/live-receivers.ts';
import { createPublishedKeys } from './intake/published-keys.ts';
import { createQuarantineKeeper } from './intake/quarantine.ts';
import { createRefusals } from './intake/refusals.ts';
import { createRelease, type Release } from './intake/release.ts';
import { createSecretCounter } from './intake/secret-uses.ts';
import type { PostgresJournal } from './journal/postgres-journal.ts';
import type { Log } from './model/log.ts';
import type { Meter } from './model/meter.ts';
import type { Lanes } from './queue/lanes.ts';
import { watchSecrets } from './rotate-secrets.ts';

/** What was refused is written within this time when the hub leaves. */
const QUARANTINE_GRACE_MS = 1_000;

export interface Receiving {
  readonly intake: Intake;
  readonly release: Release;
}

/** Also a hub that only delivers lets quarantined requests in again. */
export function startIntake(parts: {
  readonly environment: Pick<Environment, 'folder'>;
  readonly definitions: Definitions;
  readonly routes: Routes;
  readonly journal: PostgresJournal;
  readonly lanes: Lanes;
  readonly meter: Meter;
  readonly log: Log;
  readonly devKey: KeyObject | undefined;
  /** What is opened here is closed with the rest of the hub, the last one first. */
  readonly closers: (() => Promise<void>)[];
}): Receiving {
  const { environment, definitions, journal, meter, log, closers, devKey } = parts;
  const { quarantine } = journal;
  const published = createPublishedKeys({ meter, log });
  const keys = devKey === undefined ? published : withDevKey(published, devKey);
  const receivers = createLiveReceivers(definitions.connectors, { keys });
  const secrets = createSecretCounter({ uses: journal.secretUses, log });
  const rotation = watchSecrets({ folder: environment.folder, receivers, log });
  const keeper = createQuarantineKeeper({ quarantine, meter, log });
  const confirmations = createConfirmations({ log });
  closers.push(async () => {
    rotation.close();
    await Promise.all([secrets.close(), keeper.close(QUARANTINE_GRACE_MS), confirmations.close()]);
  });
  const refusals = createRefusals({ quarantine: keeper, meter });
  const alerts = createAlerts(parts);
  const intake = createIntake({
    ...{ ...parts, receivers, secrets, refusals, confirmations },
    onConflict: (conflict) => void alerts.eventConflict(conflict),
  });
  const receiveOf = (connector: string) => receivers.get(connector)?.receive;
  return { intake, release: createRelease({ quarantine, receiveOf, intake: () => intake }) };
}
