// What the functions of one running evaluation share. A child runs one at a time.

import { createNumerals, type Numerals } from '../model/exact-json.ts';

export interface Evaluation {
  numerals: Numerals;
  /** What `$now()` and `$millis()` say. */
  nowMs: number;
}

export function createEvaluation(): Evaluation {
  return { numerals: createNumerals([]), nowMs: 0 };
}

/** Whether `value` stands for a number that a double cannot hold (`exact-json.ts`). */
export function isMarked(value: unknown, evaluation: Evaluation): value is string {
  const { mark } = evaluation.numerals;
  return mark !== undefined && typeof value === 'string' && value.endsWith(mark);
}

export function withoutMark(value: unknown, evaluation: Evaluation): unknown {
  const { mark } = evaluation.numerals;
  if (mark === undefined || typeof value !== 'string') return value;
  return value.replaceAll(mark, '');
}

/** A function of the hub's library refused its arguments. The message holds none of them. */
export class FunctionError extends Error {
  /** Set by JSONata: where the call stands. */
  position?: number;
  token?: string;

  constructor(message: string) {
    super(message);
    this.name = 'FunctionError';
  }
}
