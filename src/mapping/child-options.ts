// How a mapping child is started: as little of the machine as Node can be told to give it.

import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Megabytes of JavaScript heap. A body of 10 MB is 10 MB of text and up to six times that as
 * values; what needs more is a bomb, and ends its own child. V8 goes beyond it before it gives up:
 * with this much the largest bomb that was tried ends below 300 MB of resident memory.
 */
const HEAP_MB = 112;

/**
 * Megabytes of a half of the space for what has just been made; V8 takes up to three of them.
 * JSONata makes many short-lived promises: with 8 more than a fifth of the time goes into
 * collecting them, with 16 a sixth, and with 32 hardly less.
 */
const YOUNG_MB = 16;

/**
 * The arguments of `node`. Node says of its permission model that it is no sandbox against code
 * that is out to break it; there should be no such code here, since mappings are data to JSONata.
 * This is for the day when JSONata has a hole again: no files, no processes, no threads, and no
 * way from a text to code.
 */
export function childArguments(): readonly string[] {
  const compiled = fileURLToPath(new URL('../', import.meta.url));
  const readable = [`${compiled}*`, `${modulesFolder()}*`, ...packageFiles(compiled)];
  return [
    '--no-warnings',
    `--max-old-space-size=${HEAP_MB}`,
    `--max-semi-space-size=${YOUNG_MB}`,
    '--disallow-code-generation-from-strings',
    '--disable-proto=delete',
    permissionFlag(),
    ...readable.map((path) => `--allow-fs-read=${path}`),
    fileURLToPath(new URL('./child.js', import.meta.url)),
  ];
}

/** Its clock says what `$now()` is told; only the zone is set, so that no machine's own matters. */
export const childEnvironment: Readonly<Record<string, string>> = { TZ: 'UTC' };

function permissionFlag(): string {
  const flags = process.allowedNodeEnvironmentFlags;
  return flags.has('--permission') ? '--permission' : '--experimental-permission';
}

/** The outermost node_modules folder that holds the engine: its own packages lie in there too. */
function modulesFolder(): string {
  const engine = createRequire(import.meta.url).resolve('jsonata');
  const marker = `${sep}node_modules${sep}`;
  return engine.slice(0, engine.indexOf(marker) + marker.length);
}

/** Node looks for the nearest package.json of a module, and through node_modules that is a link. */
function packageFiles(compiled: string): string[] {
  const parent = dirname(compiled);
  return [parent, dirname(parent)].flatMap((folder) => [
    join(folder, 'package.json'),
    join(folder, 'node_modules*'),
  ]);
}
