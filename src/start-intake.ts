// The receiving half of a hub: intake, what becomes of what it refuses, and the way back in.

import type { ConnectorDefinition } from './definitions/definitions.ts';
import type { Routes } from './definitions/routes.ts';
import { createIntake, type Intake } from './intake/intake.ts';
import { createPublishedKeys } from './intake/published-keys.ts';
import { createQuarantineKeeper } from './intake/quarantine.ts';
import { createRefusals } from './intake/refusals.ts';
import { createRelease, type Release } from './intake/release.ts';
import type { PostgresJournal } from './journal/postgres-journal.ts';
import type { Log } from './model/log.ts';
import type { Meter } from './model/meter.ts';
import type { Lanes } from './queue/lanes.ts';

export interface IntakeParts {
  readonly connectors: ReadonlyMap<string, ConnectorDefinition>;
  readonly routes: Routes;
  readonly journal: PostgresJournal;
  readonly lanes: Lanes;
  readonly meter: Meter;
  readonly log: Log;
}

/** `intake` makes it at the first call: a hub that only delivers needs it for releases only. */
export function startIntake(parts: IntakeParts): {
  intake(): Intake;
  readonly release: Release;
  /** Once no request is under way any more: writes what was refused, within `graceMs`. */
  close(graceMs: number): Promise<void>;
} {
  const { connectors, journal, meter, log } = parts;
  const { quarantine } = journal;
  const keeper = createQuarantineKeeper({ quarantine, meter, log });
  const refusals = createRefusals({ quarantine: keeper, meter });
  const keys = createPublishedKeys();
  let made: Intake | undefined;
  const intake = (): Intake => {
    made ??= createIntake({ ...parts, keys, refusals });
    return made;
  };
  return {
    intake,
    release: createRelease({ quarantine, connectors, intake }),
    close: (graceMs) => keeper.close(graceMs),
  };
}
