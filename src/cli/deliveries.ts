import { type Command, Option } from 'commander';
import { asShown, findShutGates } from '../delivery/shown-state.ts';
import type { Operations } from '../hub.ts';
import type { DeliveryQuery } from '../journal/journal.ts';
import { deliveryStates } from '../model/delivery.ts';
import { CrossdockError } from '../model/errors.ts';
import { type CommonOptions, defineCommand, ending, wholeNumber } from './command.ts';
import { attemptTable, changeTable, deliveryFields, deliveryTable } from './describe.ts';
import { print, printJson } from './terminal.ts';
import { requireId, withOperations } from './with-operations.ts';

const LIMIT_MAX = 500;
const LIMIT_DEFAULT = 50;

type DeliveriesOptions = CommonOptions &
  Pick<DeliveryQuery, 'flow' | 'connector' | 'state'> & { readonly limit: number };

export function addDeliveries(program: Command): void {
  defineCommand(program, {
    usage: 'deliveries',
    summary: 'List the newest deliveries; with an id, that one with its attempts.',
    examples: [
      'deliveries --state dead',
      'deliveries --flow order-to-erp --limit 10',
      'deliveries 0199c0de-0000-7000-8000-000000000002',
    ],
  })
    .argument('[id]', 'the id of a delivery')
    .option('--flow <flow>', 'only deliveries of this flow')
    .option('--connector <connector>', 'only deliveries to this connector')
    .addOption(
      new Option('--state <state>', 'only deliveries in this state').choices(deliveryStates),
    )
    .option(
      '--limit <count>',
      `at most this many, up to ${LIMIT_MAX}`,
      wholeNumber(LIMIT_MAX),
      LIMIT_DEFAULT,
    )
    .action(ending(deliveries));
}

async function deliveries(id: string | undefined, options: DeliveriesOptions): Promise<undefined> {
  const deliveryId = id === undefined ? undefined : requireId(id);
  await withOperations((operations) =>
    deliveryId === undefined
      ? listDeliveries(operations, options)
      : showDelivery(operations, deliveryId, options),
  );
}

async function listDeliveries({ journal }: Operations, options: DeliveriesOptions): Promise<void> {
  const { json, ...query } = options;
  const paused = await findShutGates(journal);
  const found = (await journal.listDeliveries(query)).map((one) => asShown(one, paused));
  if (json) printJson(found);
  else if (found.length === 0) print('no deliveries');
  else for (const line of deliveryTable(found)) print(line);
}

async function showDelivery(
  { journal }: Operations,
  id: string,
  { json }: CommonOptions,
): Promise<void> {
  const [found, attempts, changes, paused] = await Promise.all([
    journal.getDelivery(id),
    journal.listAttempts(id),
    journal.listChanges(id),
    findShutGates(journal),
  ]);
  if (found === undefined) throw new CrossdockError('not-found', `there is no delivery ${id}`);
  const delivery = asShown(found, paused);
  if (json) {
    printJson({ ...delivery, history: { attempts, changes } });
    return;
  }
  const parts = [
    deliveryFields(delivery),
    ...(attempts.length === 0 ? [] : [['', ...attemptTable(attempts)]]),
    ...(changes.length === 0 ? [] : [['', ...changeTable(changes)]]),
  ];
  for (const line of parts.flat()) print(line);
}
