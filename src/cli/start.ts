import { type Command, Option } from 'commander';
import { type Environment, readEnvironment } from '../config/environment.ts';
import { createLog } from '../config/log.ts';
import type { Hub, Role } from '../hub.ts';
import { runHub } from '../main.ts';
import { isCrossdockError } from '../model/errors.ts';
import type { Log } from '../model/log.ts';
import { type CommonOptions, defineCommand, ending } from './command.ts';
import { requireProject } from './project.ts';
import { note, paint, printJson } from './terminal.ts';

export const roles: readonly Role[] = ['all', 'intake', 'delivery'];

export interface StartOptions extends CommonOptions {
  readonly role: Role;
}

export function addStart(program: Command): void {
  defineCommand(program, {
    usage: 'start',
    summary: 'Run the hub until SIGTERM or Ctrl-C; it then hands its work back and leaves.',
    details:
      'The log goes to stdout, as JSON where that is no terminal. A second signal ends it at once.',
    examples: ['start', 'start --role intake', 'PORT=9000 crossdock start'],
  })
    .addOption(roleOption())
    .action(ending(start));
}

export function roleOption(): Option {
  return new Option('--role <role>', 'take webhooks in, deliver them, or both')
    .choices(roles)
    .default('all');
}

async function start(options: StartOptions): Promise<undefined> {
  const environment = readEnvironment();
  const { role } = options;
  const log = hubLog(environment, options);
  const ready = (hub: Hub) => announce(hub, environment, options);
  try {
    await runHub({ environment, role, log, ready });
  } catch (error) {
    // Says the same, a line for each mistake.
    if (isCrossdockError(error, 'definitions-invalid')) await requireProject(environment);
    throw error;
  }
}

export function hubLog({ logLevel }: Environment, { role, json }: StartOptions): Log {
  return createLog({ level: logLevel, role, pretty: process.stdout.isTTY && json !== true });
}

/** Where things are, for the person who started it; on stderr, once. */
export function announce(
  hub: Hub,
  { databaseUrl, folder, host }: Environment,
  { json, role }: StartOptions,
): void {
  const { url, backend, newAdminToken } = hub;
  const signInUrl = newAdminToken === undefined ? undefined : `${url}/sign-in#${newAdminToken}`;
  const boardUrl = `${url}/queues`;
  const journal = databaseUrl === undefined ? 'embedded PostgreSQL' : 'PostgreSQL';
  if (json) {
    printJson({ url, role, folder, journal, lanes: backend, boardUrl, signInUrl });
    return;
  }
  const lanes = backend === 'redis' ? 'Redis' : 'the same PostgreSQL';
  const bold = (text: string) => paint('bold', text, process.stderr);
  note(`Crossdock (${role}) listens on ${bold(url)}`);
  note(`  files    ${folder}`);
  note(`  journal  ${journal}, lanes on ${lanes}`);
  if (role !== 'delivery') note(`  webhooks POST ${url}/webhooks/<connector>`);
  note(`  queues   ${boardUrl}`);
  if (signInUrl !== undefined) note(`  sign in  ${bold(signInUrl)}  (shown this once)`);
  if (!isLoopback(host)) note('  This address is open to others: put TLS in front of it.');
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
