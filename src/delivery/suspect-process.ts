// One process apart, as the hub sees it: a line of work in, a line with the verdict out. What the
// process does stands in src/suspect-child.ts.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { CrossdockError } from '../model/errors.ts';
import type { Event } from '../model/event.ts';
import type { Verdict, Work } from './attempt.ts';
import type { SuspectAnswer, SuspectLimits, SuspectsOptions } from './suspects.ts';

/** A line to the process. */
export type SuspectRequest = { readonly work: WorkText } | { readonly abort: true };

/** A line from it. */
export type SuspectReply =
  | { readonly ready: true }
  /** It has read the work: from here on its end is a strike. */
  | { readonly began: true }
  /** Again and again while it tries: it is slow perhaps, but not stuck. */
  | { readonly alive: true }
  | { readonly verdict: Verdict }
  | { readonly failed: string };

/** Work as JSON can carry it. */
export type WorkText = Omit<Work, 'event' | 'sendBeforeMs'> & {
  readonly event: Omit<Event, 'body' | 'receivedAt' | 'occurredAt'> & {
    /** Base64. */
    readonly body: string;
    readonly receivedAt: string;
    readonly occurredAt?: string;
  };
  /** From when the line is read. */
  readonly sendWithinMs?: number;
};

export interface SuspectProcess {
  /** `false` once it has ended, or was told to leave: nothing more is tried in it. */
  readonly isAlive: boolean;
  /** Rejects `overloaded` where the process ends, or takes too long, before it is ready. */
  readonly ready: Promise<void>;
  readonly gone: Promise<void>;
  attempt(work: Work, limits: SuspectLimits): Promise<SuspectAnswer>;
  /** Lets it end by itself. */
  end(): void;
}

/** It loads the project's files, as `crossdock check` does; nobody waits for it meanwhile. */
const START_MS_MAX = 60_000;
/** How long an attempt may go on where the hub leaves: less than the lanes give their work. */
const ABORT_MS_MAX = 6_000;
const END_MS_MAX = 1_000;
/** How often a process that tries something says that it is alive. */
export const ALIVE_EVERY_MS = 500;
/** One that has been silent for this long is stuck, also on a machine that is short of processors. */
const SILENT_MS_MAX = 5_000;
/** Characters of what a process says that does not start. */
const WORDS_MAX = 1_000;

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

interface Pending {
  replied(reply: SuspectReply): void;
  died(reason: string): void;
}

export function startSuspectProcess(
  options: Pick<SuspectsOptions, 'program' | 'environment'>,
): SuspectProcess {
  const child = spawn(process.execPath, [options.program], {
    env: { ...options.environment },
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
  });
  const words = lastWords(child);
  let isAlive = true;
  let pending: Pending | undefined;
  const gone = whenGone(child).then((reason) => {
    isAlive = false;
    pending?.died(reason);
  });
  // A line to a process that has just died; its end is told by `gone`.
  child.stdin.on('error', () => undefined);
  createInterface({ input: child.stdout }).on('line', (line) => {
    const reply = replyOf(line);
    if (reply !== undefined) pending?.replied(reply);
  });
  const ready = new Promise<void>((resolve, reject) => {
    const fail = (why: string): void => {
      const message = `the process for suspect deliveries does not start: ${why}${words()}`;
      reject(new CrossdockError('overloaded', message));
      child.kill('SIGKILL');
    };
    const timer = setTimeout(() => fail(`not ready after ${START_MS_MAX} ms`), START_MS_MAX);
    pending = {
      replied() {
        clearTimeout(timer);
        resolve();
      },
      died(reason) {
        clearTimeout(timer);
        fail(reason);
      },
    };
  });
  return {
    get isAlive() {
      return isAlive;
    },
    ready,
    gone,
    attempt: (work, limits) =>
      new Promise((resolve, reject) => {
        limits.signal.addEventListener('abort', () => {
          isAlive = false;
        });
        pending = attemptIn(child, limits, { resolve, reject });
        send(child, { work: textOf(work) });
      }),
    end() {
      child.stdin.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), END_MS_MAX);
      void gone.then(() => clearTimeout(timer));
    },
  };
}

/** One attempt under way: ended by its reply, by the end of its process, or by its limits. */
function attemptIn(
  child: Child,
  { signal, endsMs }: SuspectLimits,
  promise: { resolve(answer: SuspectAnswer): void; reject(error: unknown): void },
): Pending {
  let isSettled = false;
  let hasBegun = false;
  let heardMs = performance.now();
  let isWell = false;
  let killedFor: string | undefined;
  const kill = (why: string): void => {
    killedFor ??= why;
    child.kill('SIGKILL');
  };
  const timers: NodeJS.Timeout[] = [];
  const settle = (end: () => void): void => {
    if (isSettled) return;
    isSettled = true;
    timers.forEach(clearTimeout);
    signal.removeEventListener('abort', leave);
    end();
  };
  const overrun = (): void => {
    // Its reply may have come and just not been read.
    setImmediate(() => {
      if (isSettled) return;
      // Whoever still speaks began late, or waits: that is no fault of the delivery.
      isWell = performance.now() - heardMs < SILENT_MS_MAX;
      kill('it did not end before its lease did');
    });
  };
  function leave(): void {
    send(child, { abort: true });
    timers.push(setTimeout(() => kill('the hub was leaving'), ABORT_MS_MAX));
  }
  timers.push(setTimeout(overrun, Math.max(0, endsMs - performance.now())));
  signal.addEventListener('abort', leave);
  return {
    replied: (reply) => {
      heardMs = performance.now();
      if ('alive' in reply) return;
      if ('began' in reply) hasBegun = true;
      else if ('verdict' in reply) {
        settle(() => promise.resolve({ kind: 'verdict', verdict: reply.verdict }));
      } else {
        settle(() => promise.reject(signal.aborted ? signal.reason : failure(reply)));
      }
    },
    died: (reason) =>
      settle(() => {
        if (signal.aborted) promise.reject(signal.reason);
        else if (!hasBegun) promise.reject(failure({ failed: `it had ended with ${reason}` }));
        else if (isWell) promise.reject(failure({ failed: killedFor ?? reason }));
        else promise.resolve({ kind: 'died', how: killedFor ?? `it ended with ${reason}` });
      }),
  };
}

/** What a library prints there is none. */
function replyOf(line: string): SuspectReply | undefined {
  try {
    return JSON.parse(line) as SuspectReply;
  } catch {
    return undefined;
  }
}

function failure(reply: SuspectReply): CrossdockError {
  const why = 'failed' in reply ? reply.failed : 'an answer of no kind that is known';
  return new CrossdockError('overloaded', `in the process for suspect deliveries: ${why}`);
}

function send(child: Child, request: SuspectRequest): void {
  child.stdin.write(`${JSON.stringify(request)}\n`);
}

function textOf({ event, sendBeforeMs, ...work }: Work): WorkText {
  const { body, receivedAt, occurredAt, ...rest } = event;
  return {
    ...work,
    event: {
      ...rest,
      body: body.toString('base64'),
      receivedAt: receivedAt.toISOString(),
      ...(occurredAt === undefined ? {} : { occurredAt: occurredAt.toISOString() }),
    },
    ...(sendBeforeMs === undefined ? {} : { sendWithinMs: sendBeforeMs - performance.now() }),
  };
}

/** The work that a line carries, in the process that reads it. */
export function workOf({ event, sendWithinMs, ...work }: WorkText): Work {
  const { body, receivedAt, occurredAt, ...rest } = event;
  return {
    ...work,
    event: {
      ...rest,
      body: Buffer.from(body, 'base64'),
      receivedAt: new Date(receivedAt),
      ...(occurredAt === undefined ? {} : { occurredAt: new Date(occurredAt) }),
    },
    ...(sendWithinMs === undefined ? {} : { sendBeforeMs: performance.now() + sendWithinMs }),
  };
}

/** After `close` every line that was written has been read. A failed spawn only has `error`. */
function whenGone(child: Child): Promise<string> {
  return new Promise((resolve) => {
    child.once('close', (code, signal) => resolve(signal ?? `exit status ${code}`));
    child.once('error', (error) => {
      if (child.pid === undefined) resolve(error.message);
    });
  });
}

/** The last line that the process wrote where people read. */
function lastWords(child: Child): () => string {
  let words = '';
  child.stderr.on('data', (chunk: Buffer) => {
    words = (words + chunk.toString()).slice(-WORDS_MAX);
  });
  return () => {
    const line = words.trim().split('\n').at(-1) ?? '';
    return line === '' ? '' : `: ${line}`;
  };
}
