// What went wrong in an expression, in words that hold nothing of the body: JSONata's own messages
// quote values ("Unable to cast value to a number: …"), so those of run time are written anew.

import type { Expression } from '../model/flow-revision.ts';
import { type Evaluation, FunctionError, isMarked } from './evaluation.ts';
import { placeOf, startOfToken } from './expression-position.ts';
import { shownNames } from './function-names.ts';

/** What JSONata throws: a plain object. */
export interface EngineError {
  readonly code?: string;
  readonly position?: number;
  readonly token?: unknown;
  readonly value?: unknown;
  readonly value2?: unknown;
  readonly index?: number;
  readonly message?: string;
}

/** JSONata's code of an evaluation that ran into its time limit. */
export const ENGINE_TIMEOUT = 'D1012';

/** `file:line:column code message`. */
export class ExpressionError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'ExpressionError';
    this.code = code;
  }
}

/** @param literals strings that stand in the source: `$error("no SKU")` may be shown, data may not. */
export function explainFailure(
  error: unknown,
  expression: Expression,
  context: { readonly evaluation: Evaluation; readonly literals: ReadonlySet<string> },
): ExpressionError {
  const { code, token, position, text } = describe(error, context);
  const shown = typeof token === 'string' ? shownNames(token) : token;
  const { line, column } = placeOf(expression, startOfToken(expression.source, position, shown));
  return new ExpressionError(code, `${expression.file}:${line}:${column} ${code} ${text}`);
}

interface Described {
  readonly code: string;
  readonly text: string;
  readonly position?: number | undefined;
  readonly token?: unknown;
}

function describe(
  error: unknown,
  context: { readonly evaluation: Evaluation; readonly literals: ReadonlySet<string> },
): Described {
  if (error instanceof FunctionError) {
    const { position, token } = error;
    const name = typeof token === 'string' ? `$${shownNames(token)}: ` : '';
    return { code: 'function-failed', text: `${name}${error.message}`, position, token };
  }
  if (error instanceof RangeError) return { code: 'D1011', text: 'the recursion is too deep' };
  // A bug of the engine, or data that looks like its own objects; its message may quote data.
  if (error instanceof Error) {
    return { code: 'engine-failed', text: `the expression cannot be evaluated (${error.name})` };
  }
  const engineError = error as EngineError;
  return {
    code: engineError.code ?? 'engine-failed',
    text: textOf(engineError, context),
    position: engineError.position,
    token: engineError.token,
  };
}

function textOf(
  error: EngineError,
  context: { readonly evaluation: Evaluation; readonly literals: ReadonlySet<string> },
): string {
  const { code = '', message = '' } = error;
  if (code === 'D3137' || code === 'D3141') {
    return context.literals.has(message)
      ? message
      : `$${code === 'D3137' ? 'error' : 'assert'}() stopped the mapping with a message made from data`;
  }
  const long = [error.value, error.value2].some((value) => isMarked(value, context.evaluation));
  if (long && tooLong[code] !== undefined) return fill(tooLong[code], error);
  const text = texts[code];
  return text === undefined ? 'the expression cannot be evaluated' : fill(text, error);
}

function fill(text: string, error: EngineError): string {
  const token = typeof error.token === 'string' ? shownNames(error.token) : 'this';
  return text
    .replaceAll('{$token}', `$${token}`)
    .replaceAll('{token}', token)
    .replaceAll('{index}', String(error.index ?? '?'));
}

const TOO_LONG = 'has more digits than a number can hold';

/** Instead of the engine's type errors, for numbers that are kept as text. */
const tooLong: Readonly<Record<string, string>> = {
  D1002: `the value after - ${TOO_LONG}; use $decimal.subtract`,
  T2001: `the left side of {token} ${TOO_LONG}; use $decimal.add, .subtract, .multiply or .divide`,
  T2002: `the right side of {token} ${TOO_LONG}; use $decimal.add, .subtract, .multiply or .divide`,
  T2009: `one side of {token} ${TOO_LONG}; use $decimal.compare, or compare $string() of it`,
};

const texts: Readonly<Record<string, string>> = {
  T0410: 'argument {index} of {$token}() has the wrong type',
  T0411: 'the context of {$token}() has the wrong type for argument {index}',
  T0412: 'argument {index} of {$token}() must be an array of one type, such as only numbers',
  D1001: 'a number is out of range',
  D1002: 'the value after - is no number',
  T1003: 'a key of an object must be a string',
  D1004: 'the regular expression matches the empty text',
  T1005: '{token} is no function; did you mean {$token}?',
  T1006: '{token} is no function',
  T1007: '{token} is no function; did you mean {$token}?',
  T1008: '{token} is no function',
  D1009: 'two keys of an object come to the same text',
  T1010: 'the matcher of {token} returns no match object',
  D1011: 'the recursion is too deep',
  D1012: 'the expression ran longer than it may',
  D1013: 'keys that start with _jsonata_ are reserved',
  T2001: 'the left side of {token} is no number; $number() makes one of a text',
  T2002: 'the right side of {token} is no number; $number() makes one of a text',
  T2003: 'the left side of .. is no whole number',
  T2004: 'the right side of .. is no whole number',
  T2006: 'the right side of ~> is no function',
  T2007: 'the order-by clause compares values of different types',
  T2008: 'the order-by clause gives neither numbers nor texts',
  T2009: 'the two sides of {token} have different types',
  T2010: 'both sides of {token} must be numbers or texts',
  T2011: 'the update clause of a transformation is no object',
  T2012: 'the delete clause of a transformation is neither text nor texts',
  T2013: 'the transformation needs $clone, which is no function here',
  D2014: 'the range .. is too long',
  D2015: 'a sequence is too long',
  D3001: 'a number is infinite or no number',
  D3010: 'argument 2 of $replace() is empty',
  D3011: 'argument 4 of $replace() is negative',
  D3012: '$replace() was given something else than a text to put in',
  D3020: 'argument 3 of $split() is negative',
  D3030: 'the value cannot be made a number',
  D3040: 'argument 3 of $match() is negative',
  D3050: 'the function given to $reduce() needs two parameters',
  D3060: '$sqrt() of a negative number',
  D3061: 'the result of $power() is no number',
  D3070: '$sort() without a function takes only texts or only numbers',
  D3100: 'the radix of $formatBase() must be from 2 to 36',
  D3110: '$toMillis() was given no ISO 8601 date',
  D3120: 'the expression given to $eval() has a syntax error',
  D3121: 'the expression given to $eval() failed',
  D3130: 'the picture of a whole number is not supported',
  D3131: 'the picture mixes digits of several scripts',
  D3132: 'the picture of a date has an unknown component',
  D3133: 'only months and days have names in the picture of a date',
  D3134: 'the time zone in a picture has over four digits',
  D3135: 'the picture of a date lacks a ]',
  D3136: 'the picture of a date is not enough to read one',
  D3138: '$single() found more than one',
  D3139: '$single() found none',
  D3140: '{token}() was given a malformed URL',
  ...pictureErrors(),
};

function pictureErrors(): Record<string, string> {
  const codes = Array.from({ length: 14 }, (_, index) => `D30${80 + index}`);
  return Object.fromEntries(codes.map((code) => [code, 'the picture of a number is malformed']));
}
