// Takes new secrets of receivers while the hub runs: where the project's .env file has changed, or
// at SIGHUP. Everything else of the files waits for a restart.

import { type Stats, unwatchFile, watchFile } from 'node:fs';
import { join } from 'node:path';
import { readEnvironment } from './config/environment.ts';
import type { LiveReceivers } from './intake/live-receivers.ts';
import { loadProject } from './load-project.ts';
import type { Log } from './model/log.ts';
import { formatProblem } from './model/problem.ts';

/** Polled, because a mounted file is often replaced as a whole, unseen by the kernel's watch. */
const LOOK_EVERY_MS = 2_000;

export interface SecretRotation {
  /** Reads the files now; never rejects. */
  rotate(): Promise<void>;
  close(): void;
}

export function watchSecrets(ports: {
  readonly folder: string;
  readonly receivers: LiveReceivers;
  readonly log: Log;
}): SecretRotation {
  const { folder, receivers, log } = ports;
  const file = join(folder, '.env');
  let work: Promise<void> = Promise.resolve();

  const read = async (): Promise<void> => {
    try {
      const { definitions, problems } = await loadProject(readEnvironment());
      if (definitions === undefined) {
        const errors = problems.filter(({ severity }) => severity === 'error').map(formatProblem);
        log.warn({ errors }, 'the files have mistakes: the secrets of before stay');
        return;
      }
      const { rotated, stale } = receivers.takeSecrets(definitions.connectors);
      if (rotated.length > 0) log.info({ connectors: rotated }, 'new secrets are in use');
      if (stale.length > 0) {
        log.warn({ connectors: stale }, 'their files changed too: restart the hub to use them');
      }
    } catch (error) {
      log.warn({ err: error }, 'the secrets cannot be read: those of before stay');
    }
  };
  const rotate = (): Promise<void> => {
    work = work.then(read);
    return work;
  };
  const onSignal = (): void => void rotate();
  const onChange = (now: Stats, before: Stats): void => {
    // Node tells once of a file that is not there, which is no change.
    if (now.ino !== 0 || before.ino !== 0) onSignal();
  };

  watchFile(file, { interval: LOOK_EVERY_MS, persistent: false }, onChange);
  process.on('SIGHUP', onSignal);
  return {
    rotate,
    close() {
      unwatchFile(file, onChange);
      process.off('SIGHUP', onSignal);
    },
  };
}
