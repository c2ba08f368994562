import type { Command } from 'commander';
import { readEnvironment } from '../config/environment.ts';
import { migrate } from '../hub.ts';
import { type CommonOptions, defineCommand, ending } from './command.ts';
import { print, printJson, withProgress } from './terminal.ts';
import { commandLog } from './with-operations.ts';

export function addMigrate(program: Command): void {
  defineCommand(program, {
    usage: 'migrate',
    summary: 'Bring the tables of the journal to this version, under a lock.',
    details: 'start does so by itself; run this where the hub may not change tables.',
    examples: ['migrate', 'migrate --json'],
  }).action(ending(runMigrations));
}

async function runMigrations({ json }: CommonOptions): Promise<undefined> {
  const environment = readEnvironment();
  const log = commandLog(environment);
  const { applied } = await withProgress('migrating', migrate(environment, log));
  if (json) printJson({ applied });
  else if (applied.length === 0) print('nothing to do: the tables are of this version');
  else for (const name of applied) print(`applied ${name}`);
}
