import type { Problem } from '../model/problem.ts';
import type { ProblemCode } from './problem-codes.ts';

/** Keys and indexes from the root of a file to a value in it. */
export type Path = readonly (string | number)[];

/** 1-based. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A mistake that knows its path in the file but not yet its line. */
export interface Fault {
  readonly path: Path;
  /** Whether it stands at the key or at the value. @default 'value' */
  readonly target?: 'key' | 'value';
  /** @default 'error' */
  readonly severity?: Problem['severity'];
  /** A `ProblemCode`, or a code of a kind's own. */
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** Whether something is wrong with the value at `path` itself or with a part of it. */
export function isFaulty(faults: readonly Fault[], path: Path): boolean {
  return faults.some((one) => path.every((step, index) => one.path[index] === step));
}

/** A fault with a code of this room. */
export function fault(
  path: Path,
  code: ProblemCode,
  rest: Pick<Fault, 'message' | 'hint' | 'severity' | 'target'>,
): Fault {
  return { path, code, ...rest };
}

/** The problem that `fault` is at `position` of `file`. */
export function toProblem(
  file: string,
  position: Position,
  fault: Omit<Fault, 'path' | 'target'>,
): Problem {
  const { severity = 'error', code, message, hint } = fault;
  return { severity, file, ...position, code, message, ...(hint === undefined ? {} : { hint }) };
}

/** A problem with a code of this room that concerns a file as a whole. */
export function fileProblem(
  file: string,
  code: ProblemCode,
  rest: Pick<Fault, 'message' | 'hint' | 'severity'>,
): Problem {
  return toProblem(file, { line: 1, column: 1 }, { code, ...rest });
}
