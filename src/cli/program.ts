// The command line as a whole: the list of commands, and what becomes of an error.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { readEnvironment } from '../config/environment.ts';
import { packageRoot } from '../config/package-root.ts';
import { CrossdockError } from '../model/errors.ts';
import { adviceFor, type ExitCode, exitCodes, todoFor } from './exit-codes.ts';
import { note, paint, printJson } from './terminal.ts';

/** In the order in which a person meets them. Only the one that is called is loaded. */
const commands: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  start: async () => (await import('./start.ts')).addStart,
  dev: async () => (await import('./dev.ts')).addDev,
  check: async () => (await import('./check.ts')).addCheck,
  test: async () => (await import('./test.ts')).addTest,
  map: async () => (await import('./map.ts')).addMap,
  send: async () => (await import('./send.ts')).addSend,
  events: async () => (await import('./events.ts')).addEvents,
  deliveries: async () => (await import('./deliveries.ts')).addDeliveries,
  lanes: async () => (await import('./lanes.ts')).addLanes,
  pollers: async () => (await import('./pollers.ts')).addPollers,
  pause: async () => (await import('./pause.ts')).addPause,
  resume: async () => (await import('./resume.ts')).addResume,
  replay: async () => (await import('./replay.ts')).addReplay,
  replays: async () => (await import('./replays.ts')).addReplays,
  problems: async () => (await import('./problems.ts')).addProblems,
  quarantine: async () => (await import('./quarantine.ts')).addQuarantine,
  explain: async () => (await import('./explain.ts')).addExplain,
  migrate: async () => (await import('./migrate.ts')).addMigrate,
  doctor: async () => (await import('./doctor.ts')).addDoctor,
};

/** Runs one command line; the exit status is left in `process.exitCode`. */
export async function runCrossdock(argv: readonly string[]): Promise<void> {
  try {
    const program = await createProgram(argv[0]);
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    const json = argv.includes('--json');
    process.exitCode = error instanceof CommanderError ? usageCode(error) : report(error, json);
  }
}

/** With the command that is called; with all of them where none is: for the help, and to suggest. */
export async function createProgram(called = ''): Promise<Command> {
  const program = new Command('crossdock')
    .description(
      'A connector hub for commerce: webhooks in, routed and reshaped by files, delivered.',
    )
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('after', epilogue)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(oneLine(text)) });
  if (called === '-V' || called === '--version') return program;
  for (const name of Object.hasOwn(commands, called) ? [called] : Object.keys(commands)) {
    const add = await commands[name]?.();
    add?.(program);
  }
  return program;
}

const epilogue = `
Examples:
  $ crossdock dev                      run the hub on the files of this folder
  $ crossdock send shop orders/create  and send it a signed order

Exit codes: 0 fine, 1 findings, 2 usage, 3 environment.
Environment: CROSSDOCK_DIR, DATABASE_URL, REDIS_URL, HOST, PORT, LOG_LEVEL, NO_COLOR.`;

function readVersion(): string {
  const text = readFileSync(join(packageRoot, 'package.json'), 'utf8');
  return String((JSON.parse(text) as { version?: unknown }).version);
}

/** Help and version are answers; everything else that commander reports is a wrong call. */
function usageCode(error: CommanderError): ExitCode {
  return error.exitCode === 0 ? exitCodes.fine : exitCodes.usage;
}

/** Commander puts its suggestion on a line of its own. */
function oneLine(text: string): string {
  return `crossdock: usage: ${text
    .replace(/^error: /, '')
    .trim()
    .replace(/\n+/g, ' ')}\n`;
}

/** One line on stderr: the code, what happened, what to do. */
function report(error: unknown, json: boolean): ExitCode {
  const known = error instanceof CrossdockError;
  const code = known ? error.code : 'bug';
  const message = error instanceof Error ? error.message : String(error);
  const exit = known ? adviceFor(error.code).exit : exitCodes.environment;
  const todo = known ? todoFor(error) : 'Set LOG_LEVEL=debug to see where.';
  if (json) printJson({ error: { code, message, todo } });
  const label = paint('red', code, process.stderr);
  const sentence = message.replace(/\s*\n\s*/g, ' ').replace(/[^.?!]$/, '$&.');
  note(`crossdock: ${label}: ${sentence} ${todo}`);
  if (isDebugging() && error instanceof Error) note(stackOf(error));
  return exit;
}

function stackOf(error: Error): string {
  const { cause } = error;
  const below = cause instanceof Error ? `\ncaused by ${stackOf(cause)}` : '';
  return `${error.stack ?? error.message}${below}`;
}

function isDebugging(): boolean {
  try {
    return readEnvironment().logLevel === 'debug';
  } catch {
    return false;
  }
}
