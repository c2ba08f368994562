import type { Command } from 'commander';
import { readEnvironment } from '../config/environment.ts';
import { createRoutes } from '../definitions/routes.ts';
import type { Operations } from '../hub.ts';
import { createConfirmations } from '../intake/confirmations.ts';
import { createIntake } from '../intake/intake.ts';
import { createLiveReceivers } from '../intake/live-receivers.ts';
import { createPublishedKeys } from '../intake/published-keys.ts';
import { unnotedRefusals } from '../intake/refusals.ts';
import { createRelease, type Release, type ReleaseReport } from '../intake/release.ts';
import type {
  Quarantined,
  QuarantinedSummary,
  QuarantineQuery,
} from '../journal/quarantine-port.ts';
import { CrossdockError } from '../model/errors.ts';
import { silentMeter } from '../model/meter.ts';
import { type CommonOptions, defineCommand, ending, wholeNumber } from './command.ts';
import { shownTime } from './describe.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { requireProjectNow } from './project-now.ts';
import { moment, oneOf } from './replay-arguments.ts';
import { formatFields, formatTable } from './table.ts';
import { countOf, print, printJson } from './terminal.ts';
import { commandLog, requireId, withOperations } from './with-operations.ts';

const LIMIT_MAX = 500;
const LIMIT_DEFAULT = 50;
/** Of a body that is shown. */
const BODY_SHOWN_CHARS_MAX = 4_000;

const actions = ['list', 'show', 'release', 'drop'] as const;

type Action = (typeof actions)[number];

type QuarantineOptions = CommonOptions & {
  readonly connector?: string;
  readonly code?: string;
  readonly since?: string;
  readonly dryRun?: boolean;
  readonly limit: number;
};

export function addQuarantine(program: Command): void {
  defineCommand(program, {
    usage: 'quarantine',
    summary: 'List the requests that failed verification; look at one, let it in, or drop it.',
    details: [
      'A release verifies again with the secrets of today; what passes becomes an event.',
      `Actions: ${actions.join(', ')}; release and drop take an id, or --connector for all of one.`,
    ].join('\n'),
    examples: [
      'quarantine list --connector shop --since 2h',
      'quarantine show 0199c0de-0000-7000-8000-000000000003',
      'quarantine release --connector shop --dry-run',
      'quarantine drop --connector shop --code signature-missing',
    ],
  })
    .argument('[action]', 'what to do', oneOf(actions), 'list')
    .argument('[id]', 'which request')
    .option('--connector <connector>', 'only requests to this connector')
    .option('--code <code>', 'only requests refused with this code')
    .option('--since <time>', 'only requests received since then, such as 2h', moment)
    .option('--dry-run', 'with release: only say what would be let in')
    .option(
      '--limit <count>',
      `list at most this many, up to ${LIMIT_MAX}`,
      wholeNumber(LIMIT_MAX),
      LIMIT_DEFAULT,
    )
    .action(ending(quarantine));
}

async function quarantine(
  action: Action,
  text: string | undefined,
  options: QuarantineOptions,
): Promise<ExitCode | undefined> {
  if (action === 'list') return withOperations((operations) => list(operations, options));
  const id = text === undefined ? undefined : requireId(text, 'a request in the quarantine');
  if (id === undefined && (action === 'show' || options.connector === undefined)) {
    const todo = 'crossdock quarantine list shows the ids.';
    const needs = action === 'show' ? 'the id of a request' : 'an id, or --connector';
    throw new CrossdockError('usage', `${action} needs ${needs}`, { todo });
  }
  return withOperations((operations) => {
    if (action === 'show') return show(operations, id ?? '', options);
    return action === 'drop' ? drop(operations, id, options) : release(operations, id, options);
  });
}

function queryOf({ connector, code, since }: QuarantineOptions): QuarantineQuery {
  return {
    ...(connector === undefined ? {} : { source: connector }),
    ...(code === undefined ? {} : { code }),
    ...(since === undefined ? {} : { since }),
  };
}

async function list(
  { quarantine }: Operations,
  { json, limit, ...options }: QuarantineOptions,
): Promise<undefined> {
  const found = await quarantine.list({ ...queryOf({ ...options, limit }), limit });
  if (json) printJson(found);
  else if (found.length === 0) print('nothing is in the quarantine');
  else for (const line of quarantineTable(found)) print(line);
}

async function show(
  { quarantine }: Operations,
  id: string,
  { json }: CommonOptions,
): Promise<undefined> {
  const found = await quarantine.get(id);
  if (found === undefined) throw notThere(id);
  if (json) {
    printJson({ ...found, body: undefined, bodyBase64: found.body.toString('base64') });
    return;
  }
  for (const line of quarantinedFields(found)) print(line);
  print();
  const headers = Object.entries(found.headers).map(([name, value]) => [name, value] as const);
  for (const line of formatFields(headers)) print(line);
  print();
  const body = found.body.toString();
  print(body.slice(0, BODY_SHOWN_CHARS_MAX));
  if (body.length > BODY_SHOWN_CHARS_MAX) print('… (--json has all of it)');
}

async function drop(
  { quarantine }: Operations,
  id: string | undefined,
  options: QuarantineOptions,
): Promise<undefined> {
  const dropped =
    id === undefined ? await quarantine.drop(queryOf(options)) : await quarantine.dropOne(id);
  if (id !== undefined && dropped === 0) throw notThere(id);
  if (options.json) printJson({ dropped });
  else print(`${countOf(dropped, 'request')} dropped`);
}

async function release(
  operations: Operations,
  id: string | undefined,
  options: QuarantineOptions,
): Promise<ExitCode> {
  const release = await releaseOn(operations);
  const isTrial = options.dryRun === true;
  if (id !== undefined) {
    const released = await release.one(id, { isTrial });
    if (options.json) printJson(released);
    else print(sentenceOf(released));
    return released.outcome === 'refused' ? exitCodes.findings : exitCodes.fine;
  }
  const reports = await releaseAll(release, options);
  if (options.json) printJson(reports);
  else for (const line of reportLines(reports, isTrial)) print(line);
  return reports.some(({ refused }) => refused > 0) ? exitCodes.findings : exitCodes.fine;
}

async function releaseAll(
  release: Release,
  options: QuarantineOptions,
): Promise<readonly ReleaseReport[]> {
  const query = { ...queryOf(options), source: options.connector ?? '' };
  const reports: ReleaseReport[] = [];
  let after: string | undefined;
  do {
    const report = await release.many(query, { isTrial: options.dryRun === true, after });
    reports.push(report);
    after = report.next;
  } while (after !== undefined);
  return reports;
}

/** By the files as they are now: so a secret that was just mended counts. */
async function releaseOn(operations: Operations): Promise<Release> {
  const { journal, lanes, quarantine } = operations;
  const { definitions } = await requireProjectNow(operations);
  const log = commandLog(readEnvironment());
  const keys = createPublishedKeys({ meter: silentMeter, log });
  const receivers = createLiveReceivers(definitions.connectors, { keys });
  const intake = createIntake({
    ...{ receivers, journal, lanes, log },
    confirmations: createConfirmations({ log }),
    routes: createRoutes(definitions),
    meter: silentMeter,
    secrets: { matched: () => undefined },
    refusals: unnotedRefusals,
  });
  const receiveOf = (connector: string) => receivers.get(connector)?.receive;
  return createRelease({ quarantine, receiveOf, intake: () => intake });
}

function sentenceOf(released: Awaited<ReturnType<Release['one']>>): string {
  switch (released.outcome) {
    case 'released':
      if (released.eventIds.length === 0) return 'answered; it makes no event';
      return `let in as event ${released.eventIds.join(', ')}`;
    case 'was-released':
      return `it was let in before, as event ${released.eventIds.join(', ')}`;
    case 'passes':
      return 'it would be let in; nothing was done';
    case 'refused':
      return `still refused: ${released.code}: ${released.reason}`;
  }
}

function reportLines(reports: readonly ReleaseReport[], isTrial: boolean): readonly string[] {
  const sum = (of: (report: ReleaseReport) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  const passed = countOf(
    sum((report) => report.passed),
    'request',
  );
  const refused = sum((report) => report.refused);
  const reasons = reports.flatMap((report) => report.reasons);
  const counts = new Map<string, { readonly reason: string; readonly count: number }>();
  for (const { code, reason, count } of reasons) {
    const known = counts.get(code);
    counts.set(code, { reason: known?.reason ?? reason, count: count + (known?.count ?? 0) });
  }
  const does = isTrial ? 'would be let in' : 'let in';
  const rows = [...counts].map(([code, { reason, count }]) => [String(count), code, reason]);
  return [
    `${passed} ${does}, ${refused} still refused`,
    ...(rows.length === 0 ? [] : ['', ...formatTable(['COUNT', 'CODE', 'WHY'], rows)]),
    ...(isTrial ? ['', 'nothing was done'] : []),
  ];
}

function notThere(id: string): CrossdockError {
  return new CrossdockError('not-found', `there is no request ${id} in the quarantine`, {
    todo: 'crossdock quarantine list shows what there is.',
  });
}

function quarantineTable(found: readonly QuarantinedSummary[]): readonly string[] {
  return formatTable(
    ['REQUEST', 'RECEIVED', 'CONNECTOR', 'CODE', 'BYTES', 'FROM', 'WHY'],
    found.map(({ id, receivedAt, source, code, bytes, address, releasedAt, reason }) => [
      id,
      shownTime(receivedAt),
      source,
      releasedAt === undefined ? code : 'released',
      String(bytes),
      address ?? '',
      reason,
    ]),
  );
}

function quarantinedFields(found: Quarantined): readonly string[] {
  const { releasedAt, eventIds, hidden } = found;
  return formatFields([
    ['request', found.id],
    ['connector', found.source],
    ['received', shownTime(found.receivedAt)],
    ['from', found.address ?? 'an unknown address'],
    ['refused', found.code],
    ['why', found.reason],
    ['sent', `${found.method} ${found.target}`],
    ['body', `${found.bytes} bytes, sha256 ${found.sha256}`],
    ...(hidden.length === 0 ? [] : [['hidden', hidden.join(', ')] as const]),
    ...(releasedAt === undefined
      ? []
      : [['released', `${shownTime(releasedAt)} as event ${eventIds.join(', ')}`] as const]),
  ]);
}
