/**
 * The mapper: a few child processes, many evaluations under way, one hostile mapping at a time.
 *
 * ```
 *  map() ──▶ waiting ──▶ a normal child (several evaluations in its pipe) ──▶ answer
 *                            │ the one under way hangs or takes the child with it,
 *                            │ or its program is slow
 *                            ▼
 *            suspects ──▶ the suspect child (one evaluation at a time) ──▶ answer or failure
 * ```
 *
 * A child that is killed for taking too long, or that dies, fails nobody at once: the evaluation
 * under way is tried once more, alone, in the suspect child, since a short memory, a stray signal
 * or a starved machine may have been the reason. Failing there is final. What was queued behind it
 * goes to other children. Its program is suspect from then on, and stays in the suspect child until
 * `SUSPECT_GOOD_RUNS` in a row have succeeded quickly there, so that it never holds up the others.
 */

import { availableParallelism } from 'node:os';
import type { CrossdockError } from '../model/errors.ts';
import type { Program } from '../model/flow-revision.ts';
import { type AnswerFrame, encodeEvaluation } from './frames.ts';
import type { Mapper, MappingAnswer, MappingInput } from './mapper.ts';
import { type ChildEnd, type MappingChild, startMappingChild, type Task } from './mapping-child.ts';
import { isOverdue, TICK_MS } from './overdue.ts';
import { closing, crashed, overloaded, timedOut, toAnswer } from './pool-answers.ts';
import { createProgramRecords, noteRun, type ProgramRecord, suspect } from './program-records.ts';

export interface ChildPoolOptions {
  /** Normal children. @default one less than the machine has processors, at least 2 (1 on one) */
  readonly children?: number;
  /** Wall-clock limit of one evaluation, in milliseconds. @default 1,500 */
  readonly evaluationMaxMs?: number;
  /** Evaluations without an answer; more are refused with `overloaded`. @default 1,000 */
  readonly openMax?: number;
  /** Bytes of the bodies of those. @default 32 MiB */
  readonly openBytesMax?: number;
  /** Called with each answer: milliseconds from `map` to it, and its kind or failure code. */
  readonly onEvaluation?: (ms: number, kind: string) => void;
}

export interface MapperStats {
  readonly children: readonly { pid: number | undefined; unanswered: number; suspect: boolean }[];
  readonly waiting: number;
  readonly suspectsWaiting: number;
  readonly openBytes: number;
  readonly answered: number;
  /** Children ended for an evaluation over its time. */
  readonly killed: number;
  /** Children that ended by themselves. */
  readonly crashed: number;
}

export interface ChildPoolMapper extends Mapper {
  stats(): MapperStats;
}

/** Bytes of one body. */
export const BODY_BYTES_MAX = 10 * 1_048_576;
/** Work in a child's pipe: enough that it never waits for the hub's event loop. */
const PIPELINE_MS = 12;
const PIPELINE_TASKS_MAX = 32;
/** Evaluations waiting for the suspect child. */
const SUSPECTS_MAX = 200;
/** A child gets this long to start, in milliseconds. */
const START_MAX_MS = 15_000;
const RESTART_FIRST_MS = 100;
const RESTART_MAX_MS = 5_000;
/** Starts that fail in a row until what waits is told. */
const START_FAILURES_MAX = 3;

interface Open extends Task {
  readonly record: ProgramRecord;
  readonly startedMs: number;
  readonly resolve: (answer: MappingAnswer) => void;
  readonly reject: (error: CrossdockError) => void;
}

type Child = MappingChild<Open>;

export function createChildPoolMapper(options: ChildPoolOptions = {}): ChildPoolMapper {
  return new ChildPool(options);
}

class ChildPool implements ChildPoolMapper {
  readonly #options: ChildPoolOptions;
  readonly #records = createProgramRecords();
  readonly #normal = new Set<Child>();
  readonly #killedFor = new Map<Child, Open | undefined>();
  readonly #startedMs = new Map<Child, number>();
  readonly #waiting: Open[] = [];
  readonly #suspects: Open[] = [];
  readonly #restarts = new Set<NodeJS.Timeout>();
  #suspectChild: Child | undefined;
  #tick: NodeJS.Timeout | undefined;
  #tickedMs = 0;
  #isPumping = false;
  #startFailures = 0;
  #open = 0;
  #openBytes = 0;
  #counters = { answered: 0, killed: 0, crashed: 0 };
  #closing: { readonly promise: Promise<void>; readonly done: () => void } | undefined;

  constructor(options: ChildPoolOptions) {
    this.#options = options;
    const processors = availableParallelism();
    const count = options.children ?? (processors === 1 ? 1 : Math.max(2, processors - 1));
    for (let index = 0; index < count; index++) this.#normal.add(this.#start());
  }

  map(programId: string, program: Program, input: MappingInput): Promise<MappingAnswer> {
    if (this.#closing !== undefined) return Promise.reject(closing());
    const { body, sent, nowMs = Date.now() } = input;
    if (body.length > BODY_BYTES_MAX) {
      const message = `the body has ${body.length} bytes; a mapping takes ${BODY_BYTES_MAX}`;
      return Promise.resolve({ kind: 'failed', code: 'mapping-too-large', message });
    }
    const { openMax = 1_000, openBytesMax = 32 * 1_048_576 } = this.#options;
    if (this.#open >= openMax || this.#openBytes + body.length > openBytesMax) {
      return Promise.reject(overloaded('too many evaluations are waiting for a mapping process'));
    }
    const message = sent === undefined ? { body, nowMs } : { body, nowMs, sent };
    const head = encodeEvaluation(message, JSON.stringify(input.event));
    this.#open += 1;
    this.#openBytes += body.length;
    const record = this.#records.of(programId);
    const { expectedMs } = record;
    const startedMs = performance.now();
    return new Promise((resolve, reject) => {
      const rest = { record, expectedMs, startedMs, resolve, reject };
      this.#waiting.push({ programId, program, head, body, ...rest });
      this.#pumpSoon();
    });
  }

  stats(): MapperStats {
    const children = [...this.#startedMs.keys()].map((child) => ({
      pid: child.pid,
      unanswered: child.unanswered,
      suspect: child === this.#suspectChild,
    }));
    return {
      children,
      waiting: this.#waiting.length,
      suspectsWaiting: this.#suspects.length,
      openBytes: this.#openBytes,
      ...this.#counters,
    };
  }

  close(): Promise<void> {
    if (this.#closing !== undefined) return this.#closing.promise;
    let done: () => void = () => undefined;
    const promise = new Promise<void>((resolve) => {
      done = resolve;
    });
    this.#closing = { promise, done };
    clearInterval(this.#tick);
    for (const timer of this.#restarts) clearTimeout(timer);
    this.#refuseWaiting(closing());
    for (const child of this.#startedMs.keys()) child.kill();
    if (this.#startedMs.size === 0) done();
    return promise;
  }

  ready(): void {
    this.#startFailures = 0;
    this.#pumpSoon();
  }

  answered(_child: Child, task: Open, answer: AnswerFrame): void {
    const result = toAnswer(answer, task.body);
    const isTimedOut = result.kind === 'failed' && result.code === 'mapping-timed-out';
    noteRun(task.record, answer.cpuMs, isTimedOut);
    this.#settle(task, result);
    this.#pumpSoon();
  }

  ended(child: Child, { unanswered, wasReady, reason }: ChildEnd<Open>): void {
    const isSuspectChild = child === this.#suspectChild;
    if (isSuspectChild) this.#suspectChild = undefined;
    this.#startedMs.delete(child);
    this.#normal.delete(child);
    if (this.#closing !== undefined) {
      for (const task of unanswered) this.#refuse(task, closing());
      if (this.#startedMs.size === 0) this.#closing.done();
      return;
    }
    this.#passOn(child, unanswered, isSuspectChild);
    this.#restart(isSuspectChild, wasReady ? undefined : reason);
    this.#pumpSoon();
  }

  #passOn(child: Child, unanswered: readonly Open[], isSuspectChild: boolean): void {
    const killedFor = this.#killedFor.get(child);
    const wasKilled = this.#killedFor.delete(child);
    if (!wasKilled) this.#counters.crashed += 1;
    const [current, ...behind] = unanswered;
    this.#waiting.unshift(...behind);
    if (current === undefined) return;
    // Where the answer came before the kill did, nobody is to blame.
    if (wasKilled && killedFor !== current) this.#waiting.unshift(current);
    else if (!isSuspectChild) this.#tryAlone(current);
    else
      this.#settle(
        current,
        wasKilled ? timedOut(current.program, this.#maxMs) : crashed(current.program),
      );
  }

  get #maxMs(): number {
    return this.#options.evaluationMaxMs ?? 1_500;
  }

  #start(): Child {
    const child: Child = startMappingChild<Open>(this);
    this.#startedMs.set(child, performance.now());
    this.#watch();
    return child;
  }

  #restart(isSuspectChild: boolean, failure: string | undefined): void {
    let waitMs = 0;
    if (failure !== undefined) {
      this.#startFailures += 1;
      waitMs = Math.min(RESTART_FIRST_MS * 2 ** this.#startFailures, RESTART_MAX_MS);
      const isAnyReady = [...this.#normal].some((child) => child.isReady);
      if (this.#startFailures >= START_FAILURES_MAX && !isAnyReady) {
        this.#refuseWaiting(overloaded(`the mapping processes do not start: ${failure}`));
      }
    }
    if (isSuspectChild) return;
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      this.#normal.add(this.#start());
    }, waitMs);
    this.#restarts.add(timer);
  }

  // After the poll phase: everything that came in together goes out together.
  #pumpSoon(): void {
    if (this.#isPumping || this.#closing !== undefined) return;
    this.#isPumping = true;
    setImmediate(() => {
      this.#isPumping = false;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#closing !== undefined) return;
    let taken = 0;
    for (const task of this.#waiting) {
      const child = task.record.isSuspect ? undefined : this.#lightest(task.expectedMs);
      if (task.record.isSuspect) this.#tryAlone(task);
      else if (child === undefined) break;
      else child.add(task);
      taken += 1;
    }
    this.#waiting.splice(0, taken);
    this.#pumpSuspects();
    for (const child of this.#startedMs.keys()) child.flush();
    if (this.#open > 0) this.#watch();
  }

  #pumpSuspects(): void {
    if (this.#suspects.length === 0) return;
    this.#suspectChild ??= this.#start();
    const child = this.#suspectChild;
    if (!child.isReady || child.unanswered > 0) return;
    const task = this.#suspects.shift();
    if (task !== undefined) child.add(task);
  }

  #lightest(expectedMs: number): Child | undefined {
    let best: Child | undefined;
    let bestMs = Number.POSITIVE_INFINITY;
    for (const child of this.#normal) {
      if (!child.isReady || child.unanswered >= PIPELINE_TASKS_MAX) continue;
      const loadMs = child.loadMs;
      const fits = child.unanswered === 0 || loadMs + expectedMs <= PIPELINE_MS;
      if (fits && loadMs < bestMs) {
        best = child;
        bestMs = loadMs;
      }
    }
    return best;
  }

  #tryAlone(task: Open): void {
    if (!task.record.isSuspect) suspect(task.record);
    if (this.#suspects.length < SUSPECTS_MAX) this.#suspects.push(task);
    else this.#refuse(task, overloaded('too many evaluations of slow or failing mappings wait'));
  }

  #watch(): void {
    if (this.#tick !== undefined || this.#closing !== undefined) return;
    this.#tickedMs = performance.now();
    this.#tick = setInterval(() => this.#look(), TICK_MS);
    this.#tick.unref();
  }

  #look(): void {
    const now = performance.now();
    // While this process itself stood still, no child is to blame.
    const lateMs = now - this.#tickedMs - TICK_MS;
    this.#tickedMs = now;
    let isIdle = this.#open === 0;
    for (const [child, startedMs] of this.#startedMs) {
      if (lateMs > TICK_MS) child.currentSinceMs += lateMs;
      const { current } = child;
      if (!child.isReady) {
        isIdle = false;
        if (now - startedMs > START_MAX_MS) this.#kill(child, undefined);
      } else if (current !== undefined && isOverdue(child, now, this.#maxMs)) {
        // Its answer may have arrived and just not been read.
        setImmediate(() => {
          if (child.isReady && child.current === current) this.#kill(child, current);
        });
      }
    }
    if (!isIdle) return;
    clearInterval(this.#tick);
    this.#tick = undefined;
  }

  #kill(child: Child, task: Open | undefined): void {
    if (this.#killedFor.has(child)) return;
    this.#counters.killed += 1;
    this.#killedFor.set(child, task);
    child.kill();
  }

  #settle(task: Open, answer: MappingAnswer): void {
    this.#release(task);
    this.#counters.answered += 1;
    const kind = answer.kind === 'failed' ? answer.code : answer.kind;
    this.#options.onEvaluation?.(performance.now() - task.startedMs, kind);
    task.resolve(answer);
  }

  #refuse(task: Open, error: CrossdockError): void {
    this.#release(task);
    task.reject(error);
  }

  #refuseWaiting(error: CrossdockError): void {
    for (const task of [...this.#waiting.splice(0), ...this.#suspects.splice(0)]) {
      this.#refuse(task, error);
    }
  }

  #release(task: Open): void {
    this.#open -= 1;
    this.#openBytes -= task.body.length;
  }
}
