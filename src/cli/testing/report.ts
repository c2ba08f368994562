// How the result of one case is shown to a person.

import { paint, plain } from '../terminal.ts';
import type { Difference } from './compare.ts';
import type { CaseResult } from './run-tests.ts';

/** Characters of one value that are shown; `--json` has the whole. */
const VALUE_TEXT_MAX = 400;
const NOTHING = '(nothing)';

export function reportCase(result: CaseResult): readonly string[] {
  const { file, line, differences, durationMs } = result;
  const name = plain(result.name);
  if (differences.length === 0) {
    return [`  ${paint('green', '✓')} ${name} ${paint('dim', `${durationMs} ms`)}`];
  }
  return [
    `  ${paint('red', '✗')} ${name} ${paint('dim', `${file}:${line}`)}`,
    ...differences.flatMap(reportDifference),
  ];
}

function reportDifference({ path, expected, received }: Difference): readonly string[] {
  return [
    `      ${path === '' ? '(the whole)' : plain(path)}`,
    `        ${paint('green', `expected  ${shown(expected)}`)}`,
    `        ${paint('red', `received  ${shown(received)}`)}`,
    ...pointer(expected, received),
  ];
}

function shown(text: string | undefined): string {
  if (text === undefined) return NOTHING;
  return text.length > VALUE_TEXT_MAX ? `${plain(text.slice(0, VALUE_TEXT_MAX))}…` : plain(text);
}

/** Marks where two long texts part, which the eye does not find by itself. */
function pointer(expected: string | undefined, received: string | undefined): readonly string[] {
  if (expected === undefined || received === undefined) return [];
  let at = 0;
  while (at < expected.length && expected[at] === received[at]) at += 1;
  return at < 12 || at >= VALUE_TEXT_MAX
    ? []
    : [`                  ${' '.repeat(at)}${paint('dim', '^ from here')}`];
}
