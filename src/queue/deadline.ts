import { CrossdockError } from '../model/errors.ts';

/** What `promise` comes to, or `lanes-unavailable` after `deadlineMs`; its late end is ignored. */
export async function withinDeadline<T>(
  promise: Promise<T>,
  deadlineMs: number,
  what: string,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new CrossdockError('lanes-unavailable', `${what}: no answer in ${deadlineMs} ms`));
    }, deadlineMs);
  });
  try {
    return await Promise.race([promise, late]);
  } catch (error) {
    throw error instanceof CrossdockError ? error : unavailable(what, error);
  } finally {
    clearTimeout(timer);
  }
}

function unavailable(what: string, cause: unknown): CrossdockError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CrossdockError('lanes-unavailable', `${what}: ${reason}`, { cause });
}
