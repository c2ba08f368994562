// What the pool answers, and with which words it refuses.

import { CrossdockError } from '../model/errors.ts';
import type { Program } from '../model/flow-revision.ts';
import { decodeJson } from '../model/json-text.ts';
import { type AnswerFrame, toFailure } from './frames.ts';
import type { MappingAnswer } from './mapper.ts';

export function toAnswer(answer: AnswerFrame, body: Buffer): MappingAnswer {
  switch (answer.kind) {
    case 'mapped':
      return { kind: 'mapped', output: answer.text };
    case 'unchanged':
      return { kind: 'mapped', output: decodeJson(body) };
    case 'filtered':
      return { kind: 'filtered' };
    default:
      return toFailure(answer.text);
  }
}

export function timedOut(program: Program, maxMs: number): MappingAnswer {
  const message = `${fileOf(program)}: the evaluation took over ${maxMs} ms and was stopped`;
  return { kind: 'failed', code: 'mapping-timed-out', message };
}

export function crashed(program: Program): MappingAnswer {
  const reason = 'the evaluation ended its process; most likely it ran out of memory';
  return { kind: 'failed', code: 'mapping-crashed', message: `${fileOf(program)}: ${reason}` };
}

export function closing(): CrossdockError {
  return new CrossdockError('closing', 'the mapper is closing');
}

export function overloaded(message: string): CrossdockError {
  return new CrossdockError('overloaded', message);
}

function fileOf(program: Program): string {
  return program.map?.file ?? program.when?.file ?? program.output?.file ?? 'the program';
}
