// One program over one body, in the child: parse, input schema, when, map, output schema.

import type { EventContext } from '../model/event.ts';
import { createNumerals } from '../model/exact-json.ts';
import type { Program } from '../model/flow-revision.ts';
import { decodeJson, UnreadableJson } from '../model/json-text.ts';
import { type CompiledExpression, compileExpression } from './compile-expression.ts';
import { compileSchema, type SchemaCheck } from './compile-schema.ts';
import { createCpuClock } from './cpu-clock.ts';
import { createEvaluation, type Evaluation } from './evaluation.ts';
import { ENGINE_TIMEOUT, ExpressionError } from './expression-errors.ts';
import { findNonFinite } from './find-non-finite.ts';
import {
  createFunctionLibrary,
  type EngineFunction,
  type EngineFunctions,
  loadEngineFunctions,
} from './function-library.ts';
import type { MappingAnswer, MappingFailureCode } from './mapper.ts';

/** Bytes of the JSON text that a mapping makes. */
export const OUTPUT_BYTES_MAX = 1_048_576;

export interface RunInput {
  readonly body: Buffer;
  readonly event: EventContext;
  readonly sent?: string;
  readonly nowMs: number;
}

/** `unchanged`: there is no mapping, and the body goes out as it came in. */
export type RunAnswer = MappingAnswer | { readonly kind: 'unchanged' };

export interface ProgramRunner {
  /** Never throws: a program that cannot be compiled answers every run with why. */
  compile(program: Program): CompiledProgram;
}

export interface CompiledProgram {
  run(input: RunInput): Promise<RunAnswer>;
}

export async function createProgramRunner(): Promise<ProgramRunner> {
  const engine = await loadEngineFunctions();
  const evaluation = createEvaluation();
  const context: Context = {
    evaluation,
    engine,
    library: createFunctionLibrary(engine, evaluation),
  };
  return {
    compile: (program) => {
      try {
        const parts = compileParts(program, context);
        return { run: (input) => answerTo(runParts(parts, input, context)) };
      } catch (error) {
        const answer = toAnswer(error);
        return { run: () => Promise.resolve(answer) };
      }
    },
  };
}

interface Context {
  readonly evaluation: Evaluation;
  readonly engine: EngineFunctions;
  readonly library: ReadonlyMap<string, EngineFunction>;
}

interface Parts {
  readonly input: SchemaCheck | undefined;
  readonly when: CompiledExpression | undefined;
  readonly map: CompiledExpression | undefined;
  readonly mapFile: string;
  readonly output: SchemaCheck | undefined;
}

/** An answer in the shape of an exception, for the steps below. */
class Failure extends Error {
  readonly code: MappingFailureCode;

  constructor(code: MappingFailureCode, message: string) {
    super(message);
    this.code = code;
  }
}

function compileParts(program: Program, { library, evaluation }: Context): Parts {
  const { input, when, map, output } = program;
  return {
    input: input === undefined ? undefined : schemaCheck('input-invalid', input),
    when: when === undefined ? undefined : compileExpression(when, library, evaluation),
    map: map === undefined ? undefined : compileExpression(map, library, evaluation),
    mapFile: map?.file ?? '',
    output: output === undefined ? undefined : schemaCheck('output-invalid', output),
  };
}

function schemaCheck(
  code: 'input-invalid' | 'output-invalid',
  schema: Parameters<typeof compileSchema>[0],
): SchemaCheck {
  try {
    return compileSchema(schema);
  } catch (error) {
    throw toFailure(code, error);
  }
}

function toFailure(code: MappingFailureCode, error: unknown): Failure {
  return new Failure(code, error instanceof Error ? error.message : 'the schema is unusable');
}

async function runParts(parts: Parts, input: RunInput, context: Context): Promise<RunAnswer> {
  const text = decodeJson(input.body);
  const numerals = createNumerals(input.sent === undefined ? [text] : [text, input.sent]);
  context.evaluation.numerals = numerals;
  context.evaluation.nowMs = input.nowMs;
  const body = numerals.parse(text);
  // A number kept as text is a number to a schema.
  check('input-invalid', parts.input, () =>
    numerals.mark === undefined ? body : JSON.parse(text),
  );
  const bindings: Record<string, unknown> = { event: input.event };
  if (input.sent !== undefined) bindings['sent'] = numerals.parse(input.sent);
  if (parts.when !== undefined) {
    const holds = await evaluatePatiently(parts.when, body, bindings);
    const isTrue = context.engine.get('boolean')?.implementation(holds) === true;
    if (!isTrue) return { kind: 'filtered' };
  }
  if (parts.map === undefined) {
    check('output-invalid', parts.output, () => JSON.parse(text));
    return { kind: 'unchanged' };
  }
  const result = await evaluatePatiently(parts.map, body, bindings);
  const output = toOutput(result, parts.mapFile, context);
  check('output-invalid', parts.output, () => JSON.parse(output));
  return { kind: 'mapped', output };
}

/**
 * The engine's time limit goes by the clock on the wall; on a machine that is short of processors
 * it may strike an evaluation that hardly ran. That one is given a second chance.
 */
async function evaluatePatiently(
  expression: CompiledExpression,
  body: unknown,
  bindings: Record<string, unknown>,
): Promise<unknown> {
  clock.start();
  try {
    return await expression.evaluate(body, bindings);
  } catch (error) {
    const starved = clock.elapsedMs() < STARVED_CPU_MS;
    if (!(error instanceof ExpressionError) || error.code !== ENGINE_TIMEOUT || !starved)
      throw error;
    return await expression.evaluate(body, bindings);
  }
}

const clock = createCpuClock();
const STARVED_CPU_MS = 200;

function check(
  code: 'input-invalid' | 'output-invalid',
  schema: SchemaCheck | undefined,
  value: () => unknown,
): void {
  const problem = schema?.(value());
  if (problem !== undefined) throw new Failure(code, problem);
}

function toOutput(result: unknown, file: string, { evaluation }: Context): string {
  if (result === undefined)
    throw new Failure('mapping-failed', `${file}: the mapping produced nothing`);
  const output = stringify(result, file, evaluation);
  if (output === undefined || output.includes('"_jsonata_')) refuseFunctions(result, file);
  if (output === undefined) throw new Failure('mapping-failed', `${file}: the result is no JSON`);
  const bytes = Buffer.byteLength(output);
  if (bytes > OUTPUT_BYTES_MAX) {
    const sizes = `${bytes} bytes; at most ${OUTPUT_BYTES_MAX} are allowed`;
    throw new Failure('mapping-too-large', `${file}: the mapping produced ${sizes}`);
  }
  // JSON writes such a number as null; without any null there is none to look for.
  if (output.includes('null')) refuseNonFinite(result, file);
  return output;
}

function stringify(result: unknown, file: string, evaluation: Evaluation): string | undefined {
  try {
    return evaluation.numerals.stringify(result);
  } catch (error) {
    if (error instanceof TypeError) refuseFunctions(result, file);
    throw unwritable(error, file);
  }
}

function unwritable(error: unknown, file: string): Failure {
  const reason = error instanceof RangeError ? 'is nested too deeply' : 'cannot be written as JSON';
  return new Failure('mapping-failed', `${file}: the result ${reason}`);
}

/** A lambda in a result drags its whole environment along. */
function refuseFunctions(result: unknown, file: string): void {
  const seen = new Set<unknown>();
  const waiting: unknown[] = [result];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (isEngineFunction(value)) {
      throw new Failure('mapping-failed', `${file}: the result holds a function`);
    }
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    for (const item of Object.values(value)) waiting.push(item);
  }
}

function refuseNonFinite(result: unknown, file: string): void {
  const path = findNonFinite(result);
  if (path === undefined) return;
  const place = path === '' ? '' : ` at ${path}`;
  throw new Failure(
    'mapping-failed',
    `${file}: the result holds a number that is not finite${place}`,
  );
}

function isEngineFunction(value: unknown): boolean {
  if (typeof value === 'function') return true;
  if (typeof value !== 'object' || value === null) return false;
  const { implementation, apply } = value as { implementation?: unknown; apply?: unknown };
  return typeof implementation === 'function' || typeof apply === 'function';
}

async function answerTo(run: Promise<RunAnswer>): Promise<RunAnswer> {
  try {
    return await run;
  } catch (error) {
    return toAnswer(error);
  }
}

function toAnswer(error: unknown): RunAnswer {
  if (error instanceof Failure) {
    return { kind: 'failed', code: error.code, message: error.message };
  }
  if (error instanceof UnreadableJson) {
    return { kind: 'failed', code: 'body-unreadable', message: `the body is ${error.message}` };
  }
  if (error instanceof ExpressionError) {
    const code = error.code === ENGINE_TIMEOUT ? 'mapping-timed-out' : 'mapping-failed';
    return { kind: 'failed', code, message: error.message };
  }
  const name = error instanceof Error ? error.name : 'unknown error';
  return { kind: 'failed', code: 'mapping-failed', message: `the program cannot run (${name})` };
}
