import type { Command } from 'commander';
import { requirePausable } from '../delivery/pausable.ts';
import { defineCommand, ending } from './command.ts';
import { readPausable, type TargetOptions, targetOf, withTarget } from './pause.ts';
import { print, printJson } from './terminal.ts';
import { withOperations } from './with-operations.ts';

export function addResume(program: Command): void {
  const command = defineCommand(program, {
    usage: 'resume',
    summary: 'Let a paused connector, flow or operation go on.',
    details:
      'Everything that waited goes out, the oldest first, within the limits of its connector.\n' +
      'A connector is also tried at once where the hub itself holds its lane.',
    examples: ['resume erp', 'resume --flow order-to-erp'],
  });
  withTarget(command).action(ending(resume));
}

async function resume(connector: string | undefined, options: TargetOptions): Promise<undefined> {
  const target = targetOf(connector, options);
  const changed = await withOperations(({ controls }) => controls.resume(target, 'cli'));
  // What no file has any more can still be resumed.
  if (!changed) requirePausable(target, await readPausable());
  if (options.json) printJson({ ...target, paused: false, changed });
  else print(`${target.scope} ${target.name} ${changed ? 'goes on' : 'was not held'}`);
}
