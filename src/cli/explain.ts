import type { Command } from 'commander';
import { CrossdockError } from '../model/errors.ts';
import { HUB_SOURCE } from '../model/hub-events.ts';
import { didYouMean } from '../model/suggest.ts';
import { type CommonOptions, defineCommand, ending } from './command.ts';
import { type Explained, explainable, type Family, families } from './explainable.ts';
import { formatFields, formatTable } from './table.ts';
import { paint, print, printJson } from './terminal.ts';

export function addExplain(program: Command): void {
  defineCommand(program, {
    usage: 'explain',
    summary: 'Say what a code or a word means and what to do about it; without one, list them all.',
    details: [
      'Knows the states of deliveries and problems, what holds a lane, outcomes of attempts with',
      "their classes and rules, topics of the hub's own events, errors, and problems of files.",
    ].join('\n'),
    examples: ['explain rate-limited', 'explain held', 'explain breaker-open', 'explain'],
  })
    .argument('[code]', 'a code or a word, such as the code of a dead delivery')
    .action(ending(explain));
}

async function explain(text: string | undefined, { json }: CommonOptions): Promise<undefined> {
  const all = explainable();
  if (text === undefined) return show(all, listOf(all), json);
  const code = asListed(text);
  const found = all.filter((one) => one.code === code);
  if (found.length === 0) throw unknownCode(text, all);
  // A few words are of two families.
  const lines = found.flatMap((one, index) => [...(index === 0 ? [] : ['']), ...detailsOf(one)]);
  show(found, lines, json);
}

/** `crossdock.lane-opened` is how people and flows write the topic `lane-opened`. */
function asListed(text: string): string {
  const code = text.trim().toLowerCase();
  const prefix = `${HUB_SOURCE}.`;
  return code.startsWith(prefix) ? code.slice(prefix.length) : code;
}

function show(found: readonly Explained[], lines: readonly string[], json = false): undefined {
  if (json) printJson(found);
  else for (const line of lines) print(line);
}

function listOf(all: readonly Explained[]): readonly string[] {
  const width = Math.max(...all.map(({ code }) => code.length));
  return (Object.keys(families) as Family[]).flatMap((family, index) => [
    ...(index === 0 ? [] : ['']),
    paint('bold', families[family][1].toUpperCase()),
    ...formatTable(
      ['CODE'.padEnd(width), 'MEANING'],
      all
        .filter((one) => one.family === family)
        .map(({ code, title, meaning }) => [code, title ?? inShort(meaning)]),
    ),
  ]);
}

function detailsOf(one: Explained): readonly string[] {
  const { class: ofClass, rule, ruleMeaning, has, comesAgain, exit } = one;
  const [family] = families[one.family];
  const fields: [string, string | undefined][] = [
    [one.code, one.title === undefined ? family : `${one.title} (${family})`],
    ['meaning', one.meaning],
    ['class', ofClass],
    ['then', rule === undefined ? undefined : `${rule}: ${ruleMeaning}`],
    [one.family === 'rule' ? 'classes' : 'codes', has?.join(', ')],
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

/** What comes first of a text and says something: no colon in brackets ends it. */
const shortest = /^(?:\([^)]*\)|[^(]){12,}?[.:;](?= |$)/;

/** Of a list's line. */
const SHORT_LENGTH_MAX = 80;

function inShort(text: string): string {
  const sentence = plainText(shortest.exec(text)?.[0] ?? text).replace(/[.:;]$/, '');
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
  const message = `there is no code or word "${code}"${hint === undefined ? '' : `; ${hint}`}`;
  const todo =
    'crossdock explain lists all; docs/errors.md has those of expressions and kinds too.';
  return new CrossdockError('usage', message, { todo });
}
