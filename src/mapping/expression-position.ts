// Where in an integrator's file a JSONata error or syntax node stands.

import type { Expression } from '../model/flow-revision.ts';

export interface Position {
  /** 1-based, in the expression's file. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
}

/** The place of the character at `offset` of `expression.source`. */
export function placeOf(expression: Expression, offset: number): Position {
  const before = expression.source.slice(0, Math.max(0, offset)).split('\n');
  const last = before.at(-1) ?? '';
  if (before.length === 1)
    return { line: expression.line, column: expression.column + last.length };
  return { line: expression.line + before.length - 1, column: last.length + 1 };
}

/**
 * The offset at which the token of an error starts. JSONata gives the offset after the token
 * (after the bracket, for a call); at run time it may be that of another call of the same
 * function, or of another expression, so that it counts only where the token really stands there.
 */
export function startOfToken(source: string, end: number | undefined, token: unknown): number {
  const text = typeof token === 'string' ? token : '';
  if (end !== undefined && end >= 0 && end <= source.length) {
    const found = tokenEndingAt(source, end, text);
    if (found !== undefined) return found;
  }
  const named = text === '' ? -1 : source.indexOf(`$${text}`);
  return named === -1 ? clamp(source, end) : named;
}

function tokenEndingAt(source: string, end: number, token: string): number | undefined {
  const before = source.slice(0, end);
  if (token !== '' && before.endsWith(token)) return end - token.length;
  // A call: the name before the bracket, whether it is the token or the function that led there.
  // Without a token: an operator.
  const found =
    /\$?[\p{L}\p{N}_.$]+\s{0,9}\($/u.exec(before.slice(-100)) ?? operator(before, token);
  return found === null ? undefined : end - found[0].length;
}

function operator(before: string, token: string): RegExpExecArray | null {
  return token === '' ? /(?:~>|\.\.|[:!<>]=|\?[?:])$/.exec(before) : null;
}

function clamp(source: string, end: number | undefined): number {
  return Math.min(Math.max(0, (end ?? 1) - 1), Math.max(0, source.length - 1));
}
