import type { Command } from 'commander';
import type { Operations } from '../hub.ts';
import type { DeliveryView } from '../journal/journal.ts';
import { CrossdockError } from '../model/errors.ts';
import { type CommonOptions, defineCommand, ending } from './command.ts';
import { deliveryTable } from './describe.ts';
import { countOf, print, printJson } from './terminal.ts';
import { requireId, withOperations } from './with-operations.ts';

const DELIVERIES_MAX = 500;

interface ReplayOptions extends CommonOptions {
  readonly dryRun?: boolean;
}

/** What a replay will do again. */
interface Plan {
  readonly of: 'event' | 'delivery';
  readonly deliveries: readonly DeliveryView[];
}

export function addReplay(program: Command): void {
  defineCommand(program, {
    usage: 'replay',
    summary: 'Deliver an old event again: all of its flows, or one delivery.',
    details:
      'New deliveries are made, with the flow revision and the idempotency key of the old ones.',
    examples: [
      'replay 0199c0de-0000-7000-8000-000000000001 --dry-run',
      'replay 0199c0de-0000-7000-8000-000000000002',
    ],
  })
    .argument('<id>', 'the id of an event or of a delivery')
    .option('--dry-run', 'only show what would be delivered again')
    .action(ending(replay));
}

async function replay(text: string, options: ReplayOptions): Promise<undefined> {
  const id = requireId(text);
  await withOperations(async (operations) => {
    const plan = await planReplay(operations, id);
    const ids = options.dryRun ? [] : await carryOut(operations, id, plan);
    if (options.json) {
      printJson({ of: plan.of, dryRun: options.dryRun === true, plan: plan.deliveries, made: ids });
      return;
    }
    for (const line of deliveryTable(plan.deliveries)) print(line);
    print();
    const count = countOf(plan.deliveries.length, 'delivery', 'deliveries');
    if (options.dryRun) print(`${count} would be made again; nothing was done`);
    else for (const made of ids) print(`made ${made}`);
  });
}

async function planReplay({ journal }: Operations, id: string): Promise<Plan> {
  const delivery = await journal.getDelivery(id);
  if (delivery !== undefined) return { of: 'delivery', deliveries: [delivery] };
  const all = await journal.listDeliveries({ eventId: id, limit: DELIVERIES_MAX });
  const deliveries = all.filter(({ replayOf }) => replayOf === undefined);
  if (deliveries.length > 0) return { of: 'event', deliveries };
  const event = await journal.getEvent(id);
  const what = event === undefined ? 'there is no event and no delivery' : 'no delivery of event';
  throw new CrossdockError('not-found', `${what} ${id}`);
}

function carryOut({ controls }: Operations, id: string, { of }: Plan): Promise<readonly string[]> {
  return of === 'event' ? controls.replayEvent(id, 'cli') : controls.replayDelivery(id, 'cli');
}
