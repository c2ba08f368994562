// Where the CLI writes. Answers go to stdout, everything else to stderr, so that a pipe gets the
// answer alone. Colours only where the stream is a terminal and NO_COLOR is not set.

import { styleText } from 'node:util';

export type Format = Parameters<typeof styleText>[0];

/** Before this much waiting nothing is said. */
const PROGRESS_AFTER_MS = 1_000;

/** One line of the answer. */
export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** The answer of a command under `--json`. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value));
}

/** One line for the person at the terminal, beside the answer. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

export function paint(
  format: Format,
  text: string,
  stream: NodeJS.WritableStream = process.stdout,
): string {
  return styleText(format, text, { stream });
}

/** `text` without what would steer a terminal: it may come from a stranger's message. */
export function plain(text: string): string {
  return text.replace(/\p{Cc}/gu, '\u{FFFD}');
}

/** `3 errors`, `1 error`. */
export function countOf(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Says on stderr what is being waited for, once it takes longer than a second. */
export async function withProgress<T>(what: string | (() => string), work: Promise<T>): Promise<T> {
  const saying = () => (typeof what === 'string' ? what : what());
  const startedMs = Date.now();
  const isTerminal = process.stderr.isTTY === true;
  let shown = false;
  const show = () => {
    const text = `${saying()} … ${Math.round((Date.now() - startedMs) / 1_000)} s`;
    if (isTerminal) process.stderr.write(`\r${paint('dim', text, process.stderr)}`);
    else if (!shown) note(`${saying()} …`);
    shown = true;
  };
  const timer = setInterval(show, PROGRESS_AFTER_MS);
  try {
    return await work;
  } finally {
    clearInterval(timer);
    if (shown && isTerminal) process.stderr.write('\r\u001b[K');
  }
}
