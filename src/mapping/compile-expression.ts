// One JSONata expression, ready to be evaluated with the hub's limits, functions and messages.

import type { Expression as ParsedExpression } from 'jsonata';
import type { Expression } from '../model/flow-revision.ts';
import { type Evaluation, withoutMark } from './evaluation.ts';
import { type EngineError, ExpressionError, explainFailure } from './expression-errors.ts';
import { placeOf, startOfToken } from './expression-position.ts';
import type { EngineFunction } from './function-library.ts';
import { shownNames, withJoinedNames } from './function-names.ts';
import { jsonata } from './jsonata.ts';
import { LinearRegex } from './regex-engine.ts';
import { type SyntaxNode, walkSyntax } from './syntax-tree.ts';

/** Milliseconds of one evaluation, by the engine's own look at the clock. */
export const EXPRESSION_TIME_MAX_MS = 500;

/**
 * Evaluations under way inside one another. The entries of an object count together, since the
 * engine starts them all before the first ends: an object of 1,000 fields takes about 2,500.
 */
const EXPRESSION_DEPTH_MAX = 3_000;

/** Items of one sequence. */
const SEQUENCE_ITEMS_MAX = 100_000;

/** Characters of one expression's source. */
export const EXPRESSION_CHARS_MAX = 262_144;

export interface CompiledExpression {
  /** Rejects with `ExpressionError`. */
  evaluate(input: unknown, bindings: Record<string, unknown>): Promise<unknown>;
}

/** Throws `ExpressionError` for a syntax error. */
export function compileExpression(
  expression: Expression,
  library: ReadonlyMap<string, EngineFunction>,
  evaluation: Evaluation,
): CompiledExpression {
  const engine = parseExpression(expression);
  const literals = restoreLiterals(engine.ast());
  // With a name of its own, an error in a function that is only passed on can be found in the source.
  for (const [token, definition] of library) engine.assign(token, { ...definition, token });
  engine.assign(CONCAT, concatFunction(library, evaluation));
  return {
    evaluate: async (input, bindings) => {
      try {
        return await engine.evaluate(input, bindings);
      } catch (error) {
        throw explainFailure(error, expression, { evaluation, literals });
      }
    },
  };
}

function parseExpression(expression: Expression): ParsedExpression {
  try {
    return parseSource(expression.source);
  } catch (error) {
    throw toExpressionError(error, expression);
  }
}

/** Throws what `explainSyntax` explains. */
export function parseSource(source: string): ParsedExpression {
  if (source.length > EXPRESSION_CHARS_MAX) {
    throw new RangeError(`the expression has over ${EXPRESSION_CHARS_MAX} characters`);
  }
  return jsonata(withJoinedNames(source), {
    timeout: EXPRESSION_TIME_MAX_MS,
    stack: EXPRESSION_DEPTH_MAX,
    sequence: SEQUENCE_ITEMS_MAX,
    RegexEngine: LinearRegex as unknown as RegExpConstructor,
  });
}

function toExpressionError(error: unknown, expression: Expression): ExpressionError {
  const { code, text, offset } = explainSyntax(error, expression.source);
  const { line, column } = placeOf(expression, offset);
  const message = `${expression.file}:${line}:${column} ${code} ${text}`;
  return new ExpressionError(code, message, { cause: error });
}

/** A syntax error quotes the source only, so JSONata's words may stand. */
export function explainSyntax(
  error: unknown,
  source: string,
): { code: string; text: string; offset: number } {
  if (error instanceof RangeError) {
    const isLong = source.length > EXPRESSION_CHARS_MAX;
    const text = isLong ? error.message : 'the expression is nested too deeply';
    return { code: 'S0000', text, offset: 0 };
  }
  if (error instanceof SyntaxError) {
    // A regular expression that JavaScript itself refuses; JSONata parses it with `RegExp`.
    const pattern = /^Invalid regular expression: (\/.*\/)/.exec(error.message)?.[1] ?? '/';
    return { code: 'S0303', text: error.message, offset: Math.max(0, source.indexOf(pattern)) };
  }
  const { code = 'S0000', message = '', position, token } = error as EngineError;
  const shown = typeof token === 'string' ? shownNames(token) : token;
  const atEnd = code === 'S0203' || code === 'S0207';
  const offset = atEnd ? source.trimEnd().length : startOfToken(source, position, shown);
  return { code, text: shownNames(message), offset };
}

/** Not a name that can be written in an expression. */
const CONCAT = '&';

/**
 * Takes the joined names out of string literals again, and makes `id & ""`, the idiom for "as
 * text", give a text also where `id` is a number kept as text. Returns the string literals.
 */
function restoreLiterals(root: unknown): ReadonlySet<string> {
  const literals = new Set<string>();
  walkSyntax(root, (node) => {
    if ((node.type === 'string' || node.type === 'name') && typeof node.value === 'string') {
      node.value = shownNames(node.value);
      if (node.type === 'string') literals.add(node.value as string);
    } else if (node.value instanceof RegExp) {
      node.value = new RegExp(shownNames(node.value.source), node.value.flags);
    } else if (node.type === 'binary' && node.value === '&' && hasEmptySide(node)) {
      Object.assign(node, {
        type: 'function',
        value: '(',
        procedure: { type: 'variable', value: CONCAT },
        arguments: [node.lhs, node.rhs],
      });
    }
  });
  return literals;
}

function hasEmptySide(node: SyntaxNode): boolean {
  return [node.lhs, node.rhs].some((side) => {
    const { type, value } = side as SyntaxNode;
    return type === 'string' && value === '';
  });
}

function concatFunction(library: ReadonlyMap<string, EngineFunction>, evaluation: Evaluation) {
  const text = library.get('string')?.implementation;
  return {
    _jsonata_function: true,
    implementation: (left: unknown, right: unknown) =>
      withoutMark(`${text?.(left) ?? ''}${text?.(right) ?? ''}`, evaluation),
  };
}
