import { CrossdockError } from '../model/errors.ts';
import { within } from '../model/within.ts';

/** As `within`; rejects with `lanes-unavailable`, whatever the backend's own error is. */
export async function withinDeadline<T>(
  promise: Promise<T>,
  deadlineMs: number,
  what: string,
): Promise<T> {
  const late = (): Error => new Error(`no answer in ${deadlineMs} ms`);
  try {
    return await within(promise, deadlineMs, late);
  } catch (error) {
    throw error instanceof CrossdockError ? error : unavailable(what, error);
  }
}

function unavailable(what: string, cause: unknown): CrossdockError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CrossdockError('lanes-unavailable', `${what}: ${reason}`, { cause });
}
