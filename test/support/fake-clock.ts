// A wrong clock for one process of the real program, by libfaketime.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** For the options of a test that needs it. With `CI=true` a missing one is a failure. */
export function skipWithoutFakeClock(): { readonly skip?: string } {
  if (findLibrary() !== undefined) return {};
  const skip = 'libfaketime is not installed: apt-get install -y faketime';
  if (process.env['CI'] === 'true') throw new Error(skip);
  return { skip };
}

/** The variables of a process whose clock is ahead; its timers go on as they should. */
export function fakeClock(aheadSeconds: number): Record<string, string> {
  return {
    LD_PRELOAD: findLibrary() ?? '',
    FAKETIME: `+${aheadSeconds}s`,
    DONT_FAKE_MONOTONIC: '1',
  };
}

function findLibrary(): string | undefined {
  const folders = existsSync('/usr/lib') ? readdirSync('/usr/lib') : [];
  return folders
    .map((folder) => join('/usr/lib', folder, 'faketime', 'libfaketime.so.1'))
    .find((file) => existsSync(file));
}
