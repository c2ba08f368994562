/**
 * The entry of a mapping child. It reads frames from its standard input and writes answers to its
 * standard output, both synchronously: the process has one thing to do at a time, and an answer is
 * out before the next evaluation begins, so that the parent knows which one is under way. It ends
 * when the parent closes the pipe, also by dying.
 */

import { readSync, writeSync } from 'node:fs';
import { createCpuClock } from './cpu-clock.ts';
import { decodeRequest, encodeAnswer } from './frames.ts';
import { type CompiledProgram, createProgramRunner } from './program-runner.ts';

const STDIN = 0;
const STDOUT = 1;
const LENGTH_BYTES = 4;
const BUFFER_BYTES = 262_144;

/** A signal to the whole process group (Ctrl-C, systemd) is the parent's business. */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, ignore);

function ignore(): undefined {
  return undefined;
}

let buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
let start = 0;
let end = 0;

/** The next frame without its length, valid until the next call; `undefined` at the end. */
function readFrame(): Buffer | undefined {
  if (!fill(LENGTH_BYTES)) return undefined;
  const length = buffer.readUInt32LE(start);
  if (!fill(LENGTH_BYTES + length)) return undefined;
  const frame = buffer.subarray(start + LENGTH_BYTES, start + LENGTH_BYTES + length);
  start += LENGTH_BYTES + length;
  return frame;
}

function fill(bytes: number): boolean {
  if (end - start >= bytes) return true;
  makeRoom(bytes);
  while (end - start < bytes) {
    const count = readSome();
    if (count === 0) return false;
    end += count;
  }
  return true;
}

function makeRoom(bytes: number): void {
  const isOversized = buffer.length > BUFFER_BYTES && Math.max(bytes, end - start) <= BUFFER_BYTES;
  if (bytes > buffer.length || isOversized) {
    const next = Buffer.allocUnsafeSlow(Math.max(bytes, BUFFER_BYTES));
    buffer.copy(next, 0, start, end);
    buffer = next;
  } else {
    buffer.copyWithin(0, start, end);
  }
  end -= start;
  start = 0;
}

function readSome(): number {
  try {
    return readSync(STDIN, buffer, end, buffer.length - end, null);
  } catch {
    // Windows reports the end of a pipe as an error; after any other one there is nobody to ask.
    return 0;
  }
}

function write(frame: Buffer): void {
  for (let written = 0; written < frame.length; ) {
    written += writeSync(STDOUT, frame, written);
  }
}

async function serve(): Promise<void> {
  const runner = await createProgramRunner();
  const clock = createCpuClock();
  const programs: CompiledProgram[] = [];
  write(encodeAnswer({ kind: 'ready' }, 0));
  for (let frame = readFrame(); frame !== undefined; frame = readFrame()) {
    const request = decodeRequest(frame);
    if (request.kind === 'program') {
      programs[request.slot] = runner.compile(JSON.parse(request.json));
      continue;
    }
    clock.start();
    const answer = await programs[request.slot]?.run(request.input);
    if (answer === undefined) throw new Error(`no program in slot ${request.slot}`);
    write(encodeAnswer(answer, clock.elapsedMs()));
  }
}

await serve();
process.exit(0);
