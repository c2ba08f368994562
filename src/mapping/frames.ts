/**
 * What goes between the hub and a mapping child: frames of bytes, so that a body is never encoded
 * again. Every frame starts with the length of the rest (4 bytes, little endian) and its kind.
 *
 *   program   kind 1 · slot u16 · the program as JSON
 *   evaluate  kind 2 · slot u16 · nowMs f64 · bytes of event u32 · bytes of sent u32 · event · sent · body
 *   answer    kind · microseconds of processor time u32 · text
 *
 * Answers come in the order of the evaluations, so that none carries an id.
 */

import type { MappingAnswer, MappingFailureCode } from './mapper.ts';
import type { RunAnswer, RunInput } from './program-runner.ts';

const LENGTH_BYTES = 4;
const PROGRAM_HEAD_BYTES = 3;
const EVALUATE_HEAD_BYTES = 19;
const ANSWER_HEAD_BYTES = 5;
const NO_SENT = 0xffffffff;

const PROGRAM = 1;
const EVALUATE = 2;

const answerKinds = ['ready', 'mapped', 'unchanged', 'filtered', 'failed'] as const;

export type AnswerFrame = {
  readonly kind: (typeof answerKinds)[number];
  readonly cpuMs: number;
  /** The output; or, where it failed, the code and the message with a line break between. */
  readonly text: string;
};

export type RequestFrame =
  | { readonly kind: 'program'; readonly slot: number; readonly json: string }
  | { readonly kind: 'evaluate'; readonly slot: number; readonly input: RunInput };

/** @param slot where the child keeps the program; a later program of the same slot replaces it. */
export function encodeProgram(slot: number, json: string): Buffer {
  const start = LENGTH_BYTES + PROGRAM_HEAD_BYTES;
  const frame = Buffer.allocUnsafe(start + Buffer.byteLength(json));
  frame.writeUInt32LE(frame.length - LENGTH_BYTES, 0);
  frame.writeUInt8(PROGRAM, 4);
  frame.writeUInt16LE(slot, 5);
  frame.write(json, start);
  return frame;
}

/** The frame without its body, which follows as it is. The slot is still missing. */
export function encodeEvaluation(input: Omit<RunInput, 'event'>, event: string): Buffer {
  const eventBytes = Buffer.byteLength(event);
  const sentBytes = input.sent === undefined ? 0 : Buffer.byteLength(input.sent);
  const start = LENGTH_BYTES + EVALUATE_HEAD_BYTES;
  const head = Buffer.allocUnsafe(start + eventBytes + sentBytes);
  head.writeUInt32LE(head.length - LENGTH_BYTES + input.body.length, 0);
  head.writeUInt8(EVALUATE, 4);
  head.writeUInt16LE(0, 5);
  head.writeDoubleLE(input.nowMs, 7);
  head.writeUInt32LE(eventBytes, 15);
  head.writeUInt32LE(input.sent === undefined ? NO_SENT : sentBytes, 19);
  head.write(event, start);
  if (input.sent !== undefined) head.write(input.sent, start + eventBytes);
  return head;
}

export function setSlot(evaluation: Buffer, slot: number): void {
  evaluation.writeUInt16LE(slot, 5);
}

/** @param frame without its length. The body is a view into it. */
export function decodeRequest(frame: Buffer): RequestFrame {
  const slot = frame.readUInt16LE(1);
  if (frame.readUInt8(0) === PROGRAM) {
    return { kind: 'program', slot, json: frame.toString('utf8', PROGRAM_HEAD_BYTES) };
  }
  const sentBytes = frame.readUInt32LE(15);
  const sentStart = EVALUATE_HEAD_BYTES + frame.readUInt32LE(11);
  const bodyStart = sentStart + (sentBytes === NO_SENT ? 0 : sentBytes);
  const input: RunInput = {
    nowMs: frame.readDoubleLE(3),
    event: JSON.parse(frame.toString('utf8', EVALUATE_HEAD_BYTES, sentStart)),
    body: frame.subarray(bodyStart),
    ...(sentBytes === NO_SENT ? {} : { sent: frame.toString('utf8', sentStart, bodyStart) }),
  };
  return { kind: 'evaluate', slot, input };
}

export function encodeAnswer(answer: RunAnswer | { kind: 'ready' }, cpuMs: number): Buffer {
  const text = textOf(answer);
  const start = LENGTH_BYTES + ANSWER_HEAD_BYTES;
  const frame = Buffer.allocUnsafe(start + Buffer.byteLength(text));
  frame.writeUInt32LE(frame.length - LENGTH_BYTES, 0);
  frame.writeUInt8(answerKinds.indexOf(answer.kind), 4);
  frame.writeUInt32LE(Math.min(Math.round(cpuMs * 1_000), 0xffffffff), 5);
  frame.write(text, start);
  return frame;
}

function textOf(answer: RunAnswer | { kind: 'ready' }): string {
  if (answer.kind === 'mapped') return answer.output;
  return answer.kind === 'failed' ? `${answer.code}\n${answer.message}` : '';
}

/** What `failed` stands for. */
export function toFailure(text: string): MappingAnswer {
  const end = text.indexOf('\n');
  const code = text.slice(0, end) as MappingFailureCode;
  return { kind: 'failed', code, message: text.slice(end + 1) };
}

/** Cuts a stream of chunks into answers. */
export function createAnswerReader(take: (answer: AnswerFrame) => void): (chunk: Buffer) => void {
  let parts: Buffer[] = [];
  let missing = 0;
  return (chunk) => {
    // The parts of a long answer are joined once, when it is whole.
    if (chunk.length < missing) {
      parts.push(chunk);
      missing -= chunk.length;
      return;
    }
    const bytes = parts.length === 0 ? chunk : Buffer.concat([...parts, chunk]);
    const left = bytes.subarray(takeWhole(bytes, take));
    parts = left.length === 0 ? [] : [left];
    missing = left.length < LENGTH_BYTES ? 0 : LENGTH_BYTES + left.readUInt32LE(0) - left.length;
  };
}

/** Returns where the first answer starts that is not whole. */
function takeWhole(bytes: Buffer, take: (answer: AnswerFrame) => void): number {
  let at = 0;
  while (bytes.length - at >= LENGTH_BYTES) {
    const end = at + LENGTH_BYTES + bytes.readUInt32LE(at);
    if (end > bytes.length) break;
    take(decodeAnswer(bytes, at + LENGTH_BYTES, end));
    at = end;
  }
  return at;
}

function decodeAnswer(bytes: Buffer, start: number, end: number): AnswerFrame {
  return {
    kind: answerKinds[bytes.readUInt8(start)] ?? 'failed',
    cpuMs: bytes.readUInt32LE(start + 1) / 1_000,
    text: bytes.toString('utf8', start + ANSWER_HEAD_BYTES, end),
  };
}
