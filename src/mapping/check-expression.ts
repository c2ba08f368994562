/**
 * What is wrong with an expression before it ever runs: syntax, names nobody defined, regular
 * expressions that cannot run in linear time, and arithmetic that loses money or digits.
 */

import { keepsDigits } from '../model/exact-json.ts';
import type { Expression } from '../model/flow-revision.ts';
import { nearestWord } from '../model/suggest.ts';
import { explainSyntax, parseSource } from './compile-expression.ts';
import { placeOf } from './expression-position.ts';
import { functionDocs } from './function-docs.ts';
import { engineFunctionNames } from './function-library.ts';
import { isNamespace, shownNames } from './function-names.ts';
import { compileRegex } from './regex-engine.ts';
import { type SyntaxNode, walkSyntax } from './syntax-tree.ts';

/** A `Problem` without its file. */
export interface ExpressionProblem {
  readonly severity: 'error' | 'warning';
  /** 1-based, in the expression's file. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
  readonly code:
    | 'expression-syntax'
    | 'unknown-function'
    | 'unknown-variable'
    | 'regex-unsupported'
    | 'money-arithmetic'
    | 'number-inexact';
  readonly message: string;
  readonly hint?: string;
}

/** Every problem of the expression, in the order of the source; only the first syntax error. */
export function checkExpression(expression: Expression): readonly ExpressionProblem[] {
  let root: SyntaxNode;
  try {
    root = parseSource(expression.source).ast() as SyntaxNode;
  } catch (error) {
    const { code, text, offset } = explainSyntax(error, expression.source);
    const place = placeOf(expression, offset);
    return [{ severity: 'error', ...place, code: 'expression-syntax', message: `${code} ${text}` }];
  }
  const findings: Finding[] = [];
  const scope: Scope = { source: expression.source, variables: variablesOf(root), done: new Set() };
  walkSyntax(root, (node) => {
    for (const rule of rules) findings.push(...rule(node, scope));
  });
  return findings
    .sort((one, other) => one.offset - other.offset)
    .map(({ offset, ...problem }) => ({ ...placeOf(expression, offset), ...problem }));
}

type Finding = Omit<ExpressionProblem, 'line' | 'column'> & { readonly offset: number };

interface Scope {
  readonly source: string;
  /** Every name that the expression itself gives a value, anywhere. */
  readonly variables: ReadonlySet<string>;
  /** Nodes that a rule has dealt with on behalf of their parent. */
  readonly done: Set<unknown>;
}

const rules = [checkCall, checkNamespace, checkVariable, checkRegex, checkMoney, checkNumber];

const functionNames: ReadonlySet<string> = new Set([
  ...engineFunctionNames,
  ...functionDocs.map(({ name }) => name),
]);

function variablesOf(root: SyntaxNode): ReadonlySet<string> {
  const names = new Set(['', '$', 'event', 'sent']);
  walkSyntax(root, (node) => {
    for (const name of namesGivenBy(node)) names.add(name);
  });
  return names;
}

function namesGivenBy(node: SyntaxNode): readonly string[] {
  if (node.type === 'lambda') return (node.arguments ?? []).map(({ value }) => String(value));
  if (node.type === 'bind') return [String((node.lhs as SyntaxNode).value)];
  if (node.type === 'index') return [String(node.value)];
  return [node.focus, node.index].filter((name) => typeof name === 'string');
}

function checkCall(node: SyntaxNode, scope: Scope): Finding[] {
  if (node.type !== 'function' && node.type !== 'partial') return [];
  const { procedure } = node;
  if (procedure?.type === 'variable') {
    scope.done.add(procedure);
    return checkName(procedure, scope, 'unknown-function');
  }
  const step = procedure?.type === 'path' ? procedure.steps?.[0] : undefined;
  if (procedure?.steps?.length !== 1 || typeof step?.value !== 'string') return [];
  if (scope.done.has(node)) return [];
  const hint = functionNames.has(step.value) || scope.variables.has(step.value);
  return [
    {
      severity: 'error',
      offset: startOf(step, scope, step.value),
      code: 'unknown-function',
      message: `${step.value} is no function`,
      hint: hint ? `did you mean "$${step.value}"?` : 'the names of functions start with $',
    },
  ];
}

/** `$decimal.ad(1, 2)`, or one that is written with spaces: for JSONata a path into `$decimal`. */
function checkNamespace(node: SyntaxNode, scope: Scope): Finding[] {
  const [first, second] = node.type === 'path' ? (node.steps ?? []) : [];
  if (first?.type !== 'variable' || !isNamespace(String(first.value))) return [];
  scope.done.add(first).add(second);
  const called = second?.procedure?.steps?.[0]?.value ?? second?.value;
  const name = `${first.value}.${called}`;
  const meant = functionNames.has(name) ? name : nearestWord(name, functionNames);
  return [
    {
      severity: 'error',
      offset: startOf(first, scope, `$${first.value}`),
      code: 'unknown-function',
      message: functionNames.has(name) ? `$${name} must be written without spaces` : `no $${name}`,
      ...(meant === undefined ? {} : { hint: `did you mean "$${meant}"?` }),
    },
  ];
}

function checkVariable(node: SyntaxNode, scope: Scope): Finding[] {
  if (node.type !== 'variable' || scope.done.has(node)) return [];
  return checkName(node, scope, 'unknown-variable');
}

function checkName(
  node: SyntaxNode,
  scope: Scope,
  code: 'unknown-function' | 'unknown-variable',
): Finding[] {
  const name = shownNames(String(node.value));
  if (scope.variables.has(name) || functionNames.has(name)) return [];
  const isCall = code === 'unknown-function';
  const meant = nearestWord(name, [...scope.variables, ...functionNames]);
  return [
    {
      severity: isCall ? 'error' : 'warning',
      offset: startOf(node, scope, `$${name}`),
      code,
      message: isCall ? `there is no function $${name}` : `nothing gives $${name} a value`,
      ...(meant === undefined ? {} : { hint: `did you mean "$${meant}"?` }),
    },
  ];
}

function checkRegex(node: SyntaxNode, scope: Scope): Finding[] {
  if (!(node.value instanceof RegExp)) return [];
  const { source, flags } = node.value;
  try {
    compileRegex(source, flags);
    return [];
  } catch (error) {
    const written = `/${source}/${flags.replace('g', '')}`;
    return [
      {
        severity: 'error',
        offset: startOf(node, scope, written),
        code: 'regex-unsupported',
        message: error instanceof Error ? error.message : 'the regular expression is unusable',
        hint: 'look-around and backreferences do not run in linear time and are not supported',
      },
    ];
  }
}

const MONEY =
  /(?:^|_)(?:price|amount|total|subtotal|tax|discount|refund)s?(?:_set)?$|(?:Price|Amount|Total)s?$/;

function checkMoney(node: SyntaxNode, scope: Scope): Finding[] {
  const operator = String(node.value);
  if (node.type !== 'binary' || !'+-*/%'.includes(operator)) return [];
  const name = [node.lhs, node.rhs].map(lastName).find((side) => MONEY.test(side ?? ''));
  if (name === undefined) return [];
  return [
    {
      severity: 'warning',
      offset: startOf(node, scope, operator),
      code: 'money-arithmetic',
      message: `${operator} on ${name} calculates money in binary fractions`,
      hint: 'use $decimal.add, .subtract, .multiply or .divide',
    },
  ];
}

/** The field that a side is, also through `$number(…)`. */
function lastName(side: unknown): string | undefined {
  const { type, steps, arguments: given } = side as SyntaxNode;
  if (type === 'function') return given?.length === 1 ? lastName(given[0]) : undefined;
  const last = type === 'path' ? steps?.at(-1) : undefined;
  if (last?.type === 'function') return lastName(last);
  return last?.type === 'name' ? String(last.value) : undefined;
}

function checkNumber(node: SyntaxNode, { source }: Scope): Finding[] {
  if (node.type !== 'number' || node.position === undefined) return [];
  const literal = /(?:\d[\d.]*(?:[eE][+-]?\d+)?)$/.exec(source.slice(0, node.position))?.[0] ?? '0';
  if (keepsDigits(literal)) return [];
  return [
    {
      severity: 'warning',
      offset: node.position - literal.length,
      code: 'number-inexact',
      message: `a number cannot hold the digits of ${literal}`,
      hint: `write it as a text, and compare it with $string(…)`,
    },
  ];
}

/** Positions are those behind the token. */
function startOf(node: SyntaxNode, { source }: Scope, written: string): number {
  const start = (node.position ?? 0) - written.length;
  return source.startsWith(written, start) ? start : Math.max(0, (node.position ?? 1) - 1);
}
