// What all commands have in common: how they are declared, and how they end.

import { type Command, InvalidArgumentError } from 'commander';
import { type ExitCode, exitCodes } from './exit-codes.ts';

export interface CommandTexts {
  /** Name and arguments, such as `map <mapping> <payload>`. */
  readonly usage: string;
  /** One sentence: what it does. */
  readonly summary: string;
  /** More about it, for its own help. */
  readonly details?: string;
  /** Command lines, without `crossdock`, that work as they stand. */
  readonly examples: readonly string[];
}

/** The options that every command has. */
export interface CommonOptions {
  readonly json?: boolean;
}

export function defineCommand(program: Command, texts: CommandTexts): Command {
  const examples = texts.examples
    .map((example) => `  $ ${/^[A-Z_]+=/.test(example) ? example : `crossdock ${example}`}`)
    .join('\n');
  return program
    .command(texts.usage)
    .summary(texts.summary)
    .description([texts.summary, texts.details].filter(Boolean).join('\n'))
    .option('--json', 'print JSON on stdout and nothing else there')
    .addHelpText('after', `\nExamples:\n${examples}`);
}

/** The exit status of the process is what `work` resolves with; 0 where it says nothing. */
export function ending<A extends unknown[]>(
  work: (...args: A) => Promise<ExitCode | undefined>,
): (...args: A) => Promise<void> {
  return async (...args) => {
    process.exitCode = (await work(...args)) ?? exitCodes.fine;
  };
}

/** A whole number from 1 to `max`, for `option(…)`. */
export function wholeNumber(max: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= 1 && number <= max) return number;
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${max}.`);
  };
}
