import type { Command } from 'commander';
import { problemCodes } from '../definitions/problem-codes.ts';
import { deliveryStates } from '../model/delivery.ts';
import { errorExplanations } from '../model/error-explanations.ts';
import { CrossdockError, type ErrorCode } from '../model/errors.ts';
import type { OutcomeCode } from '../model/outcome.ts';
import { classRules, outcomeRules, ruleTexts } from '../model/outcome-rules.ts';
import { stateExplanations } from '../model/state-explanations.ts';
import { didYouMean } from '../model/suggest.ts';
import { type CommonOptions, defineCommand, ending } from './command.ts';
import { adviceFor } from './exit-codes.ts';
import { formatFields, formatTable } from './table.ts';
import { print, printJson } from './terminal.ts';

/** A code that people meet, and what is known of it. */
interface Explained {
  readonly code: string;
  readonly family: 'outcome' | 'state' | 'error' | 'problem';
  readonly title?: string;
  readonly meaning: string;
  readonly todo?: string;
  readonly class?: string;
  readonly rule?: string;
  readonly ruleMeaning?: string;
  readonly comesAgain?: string;
  /** With which status a command ends that meets it. */
  readonly exit?: number;
}

const families: Readonly<Record<Explained['family'], string>> = {
  outcome: 'an outcome of an attempt',
  state: 'a state of a delivery',
  error: 'an error of the hub',
  problem: 'a problem of a file',
};

export function addExplain(program: Command): void {
  defineCommand(program, {
    usage: 'explain',
    summary: 'Say what a code means and what to do about it; without one, list them all.',
    details:
      'Knows the outcomes of attempts, the states of deliveries, errors, and problems of files.',
    examples: ['explain rate-limited', 'explain held', 'explain'],
  })
    .argument('[code]', 'a code, such as the one of a dead delivery')
    .action(ending(explain));
}

async function explain(code: string | undefined, { json }: CommonOptions): Promise<undefined> {
  const all = explainable();
  if (code === undefined) return show(all, listOf(all), json);
  const found = all.filter((one) => one.code === code);
  if (found.length === 0) throw unknownCode(code, all);
  // A few words are codes of two families.
  show(found, found.flatMap(detailsOf), json);
}

function show(found: readonly Explained[], lines: readonly string[], json = false): undefined {
  if (json) printJson(found);
  else for (const line of lines) print(line);
}

function explainable(): readonly Explained[] {
  const outcomes = Object.keys(outcomeRules).map((code): Explained => {
    const { holdsOperation: _, ...entry } = outcomeRules[code as OutcomeCode];
    const rule = classRules[entry.class];
    return { code, family: 'outcome', ...entry, rule, ruleMeaning: ruleTexts[rule] };
  });
  const states = deliveryStates.map((code): Explained => {
    const { meaning, comesAgain } = stateExplanations[code];
    return { code, family: 'state', meaning, ...(comesAgain === '' ? {} : { comesAgain }) };
  });
  const errors = Object.entries(errorExplanations).map(
    ([code, entry]): Explained => ({
      code,
      family: 'error',
      ...entry,
      exit: adviceFor(code as ErrorCode).exit,
    }),
  );
  const problems = Object.entries(problemCodes).map(
    ([code, entry]): Explained => ({ code, family: 'problem', ...entry }),
  );
  return [...outcomes, ...states, ...errors, ...problems];
}

function listOf(all: readonly Explained[]): readonly string[] {
  return formatTable(
    ['CODE', 'WHAT', 'MEANING'],
    all.map(({ code, family, title, meaning }) => [code, family, title ?? inShort(meaning)]),
  );
}

function detailsOf(one: Explained): readonly string[] {
  const { class: ofClass, rule, ruleMeaning, comesAgain, exit } = one;
  const fields: [string, string | undefined][] = [
    [
      one.code,
      one.title === undefined ? families[one.family] : `${one.title} (${families[one.family]})`,
    ],
    ['meaning', one.meaning],
    ['class', ofClass],
    ['then', rule === undefined ? undefined : `${rule}: ${ruleMeaning}`],
    ['comes again', comesAgain],
    ['what to do', one.todo],
    ['exit status', exit?.toString()],
  ];
  return formatFields(
    fields.flatMap(([name, text]) =>
      text === undefined ? [] : [[name, plainText(text)] as const],
    ),
  );
}

/** Of a list's line. */
const SHORT_LENGTH_MAX = 80;

function inShort(text: string): string {
  const sentence = plainText(/^.*?[.:;](?= |$)/.exec(text)?.[0] ?? text).replace(/[.:;]$/, '');
  return sentence.length <= SHORT_LENGTH_MAX ? sentence : `${sentence.slice(0, SHORT_LENGTH_MAX)}…`;
}

/** Without the marks of the manual. */
function plainText(text: string): string {
  return text.replaceAll('`', '').replaceAll('*', '');
}

function unknownCode(code: string, all: readonly Explained[]): CrossdockError {
  const hint = didYouMean(
    code,
    all.map((one) => one.code),
  );
  const message = `there is no code "${code}"${hint === undefined ? '' : `; ${hint}`}`;
  const todo =
    'crossdock explain lists all; docs/errors.md has those of expressions and kinds too.';
  return new CrossdockError('usage', message, { todo });
}
