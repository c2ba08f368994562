// One call's limits: the total deadline, and the caller's abort, which counts only until the
// request was written. What is done about a stop (destroying a socket, leaving a queue) is the
// connector's.

/** Why a call was stopped before it had an answer. */
export type Stop = 'deadline' | 'aborted';

export interface CallGuard {
  /** Aborts when the call has to stop. */
  readonly signal: AbortSignal;
  readonly stop: Stop | undefined;
  /** Whether the request was handed to the outside world; from then on only the deadline stops it. */
  readonly written: boolean;
  markWritten(): void;
  /** Waits for `promise`, but not longer than the guard allows: then rejects with `CallStopped`. */
  wait<T>(promise: Promise<T>): Promise<T>;
  /** Ends the timer and the listening. Call it once the call has settled. */
  close(): void;
}

export class CallStopped extends Error {
  constructor() {
    super('the call was stopped');
    this.name = 'CallStopped';
  }
}

/** Starts the clock of one call; `abort` is the caller's signal and must not be aborted yet. */
export function guardCall(timeoutMs: number, abort: AbortSignal): CallGuard {
  const controller = new AbortController();
  let stop: Stop | undefined;
  let written = false;

  const end = (why: Stop) => {
    if (stop !== undefined) return;
    stop = why;
    controller.abort(new CallStopped());
  };
  const onAbort = () => end('aborted');
  const ignoreAbort = () => abort.removeEventListener('abort', onAbort);
  const timer = setTimeout(end, timeoutMs, 'deadline');
  abort.addEventListener('abort', onAbort, { once: true });

  return {
    signal: controller.signal,
    get stop() {
      return stop;
    },
    get written() {
      return written;
    },
    markWritten() {
      written = true;
      ignoreAbort();
    },
    wait: (promise) => waitUnless(promise, controller.signal),
    close() {
      clearTimeout(timer);
      ignoreAbort();
    },
  };
}

function waitUnless<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onStop = () => reject(signal.reason);
    if (signal.aborted) onStop();
    else signal.addEventListener('abort', onStop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onStop));
  });
}
