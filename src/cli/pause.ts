import type { Command } from 'commander';
import { type Pausable, pausableOf, requirePausable } from '../delivery/pausable.ts';
import type { PauseScope, PauseTarget } from '../journal/gates-port.ts';
import { CrossdockError } from '../model/errors.ts';
import { type CommonOptions, defineCommand, ending } from './command.ts';
import { requireProject } from './project.ts';
import { print, printJson } from './terminal.ts';
import { withOperations } from './with-operations.ts';

/** What a command line names; exactly one of the three. */
export interface TargetOptions extends CommonOptions {
  readonly flow?: string;
  readonly operation?: string;
}

interface PauseOptions extends TargetOptions {
  readonly reason?: string;
}

export function addPause(program: Command): void {
  const command = defineCommand(program, {
    usage: 'pause',
    summary: 'Hold a connector’s lane, one flow or one operation until it is resumed.',
    details: 'What is under way is finished. Nothing is lost, and no attempt is spent.',
    examples: ['pause erp --reason "maintenance until 6"', 'pause --flow order-to-erp'],
  });
  withTarget(command).option('--reason <text>', 'why, for those who wonder').action(ending(pause));
}

export function withTarget(command: Command): Command {
  return command
    .argument('[connector]', 'the connector whose lane it is')
    .option('--flow <flow>', 'only the deliveries of this flow')
    .option('--operation <connector.operation>', 'only the deliveries that call this operation');
}

async function pause(connector: string | undefined, options: PauseOptions): Promise<undefined> {
  const target = targetOf(connector, options);
  requirePausable(target, await readPausable());
  const { reason } = options;
  const by = { by: 'cli', ...(reason === undefined ? {} : { reason }) };
  const changed = await withOperations(({ controls }) => controls.pause(target, by));
  if (options.json) printJson({ ...target, paused: true, changed });
  else print(`${target.scope} ${target.name} ${changed ? 'is paused' : 'was paused already'}`);
}

/** Rejects `usage` where not exactly one thing is named. */
export function targetOf(connector: string | undefined, options: TargetOptions): PauseTarget {
  const named: readonly [PauseScope, string | undefined][] = [
    ['connector', connector],
    ['flow', options.flow],
    ['operation', options.operation],
  ];
  const [first, ...more] = named.flatMap(([scope, name]) =>
    name === undefined ? [] : [{ scope, name }],
  );
  if (first !== undefined && more.length === 0) return first;
  throw new CrossdockError('usage', 'name one connector, one --flow or one --operation');
}

export async function readPausable(): Promise<Pausable> {
  return pausableOf(await requireProject());
}
