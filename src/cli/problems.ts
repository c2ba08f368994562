import type { Command } from 'commander';
import type { Operations } from '../hub.ts';
import type { ProblemQuery, ProblemView } from '../journal/problems-port.ts';
import { CrossdockError } from '../model/errors.ts';
import {
  type ProblemState,
  problemStates,
  SHORT_FINGERPRINT_DIGITS,
} from '../model/problem-fingerprint.ts';
import { type CommonOptions, defineCommand, ending, wholeNumber } from './command.ts';
import { deliveryTable, shownTime } from './describe.ts';
import { oneOf } from './replay-arguments.ts';
import { type Cell, formatFields, formatTable, inOneLine } from './table.ts';
import { countOf, type Format, print, printJson } from './terminal.ts';
import { withOperations } from './with-operations.ts';

const LIMIT_MAX = 500;
const LIMIT_DEFAULT = 50;
/** Dead deliveries that one problem is shown with. */
const MEMBERS_SHOWN = 5;

const changes = {
  acknowledge: 'acknowledged',
  resolve: 'resolved',
  ignore: 'ignored',
  reopen: 'open',
} as const satisfies Readonly<Record<string, ProblemState>>;

const actions = ['list', 'show', ...(Object.keys(changes) as (keyof typeof changes)[])] as const;

type Action = (typeof actions)[number];

type ProblemsOptions = CommonOptions &
  Pick<ProblemQuery, 'state' | 'connector'> & { readonly limit: number };

export function addProblems(program: Command): void {
  defineCommand(program, {
    usage: 'problems',
    summary: 'List what deliveries die of; show one, or say what is to become of it.',
    details: [
      'Dead deliveries whose failures differ only in ids, numbers and values are one problem.',
      `Actions: ${actions.join(', ')}; all but list need a fingerprint, or its first 12 digits.`,
    ].join('\n'),
    examples: [
      'problems',
      'problems list --state open --connector erp',
      'problems show 9f86d081884c',
      'problems acknowledge 9f86d081884c',
    ],
  })
    .argument('[action]', 'what to do', oneOf(actions), 'list')
    .argument('[fingerprint]', 'which problem')
    .option('--state <state>', 'only problems in this state', oneOf(problemStates))
    .option('--connector <connector>', 'only problems of this connector')
    .option(
      '--limit <count>',
      `at most this many, up to ${LIMIT_MAX}`,
      wholeNumber(LIMIT_MAX),
      LIMIT_DEFAULT,
    )
    .action(ending(problems));
}

async function problems(
  action: Action,
  fingerprint: string | undefined,
  options: ProblemsOptions,
): Promise<undefined> {
  if (action === 'list') {
    await withOperations((operations) => listProblems(operations, options));
    return;
  }
  if (fingerprint === undefined) {
    const todo = `Write crossdock problems ${action} <fingerprint>; crossdock problems lists them.`;
    throw new CrossdockError('usage', `${action} needs the fingerprint of a problem`, { todo });
  }
  const id = fingerprint.trim().toLowerCase();
  await withOperations((operations) =>
    action === 'show'
      ? showProblem(operations, id, options)
      : changeProblem(operations, { fingerprint: id, state: changes[action] }, options),
  );
}

const noneFit = 'no problems fit these options';

async function listProblems(
  operations: Operations,
  { json, ...query }: ProblemsOptions,
): Promise<void> {
  const found = await operations.problems.list(query);
  if (json) printJson(found);
  else if (found.length === 0)
    print((query.state ?? query.connector) === undefined ? 'no problems' : noneFit);
  else for (const line of problemTable(found)) print(line);
}

async function showProblem(
  { problems, journal }: Operations,
  fingerprint: string,
  { json }: CommonOptions,
): Promise<void> {
  const problem = await problems.get(fingerprint);
  const dead = await journal.listDeliveries({
    problem: problem.fingerprint,
    state: 'dead',
    limit: MEMBERS_SHOWN,
  });
  if (json) {
    printJson({ ...problem, newest: dead });
    return;
  }
  for (const line of problemFields(problem)) print(line);
  if (dead.length === 0) return;
  print();
  for (const line of deliveryTable(dead)) print(line);
  print();
  const short = shortOf(problem);
  print(`crossdock replays plan --problem ${short}  plans to deliver all of them again`);
}

async function changeProblem(
  { problems }: Operations,
  change: { readonly fingerprint: string; readonly state: ProblemState },
  { json }: CommonOptions,
): Promise<void> {
  const problem = await problems.change({ ...change, by: 'cli' });
  if (json) {
    printJson(problem);
    return;
  }
  print(`problem ${shortOf(problem)} is ${problem.state}`);
  if (problem.state === 'resolved' && problem.dead > 0) {
    print(`${problem.dead} of its deliveries stay dead; the next death opens it anew`);
  }
}

const stateFormats: Readonly<Record<ProblemState, Format>> = {
  open: 'red',
  acknowledged: 'yellow',
  resolved: 'green',
  ignored: 'dim',
};

function stateOf({ state }: ProblemView): Cell {
  return { text: state, format: stateFormats[state] };
}

function shortOf({ fingerprint }: ProblemView): string {
  return fingerprint.slice(0, SHORT_FINGERPRINT_DIGITS);
}

function problemTable(found: readonly ProblemView[]): readonly string[] {
  return formatTable(
    ['PROBLEM', 'STATE', 'CONNECTOR', 'CLASS', 'DEAD', 'DEATHS', 'LAST', 'MESSAGE'],
    found.map((problem) => [
      shortOf(problem),
      stateOf(problem),
      problem.connector,
      problem.class,
      String(problem.dead),
      String(problem.count),
      shownTime(problem.lastAt),
      inOneLine(problem.message),
    ]),
  );
}

function problemFields(problem: ProblemView): readonly string[] {
  return formatFields([
    ['problem', problem.fingerprint],
    ['state', stateOf(problem)],
    ['changed', `${shownTime(problem.changedAt)} by ${problem.changedBy}`],
    ['connector', problem.connector],
    ['class', `${problem.class}, last by ${problem.code}`],
    ['message', problem.message],
    [
      'dead',
      `${countOf(problem.dead, 'delivery', 'deliveries')} now, ${countOf(problem.count, 'death')} all told`,
    ],
    ['first', shownTime(problem.firstAt)],
    ['last', `${shownTime(problem.lastAt)}, delivery ${problem.sampleDelivery}`],
    ['opened', shownTime(problem.openedAt)],
  ]);
}
