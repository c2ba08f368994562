/**
 * A mistake in a file that a person wrote: a value, never an exception, so that all of them are
 * reported at once.
 */
export interface Problem {
  /** `error` makes `check` exit 1; `warning` is shown only. */
  readonly severity: 'error' | 'warning';
  /** Path relative to the project folder, with forward slashes. */
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
  /** A short stable word such as `unknown-field`; listed in docs/errors.md. */
  readonly code: string;
  readonly message: string;
  /** What to do about it, such as `did you mean "baseUrl"?`. */
  readonly hint?: string;
}

/** `file:line:column code message (hint)`, the form editors and CI logs link. */
export function formatProblem(problem: Problem): string {
  const hint = problem.hint === undefined ? '' : ` (${problem.hint})`;
  const { file, line, column, code, message } = problem;
  return `${file}:${line}:${column} ${code} ${message}${hint}`;
}
