/**
 * What expressions may call besides JSONata's own functions: the hub's library (decimals, dates,
 * slug, hash), and JSONata's functions where they must know of numbers kept as text
 * (`exact-json.ts`) or of the evaluation's clock. What each does for its reader stands in
 * `function-docs.ts`.
 */

import { dateFunctions } from './date-functions.ts';
import { decimalFunctions } from './decimal-functions.ts';
import { type Evaluation, FunctionError, isMarked, withoutMark } from './evaluation.ts';
import { type FunctionDoc, functionDocs } from './function-docs.ts';
import { joinedName } from './function-names.ts';
import { jsonata } from './jsonata.ts';
import { textFunctions } from './text-functions.ts';

/** A function as JSONata holds it. */
export interface EngineFunction {
  readonly _jsonata_function: true;
  readonly implementation: Implementation;
  readonly signature?: unknown;
}

type Implementation = (this: unknown, ...args: unknown[]) => unknown;

/** JSONata's own functions by name, without those of the clock. */
export type EngineFunctions = ReadonlyMap<string, EngineFunction>;

export const engineFunctionNames =
  `sum count max min average string substring substringBefore substringAfter lowercase uppercase
  length trim pad match contains replace split join formatNumber formatBase formatInteger
  parseInteger number floor ceil round abs sqrt power random boolean not map zip filter single
  reduce sift keys lookup append exists spread merge reverse each error assert type sort shuffle
  distinct base64encode base64decode encodeUrlComponent encodeUrl decodeUrlComponent decodeUrl eval
  toMillis fromMillis clone now millis`.split(/\s+/);

/** These take texts; a number kept as text is given to them without its mark. */
const textual = new Set(
  `substring substringBefore substringAfter lowercase uppercase length trim pad match contains
  replace split join base64encode base64decode encodeUrlComponent encodeUrl decodeUrlComponent
  decodeUrl toMillis parseInteger error assert`.split(/\s+/),
);

/** The functions themselves, out of the engine: an expression that is a name evaluates to it. */
export async function loadEngineFunctions(): Promise<EngineFunctions> {
  const functions = new Map<string, EngineFunction>();
  for (const name of engineFunctionNames) {
    functions.set(name, (await jsonata(`$${name}`).evaluate(null)) as EngineFunction);
  }
  return functions;
}

/** Everything to bind, by name; made once and copied for each expression. */
export function createFunctionLibrary(
  engine: EngineFunctions,
  evaluation: Evaluation,
): ReadonlyMap<string, EngineFunction> {
  const library = new Map<string, EngineFunction>();
  for (const [name, definition] of engine) {
    const implementation = adapt(name, { definition, engine, evaluation });
    library.set(name, { ...definition, implementation });
  }
  for (const doc of functionDocs) {
    const implementation = ownFunction(doc, evaluation);
    library.set(joinedName(doc.name), { _jsonata_function: true, implementation });
  }
  return library;
}

interface Adaption {
  readonly definition: EngineFunction;
  readonly engine: EngineFunctions;
  readonly evaluation: Evaluation;
}

function adapt(name: string, adaption: Adaption): Implementation {
  const { definition, evaluation } = adaption;
  const { implementation } = definition;
  switch (name) {
    case 'string':
      return like(implementation, (value, prettify) => {
        if (typeof value === 'string') return withoutMark(value, evaluation);
        const text = implementation.call(undefined, value, prettify);
        return typeof text === 'string' ? evaluation.numerals.unmarkJson(text) : text;
      });
    case 'number':
      return like(implementation, (value) => {
        if (losesDigits(value, evaluation)) {
          throw new FunctionError('the value has more digits than a number can hold');
        }
        return implementation.call(undefined, value);
      });
    case 'type':
      return like(implementation, (value) =>
        isMarked(value, evaluation) ? 'number' : implementation.call(undefined, value),
      );
    case 'now':
      return like(implementation, (picture, zone) =>
        adaption.engine.get('fromMillis')?.implementation(evaluation.nowMs, picture, zone),
      );
    case 'millis':
      return like(implementation, () => evaluation.nowMs);
    default:
      return textual.has(name) ? takesText(implementation, evaluation) : implementation;
  }
}

function losesDigits(value: unknown, evaluation: Evaluation): boolean {
  if (typeof value !== 'string') return false;
  if (isMarked(value, evaluation)) return true;
  return /^-?\d{16,}$/.test(value) && !Number.isSafeInteger(Number(value));
}

function takesText(implementation: Implementation, evaluation: Evaluation): Implementation {
  const adapted = function (this: unknown, ...args: unknown[]): unknown {
    if (evaluation.numerals.mark === undefined) return implementation.apply(this, args);
    const unmarked = args.map((arg) =>
      Array.isArray(arg)
        ? arg.map((item) => withoutMark(item, evaluation))
        : withoutMark(arg, evaluation),
    );
    return implementation.apply(this, unmarked);
  };
  return like(implementation, adapted);
}

// JSONata reads a function's parameters from its length and, for partial application, its text.
function like(original: Implementation, adapted: Implementation): Implementation {
  Object.defineProperty(adapted, 'length', { value: original.length });
  Object.defineProperty(adapted, 'toString', { value: () => String(original) });
  return adapted;
}

const implementations: Readonly<Record<string, Implementation>> = {
  ...textFunctions,
  ...withPrefix('decimal', decimalFunctions),
  ...withPrefix('date', dateFunctions),
};

function withPrefix(prefix: string, functions: Readonly<Record<string, Implementation>>) {
  return Object.fromEntries(
    Object.entries(functions).map(([name, implementation]) => [
      `${prefix}.${name}`,
      implementation,
    ]),
  );
}

/** As JSONata's own: nothing in, nothing out. Only parameters that may be left out may be missing. */
function ownFunction(doc: FunctionDoc, evaluation: Evaluation): Implementation {
  const implementation = implementations[doc.name];
  if (implementation === undefined) throw new Error(`function ${doc.name} is only documented`);
  const required = doc.parameters.filter((name) => !name.endsWith('?')).length;
  const names = doc.parameters.map((name) => name.replace('?', '')).join(', ');
  const own = (...args: unknown[]): unknown => {
    for (let index = 0; index < required; index++) if (args[index] === undefined) return undefined;
    return implementation(...args.map((arg) => plain(arg, evaluation)));
  };
  Object.defineProperty(own, 'length', { value: required });
  Object.defineProperty(own, 'toString', { value: () => `function (${names}) {}` });
  return own;
}

function plain(value: unknown, evaluation: Evaluation): unknown {
  return Array.isArray(value)
    ? value.map((item) => withoutMark(item, evaluation))
    : withoutMark(value, evaluation);
}
