import { isUtf8 } from 'node:buffer';
import type { Command } from 'commander';
import { textOf } from '../content/decode-text.ts';
import { findFault } from '../content/to-json.ts';
import { adviseOn } from '../delivery/advise.ts';
import { asShown, findShutGates } from '../delivery/shown-state.ts';
import type { Operations } from '../hub.ts';
import type { ConflictView, EventQuery } from '../journal/journal.ts';
import { CrossdockError } from '../model/errors.ts';
import type { Event } from '../model/event.ts';
import { type CommonOptions, defineCommand, ending, wholeNumber } from './command.ts';
import { deliveryTable, eventTable, shownTime } from './describe.ts';
import { formatColumns, formatFields } from './table.ts';
import { print, printJson } from './terminal.ts';
import { requireId, withOperations } from './with-operations.ts';

const LIMIT_MAX = 500;
const LIMIT_DEFAULT = 50;

type EventsOptions = CommonOptions &
  Pick<EventQuery, 'source' | 'topic' | 'key'> & { readonly limit: number };

export function addEvents(program: Command): void {
  const command = defineCommand(program, {
    usage: 'events',
    summary: 'List the newest events; with an id, what became of that one.',
    examples: [
      'events --source shop --limit 10',
      'events --key 0199c0de-0000-4000-8000-000000000001',
      'events 0199c0de-0000-7000-8000-000000000001',
      'events show 0199c0de-0000-7000-8000-000000000001',
    ],
  })
    .argument('[id]', 'the id of an event')
    .option('--source <connector>', 'only events of this connector')
    .option('--topic <topic>', 'only events of this topic')
    .option(
      '--key <key>',
      "only the event with this dedupe key, the vendor's own id of the message",
    )
    .option(
      '--limit <count>',
      `at most this many, up to ${LIMIT_MAX}`,
      wholeNumber(LIMIT_MAX),
      LIMIT_DEFAULT,
    )
    .action(ending(events));
  defineCommand(command, {
    usage: 'show',
    summary: 'Show what became of one event, and what you can do about what does not go on.',
    examples: ['events show 0199c0de-0000-7000-8000-000000000001'],
  })
    .argument('<id>', 'the id of an event')
    .action(ending(show));
}

async function show(id: string, _own: unknown, command: Command): Promise<undefined> {
  const eventId = requireId(id);
  const options = command.optsWithGlobals<CommonOptions>();
  await withOperations((operations) => showEvent(operations, eventId, options));
}

async function events(id: string | undefined, options: EventsOptions): Promise<undefined> {
  const eventId = id === undefined ? undefined : requireId(id);
  await withOperations((operations) =>
    eventId === undefined
      ? listEvents(operations, options)
      : showEvent(operations, eventId, options),
  );
}

async function listEvents({ journal }: Operations, options: EventsOptions): Promise<void> {
  const { json, ...query } = options;
  const found = await journal.listEvents(query);
  if (json) printJson(found);
  else if (found.length === 0)
    print(isNarrowed(query) ? 'no events fit these options' : 'no events');
  else for (const line of eventTable(found)) print(line);
}

function isNarrowed({ source, topic, key }: EventQuery): boolean {
  return (source ?? topic ?? key) !== undefined;
}

async function showEvent(
  { journal }: Operations,
  id: string,
  { json }: CommonOptions,
): Promise<void> {
  const [event, found, paused, conflicts] = await Promise.all([
    journal.getEvent(id),
    journal.listDeliveries({ eventId: id, limit: LIMIT_MAX }),
    findShutGates(journal),
    journal.listConflicts(id),
  ]);
  const told = found.map((delivery) => {
    const shown = asShown(delivery, paused);
    return { ...shown, todo: adviseOn({ delivery, shown }) };
  });
  if (event === undefined) throw new CrossdockError('not-found', `there is no event ${id}`);
  const unreadable = event.unreadable ?? (await findFault(event.headers, event.body));
  if (json) {
    const { dedupeKey: key, ...rest } = event;
    const others = conflicts.map((one) => ({ ...one, ...bodyOf(one) }));
    printJson({ ...rest, unreadable, key, ...bodyOf(event), deliveries: told, conflicts: others });
    return;
  }
  for (const line of eventFields(event, unreadable)) print(line);
  for (const line of conflictLines(conflicts)) print(line);
  print();
  if (told.length === 0) {
    print('no deliveries: no flow listened to this topic when it came in');
    print(`what you can do: add a flow, then crossdock replay ${event.id} --revision current`);
    return;
  }
  for (const line of deliveryTable(told)) print(line);
  const needy = told.filter(({ state }) => state === 'held' || state === 'dead');
  if (needy.length === 0) return;
  print('\nwhat you can do:');
  const lines = needy.map(({ flow, state, todo }): readonly string[] => [
    `  ${flow}`,
    state,
    todo ?? '',
  ]);
  for (const line of formatColumns(lines)) print(line);
}

/** The body as text where it is text, so that JSON can carry it. */
function bodyOf({ headers, body }: Pick<Event, 'headers' | 'body'>): {
  readonly body: string;
  readonly bodyEncoding: string;
} {
  const decoded = isUtf8(body) ? body.toString() : textOf(headers, body);
  if (decoded === undefined) return { body: body.toString('base64'), bodyEncoding: 'base64' };
  return { body: decoded, bodyEncoding: 'utf8' };
}

function conflictLines(conflicts: readonly ConflictView[]): readonly string[] {
  return conflicts.map(({ receivedAt, bytes, sha256 }) => {
    const what = `${bytes} bytes, SHA-256 ${sha256}`;
    return `another body came under the same key at ${shownTime(receivedAt)}: ${what}`;
  });
}

function eventFields(event: Event, unreadable: string | undefined): readonly string[] {
  return formatFields([
    ['event', event.id],
    ['source', event.source],
    ['topic', event.topic],
    ['key', event.dedupeKey],
    ...(event.shop === undefined ? [] : ([['shop', event.shop]] as const)),
    ['received', shownTime(event.receivedAt)],
    ...(event.occurredAt === undefined
      ? []
      : ([['occurred', shownTime(event.occurredAt)]] as const)),
    ...(event.causeId === undefined ? [] : ([['emitted by', event.causeId]] as const)),
    ...(unreadable === undefined ? [] : ([['unreadable', unreadable]] as const)),
    ['body', `${event.body.length} bytes, SHA-256 ${event.sha256} (--json shows it)`],
  ]);
}
