/**
 * One child process as the pool sees it: evaluations go in, answers come out in the same order.
 * It owns the process, its pipes, its program slots and the list of what is unanswered; what to do
 * with evaluations that a dead child leaves behind is the pool's decision.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import type { Program } from '../model/flow-revision.ts';
import { childArguments, childEnvironment } from './child-options.ts';
import { type AnswerFrame, createAnswerReader, encodeProgram, setSlot } from './frames.ts';

/** Programs that a child keeps compiled. */
const SLOTS_MAX = 500;

/** A body up to this is copied next to its frame, so that a burst of evaluations is one write. */
const COPY_BYTES_MAX = 65_536;

/** Bytes of a failing start's own words. */
const WORDS_MAX = 2_000;

/** What is to be evaluated. */
export interface Task {
  readonly programId: string;
  readonly program: Program;
  /** The frame without the body (`encodeEvaluation`). */
  readonly head: Buffer;
  readonly body: Buffer;
  /** What it will probably cost, in milliseconds. */
  expectedMs: number;
}

export interface ChildListener<T extends Task> {
  ready(child: MappingChild<T>): void;
  answered(child: MappingChild<T>, task: T, answer: AnswerFrame): void;
  /** Nothing more will come. */
  ended(child: MappingChild<T>, end: ChildEnd<T>): void;
}

export interface ChildEnd<T extends Task> {
  /** In order; the first was under way. */
  readonly unanswered: readonly T[];
  readonly wasReady: boolean;
  /** Exit code or signal; before it was ready, also what it said. */
  readonly reason: string;
}

export interface MappingChild<T extends Task> {
  readonly pid: number | undefined;
  readonly isReady: boolean;
  /** The oldest unanswered one: it is the one under way. */
  readonly current: T | undefined;
  readonly unanswered: number;
  /** What the unanswered ones will probably cost. */
  readonly loadMs: number;
  /** When the current one began, on `performance.now()`'s clock. */
  currentSinceMs: number;
  /** The processor time of the child when somebody first looked at the current one. */
  currentCpuMs: number | undefined;
  /** Queues for the next `flush`. */
  add(task: T): void;
  flush(): void;
  /** Ends the process at once. `ended` follows. */
  kill(): void;
}

export function startMappingChild<T extends Task>(listener: ChildListener<T>): MappingChild<T> {
  const spawned = spawnChild();
  const waiting: T[] = [];
  const slots = createSlots();
  let unsent: Buffer[] = [];
  let isReady = false;
  let isEnded = false;
  let words = '';

  const child: MappingChild<T> = {
    pid: spawned.pid,
    get isReady() {
      return isReady && !isEnded;
    },
    get current() {
      return waiting[0];
    },
    get unanswered() {
      return waiting.length;
    },
    get loadMs() {
      return waiting.reduce((sum, task) => sum + task.expectedMs, 0);
    },
    currentSinceMs: 0,
    currentCpuMs: undefined,
    add: (task) => {
      if (waiting.length === 0) begin();
      waiting.push(task);
      const { slot, isNew } = slots.take(task.programId);
      if (isNew) unsent.push(encodeProgram(slot, JSON.stringify(task.program)));
      setSlot(task.head, slot);
      unsent.push(task.head, task.body);
    },
    flush: () => {
      if (!isEnded) for (const chunk of joinSmall(unsent)) spawned.stdin?.write(chunk);
      unsent = [];
    },
    kill: () => {
      isEnded = true;
      spawned.kill('SIGKILL');
    },
  };

  function begin(): void {
    child.currentSinceMs = performance.now();
    child.currentCpuMs = undefined;
  }

  const take = (answer: AnswerFrame): void => {
    if (answer.kind === 'ready') {
      isReady = true;
      listener.ready(child);
      return;
    }
    const task = waiting.shift();
    begin();
    if (task !== undefined) listener.answered(child, task, answer);
  };
  spawned.stdout?.on('data', createAnswerReader(take));
  spawned.stderr?.on('data', (chunk: Buffer) => {
    if (!isReady && words.length < WORDS_MAX) words += chunk.toString('latin1');
  });
  // A write to a child that has just died; `close` reports the death.
  spawned.stdin?.on('error', ignore);
  whenGone(spawned, (reason) => {
    isEnded = true;
    const said = isReady ? '' : ` ${words.split('\n').find(isError) ?? ''}`;
    listener.ended(child, {
      unanswered: waiting.splice(0),
      wasReady: isReady,
      reason: `${reason}${said}`,
    });
  });
  return child;
}

function isError(line: string): boolean {
  return line.includes('Error');
}

function spawnChild(): ChildProcess {
  return spawn(process.execPath, childArguments(), {
    env: { ...childEnvironment },
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
  });
}

/** After `close` every answer that was written has been read. A failed spawn only has `error`. */
function whenGone(spawned: ChildProcess, gone: (reason: string) => void): void {
  let isGone = false;
  const once = (reason: string): void => {
    if (!isGone) gone(reason);
    isGone = true;
  };
  spawned.once('close', (code, signal) => once(signal ?? `exit code ${code}`));
  spawned.on('error', (error) => {
    if (spawned.pid === undefined) once(error.message);
  });
}

/** Which slot of the child holds which program; the least recently used one makes room. */
function createSlots() {
  const slots = new Map<string, number>();
  return {
    take: (programId: string): { slot: number; isNew: boolean } => {
      const known = slots.get(programId);
      slots.delete(programId);
      const slot = known ?? freeSlot(slots);
      slots.set(programId, slot);
      return { slot, isNew: known === undefined };
    },
  };
}

function freeSlot(slots: Map<string, number>): number {
  if (slots.size < SLOTS_MAX) return slots.size;
  const [oldest, slot] = slots.entries().next().value ?? ['', 0];
  slots.delete(oldest);
  return slot;
}

function* joinSmall(buffers: readonly Buffer[]): Generator<Buffer> {
  let small: Buffer[] = [];
  for (const buffer of buffers) {
    if (buffer.length <= COPY_BYTES_MAX) {
      small.push(buffer);
      continue;
    }
    if (small.length > 0) yield Buffer.concat(small);
    small = [];
    yield buffer;
  }
  if (small.length > 0) yield small.length === 1 && small[0] ? small[0] : Buffer.concat(small);
}

function ignore(): undefined {
  return undefined;
}
