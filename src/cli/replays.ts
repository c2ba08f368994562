import type { Command } from 'commander';
import type { Operations } from '../hub.ts';
import {
  REPLAY_STATE_DEFAULT,
  type ReplayableState,
  type ReplayQuery,
  type ReplayRevision,
  replayableStates,
  replayRevisions,
} from '../journal/replays-port.ts';
import { CrossdockError } from '../model/errors.ts';
import type { Rate } from '../model/units.ts';
import { type CommonOptions, defineCommand, ending, wholeNumber } from './command.ts';
import { planLines, progressLines, replayTable } from './describe-replay.ts';
import { readProjectNow, requireProjectNow } from './project-now.ts';
import { moment, oneOf, rate } from './replay-arguments.ts';
import { note, print, printJson } from './terminal.ts';
import { watchReplay } from './watch-replay.ts';
import { requireId, withOperations } from './with-operations.ts';

const LIMIT_MAX = 500;
const LIMIT_DEFAULT = 20;

const actions = ['list', 'plan', 'show', 'run', 'watch', 'cancel'] as const;

type Action = (typeof actions)[number];

type ReplaysOptions = CommonOptions &
  Omit<ReplayQuery, 'state'> & {
    readonly state: ReplayableState;
    readonly revision: ReplayRevision;
    readonly rate?: Rate;
    readonly reason?: string;
    readonly yes?: boolean;
    readonly limit: number;
  };

export function addReplays(program: Command): void {
  const command = defineCommand(program, {
    usage: 'replays',
    summary: 'Deliver many old events again: plan by a query, then run, watch, cancel.',
    details: [
      'A plan only counts and shows; a hub that delivers does the work, once it is run.',
      `Actions: ${actions.join(', ')}; the options choose what to plan.`,
    ].join('\n'),
    examples: [
      'replays plan --state dead --connector erp --since 2h --rate 50/s',
      'replays plan --problem 9f86d081884c --revision current --yes',
      'replays run 0199c0de-0000-7000-8000-000000000003',
      'replays watch 0199c0de-0000-7000-8000-000000000003',
    ],
  })
    .argument('[action]', 'what to do', oneOf(actions), 'list')
    .argument('[id]', 'the id of a plan, for show, run, watch and cancel');
  addQuery(command).action(ending(replays));
}

function addQuery(command: Command): Command {
  return command
    .option(
      '--state <state>',
      'deliveries in this state',
      oneOf(replayableStates),
      REPLAY_STATE_DEFAULT,
    )
    .option('--flow <flow>', 'only of this flow')
    .option('--connector <connector>', 'only to this connector')
    .option('--topic <topic>', 'only of events of this topic')
    .option('--source <connector>', 'only of events of this connector')
    .option('--since <time>', 'only of events that came in since then, such as 2h', moment)
    .option('--until <time>', 'only of events that came in before then', moment)
    .option('--code <code>', 'only with this code')
    .option('--text <text>', 'only with this text in the reason or in the body')
    .option('--problem <fingerprint>', 'only of this problem')
    .option('--shop <shop>', 'only of events of this shop')
    .option('--key <key>', 'only of the event with this dedupe key')
    .option(
      '--revision <which>',
      'by the flow and mapping of the day, or of today',
      oneOf(replayRevisions),
      'original',
    )
    .option('--rate <n/s>', 'deliveries made in a time, up to 1000/s (default: 20/s)', rate)
    .option('--reason <text>', 'why, for those who read it later')
    .option('--yes', 'run the plan at once')
    .option(
      '--limit <count>',
      `list at most this many, up to ${LIMIT_MAX}`,
      wholeNumber(LIMIT_MAX),
      LIMIT_DEFAULT,
    );
}

async function replays(
  action: Action,
  text: string | undefined,
  options: ReplaysOptions,
): Promise<undefined> {
  if (action === 'list') await withOperations((operations) => listReplays(operations, options));
  else if (action === 'plan') await withOperations((operations) => planReplay(operations, options));
  else {
    const id = requireReplay(action, text);
    await withOperations((operations) => handleOne(operations, { action, id }, options));
  }
}

function requireReplay(action: Action, text: string | undefined): string {
  if (text !== undefined) return requireId(text, 'a replay');
  const todo = 'crossdock replays lists them, and crossdock replays plan makes one.';
  throw new CrossdockError('usage', `${action} needs the id of a plan`, { todo });
}

async function listReplays(
  { replays }: Operations,
  { limit, json }: ReplaysOptions,
): Promise<void> {
  const found = await replays.list({ limit });
  if (json) printJson(found);
  else if (found.length === 0) print('no replays');
  else for (const line of replayTable(found)) print(line);
}

async function planReplay(operations: Operations, options: ReplaysOptions): Promise<void> {
  const { json, yes, revision, rate, reason, limit: _, ...query } = options;
  const now = revision === 'current' ? await requireProjectNow(operations) : await readProjectNow();
  const plan = await operations.replays.plan({
    query,
    revision,
    by: 'cli',
    ...given({ rate, reason, now }),
  });
  if ('nothing' in plan) {
    if (json) printJson(plan);
    else print(plan.nothing);
    return;
  }
  const { id } = plan.replay;
  const isRun = yes === true;
  if (json && !isRun) printJson(plan);
  if (!json) for (const line of planLines(plan)) print(line);
  if (isRun) await runReplay(operations, id, options);
  else if (!json) print(`\nnothing was done; crossdock replays run ${id} runs it`);
}

/** Without what is not there: an option that nobody gave. */
function given<T extends object>(options: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: NonNullable<T[K]> };
}

async function handleOne(
  operations: Operations,
  { action, id }: { readonly action: Exclude<Action, 'list' | 'plan'>; readonly id: string },
  options: CommonOptions,
): Promise<void> {
  const { replays } = operations;
  switch (action) {
    case 'show': {
      const [plan, progress] = [await replays.show(id), await replays.watch(id)];
      if (options.json) printJson({ ...plan, progress });
      else for (const line of [...planLines(plan), '', ...progressLines(progress)]) print(line);
      return;
    }
    case 'run':
      return runReplay(operations, id, options);
    case 'watch': {
      const progress = await watchReplay(replays, id, options.json === true);
      if (options.json) printJson(progress);
      return;
    }
    case 'cancel': {
      const replay = await replays.cancel(id, 'cli');
      if (options.json) printJson(await replays.watch(id));
      else for (const line of progressLines(await replays.watch(replay.id))) print(line);
    }
  }
}

/** A hub takes a run up within about two seconds. */
const TAKEN_UP_MS = 5_000;
const LOOK_EVERY_MS = 250;

async function runReplay(
  { replays }: Operations,
  id: string,
  { json }: CommonOptions,
): Promise<void> {
  await replays.run(id, 'cli');
  const endsMs = Date.now() + TAKEN_UP_MS;
  let progress = await replays.watch(id);
  while (isUntouched(progress.replay) && Date.now() < endsMs) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    progress = await replays.watch(id);
  }
  if (isUntouched(progress.replay)) {
    note('no hub that delivers has taken it up: nothing happens until one runs (crossdock start)');
  }
  if (json) {
    printJson(progress);
    return;
  }
  for (const line of progressLines(progress)) print(line);
  print(`\ncrossdock replays watch ${id} shows how it goes`);
}

function isUntouched(replay: { state: string; taken: number; waitingFor?: string }): boolean {
  return replay.state === 'running' && replay.taken === 0 && replay.waitingFor === undefined;
}
