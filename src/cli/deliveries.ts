import { type Command, Option } from 'commander';
import { loadStory } from '../delivery/load-story.ts';
import { asShown, findShutGates } from '../delivery/shown-state.ts';
import type { Operations } from '../hub.ts';
import type { DeliveryQuery, DeliveryView, Journal } from '../journal/journal.ts';
import { deliveryStates } from '../model/delivery.ts';
import { CrossdockError } from '../model/errors.ts';
import { type CommonOptions, defineCommand, ending, wholeNumber } from './command.ts';
import {
  attemptTable,
  changeTable,
  deliveryFields,
  deliveryTable,
  storyLines,
} from './describe.ts';
import { print, printJson } from './terminal.ts';
import { requireId, withOperations } from './with-operations.ts';

const LIMIT_MAX = 500;
const LIMIT_DEFAULT = 50;

type DeliveriesOptions = CommonOptions &
  Pick<DeliveryQuery, 'flow' | 'connector' | 'state'> & { readonly limit: number };

export function addDeliveries(program: Command): void {
  const command = defineCommand(program, {
    usage: 'deliveries',
    summary: 'List the newest deliveries; with an id, that one with its attempts.',
    examples: [
      'deliveries --state dead',
      'deliveries --flow order-to-erp --limit 10',
      'deliveries 0199c0de-0000-7000-8000-000000000002',
      'deliveries show 0199c0de-0000-7000-8000-000000000002',
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
  defineCommand(command, {
    usage: 'show',
    summary: 'Tell the story of one delivery in plain words.',
    details: 'What happened, in the order of time; where it stands, and what you can do.',
    examples: ['deliveries show 0199c0de-0000-7000-8000-000000000002'],
  })
    .argument('<id>', 'the id of a delivery')
    .action(ending(show));
  defineCommand(command, {
    usage: 'retry',
    summary: 'Try a dead or cancelled delivery again, now.',
    details: 'The same delivery, with a fresh count of attempts. In an order it keeps its place.',
    examples: ['deliveries retry 0199c0de-0000-7000-8000-000000000002'],
  })
    .argument('<id>', 'the id of a delivery')
    .action(ending((id: string) => change(id, 'retry')));
  defineCommand(command, {
    usage: 'cancel',
    summary: 'Take a delivery that waits or is dead out of the way for good.',
    details: 'What waits behind it in an order goes on. A replay makes a new delivery of it.',
    examples: ['deliveries cancel 0199c0de-0000-7000-8000-000000000002'],
  })
    .argument('<id>', 'the id of a delivery')
    .action(ending((id: string) => change(id, 'cancel')));
}

const done = { retry: 'is tried again', cancel: 'is cancelled' } as const;

async function change(id: string, what: keyof typeof done): Promise<undefined> {
  const deliveryId = requireId(id);
  await withOperations(async ({ controls }) => {
    await controls[what](deliveryId, 'cli');
    print(`delivery ${deliveryId} ${done[what]}`);
  });
}

async function show(id: string, _own: unknown, command: Command): Promise<undefined> {
  const deliveryId = requireId(id);
  const { json } = command.optsWithGlobals<CommonOptions>();
  await withOperations(async ({ journal }) => {
    const found = await findDelivery(journal, deliveryId);
    const shut = await findShutGates(journal);
    const { shown, story, ...history } = await loadStory(journal, found, shut);
    if (json) printJson({ ...shown, history, story });
    else for (const line of storyLines(shown, story)) print(line);
  });
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
  else if (found.length === 0)
    print(isNarrowed(query) ? 'no deliveries fit these options' : 'no deliveries');
  else for (const line of deliveryTable(found)) print(line);
}

function isNarrowed({ flow, connector, state }: DeliveryQuery): boolean {
  return (flow ?? connector ?? state) !== undefined;
}

async function showDelivery(
  { journal }: Operations,
  id: string,
  { json }: CommonOptions,
): Promise<void> {
  const found = await findDelivery(journal, id);
  const paused = await findShutGates(journal);
  const { shown: delivery, attempts, changes, story } = await loadStory(journal, found, paused);
  if (json) {
    printJson({ ...delivery, history: { attempts, changes }, story });
    return;
  }
  const parts = [
    deliveryFields(delivery),
    ...(attempts.length === 0 ? [] : [['', ...attemptTable(attempts)]]),
    ...(changes.length === 0 ? [] : [['', ...changeTable(changes)]]),
  ];
  for (const line of parts.flat()) print(line);
}

async function findDelivery(journal: Journal, id: string): Promise<DeliveryView> {
  const found = await journal.getDelivery(id);
  if (found === undefined) throw new CrossdockError('not-found', `there is no delivery ${id}`);
  return found;
}
