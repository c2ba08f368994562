import type { Command } from 'commander';
import type { ReplayOptions } from '../delivery/controls.ts';
import { findReplayed } from '../delivery/replay-one.ts';
import type { Operations } from '../hub.ts';
import type { Replayed } from '../journal/journal.ts';
import { type ReplayRevision, replayRevisions } from '../journal/replays-port.ts';
import { CrossdockError } from '../model/errors.ts';
import { type CommonOptions, defineCommand, ending } from './command.ts';
import { readProjectNow, requireProjectNow } from './project-now.ts';
import { readGiven } from './read-given.ts';
import { oneOf } from './replay-arguments.ts';
import { formatTable } from './table.ts';
import { countOf, print, printJson } from './terminal.ts';
import { requireId, withOperations } from './with-operations.ts';

interface ReplayCommandOptions extends CommonOptions {
  readonly dryRun?: boolean;
  readonly revision: ReplayRevision;
  readonly body?: string;
}

/** What a replay will do again. */
interface Plan {
  readonly of: 'event' | 'delivery';
  readonly items: readonly Replayed[];
  readonly options: ReplayOptions;
}

export function addReplay(program: Command): void {
  defineCommand(program, {
    usage: 'replay',
    summary: 'Deliver an old event again: all of its flows, or one delivery.',
    details:
      'New deliveries are made, with the idempotency key of the old ones. Many: crossdock replays.',
    examples: [
      'replay 0199c0de-0000-7000-8000-000000000001 --dry-run',
      'replay 0199c0de-0000-7000-8000-000000000002',
      'replay 0199c0de-0000-7000-8000-000000000002 --revision current --body order.json',
    ],
  })
    .argument('<id>', 'the id of an event or of a delivery')
    .option('--dry-run', 'only show what would be delivered again')
    .option(
      '--revision <which>',
      'by the flow and mapping of the day, or of today',
      oneOf(replayRevisions),
      'original',
    )
    .option('--body <file>', "send this file's content in place of the event's body")
    .action(ending(replay));
}

async function replay(text: string, command: ReplayCommandOptions): Promise<undefined> {
  const id = requireId(text);
  const body = command.body === undefined ? undefined : await readGiven(command.body);
  await withOperations(async (operations) => {
    const options = await optionsOf(operations, command, body);
    const plan = await planReplay(operations, id, options);
    const ids = command.dryRun ? [] : await carryOut(operations, id, plan);
    if (command.json) {
      printJson({ of: plan.of, dryRun: command.dryRun === true, plan: plan.items, made: ids });
      return;
    }
    for (const line of planTable(plan.items)) print(line);
    print();
    const count = countOf(plan.items.length, 'delivery', 'deliveries');
    if (command.dryRun) print(`${count} would be made again; nothing was done`);
    else for (const made of ids) print(`made ${made}`);
  });
}

async function optionsOf(
  operations: Operations,
  { revision }: ReplayCommandOptions,
  body: Buffer | undefined,
): Promise<ReplayOptions> {
  const anew = revision === 'current';
  const now = anew ? await requireProjectNow(operations) : await readProjectNow();
  return {
    anew,
    ...(body === undefined ? {} : { body }),
    ...(now === undefined ? {} : { now }),
  };
}

async function planReplay(
  { journal }: Operations,
  id: string,
  options: ReplayOptions,
): Promise<Plan> {
  const delivery = await journal.getDelivery(id);
  if (delivery !== undefined) {
    const items = await findReplayed(journal, { deliveryId: id }, options);
    return { of: 'delivery', items, options };
  }
  if ((await journal.getEvent(id)) === undefined) {
    throw new CrossdockError('not-found', `there is no event and no delivery ${id}`);
  }
  return { of: 'event', items: await findReplayed(journal, { eventId: id }, options), options };
}

function carryOut(
  { controls }: Operations,
  id: string,
  { of, options }: Plan,
): Promise<readonly string[]> {
  return of === 'event'
    ? controls.replayEvent(id, 'cli', options)
    : controls.replayDelivery(id, 'cli', options);
}

function planTable(items: readonly Replayed[]): readonly string[] {
  return formatTable(
    ['REPEATS', 'EVENT', 'FLOW', 'TO', 'REVISION'],
    items.map(({ id, eventId, flow, connector, operation, revision }) => [
      id ?? 'nothing: new to this flow',
      eventId,
      flow,
      `${connector}.${operation}`,
      revision,
    ]),
  );
}
