// One YAML file as JSON values, with the way back from a value to its line. YAML 1.2, core schema,
// no other tags; variables are put in their places while the file is read.

import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import type { Expression } from '../model/flow-revision.ts';
import type { Json } from '../model/json.ts';
import type { Problem } from '../model/problem.ts';
import { type Path, type Position, toProblem } from './fault.ts';
import { interpolate, type Lookup, readCoreScalar } from './interpolate.ts';
import type { ProblemCode } from './problem-codes.ts';
import type { SourceText } from './read-folder.ts';

/** How often aliases may repeat content, by the count of the `yaml` package. */
const ALIAS_COUNT_MAX = 100;
/** Mistakes of syntax that are shown of one file; the later ones follow from the first. */
const SYNTAX_PROBLEMS_MAX = 5;

export interface YamlFile {
  /** Relative to the project folder, with forward slashes. */
  readonly file: string;
  readonly value: Json;
  /** The value before variables were put in. */
  readonly raw: Json;
  /** Variables that had a value, by name. */
  readonly variables: ReadonlyMap<string, string>;
  has(path: Path): boolean;
  /** The nearest position there is: of the key or value at `path`, or of what should hold it. */
  position(path: Path, target?: 'key' | 'value'): Position;
  /** The text of a value that was a variable and has been read as a number or the like. */
  textAt(path: Path): string | undefined;
  /** The value holds a variable without a value, so that nothing else can be said about it. */
  isUnset(path: Path): boolean;
  /** The expression at `path`, standing where its first character stands. */
  expressionAt(path: Path, source: string): Expression;
}

export interface YamlOptions {
  /** Without one, variables are left alone. */
  readonly lookup?: Lookup;
  /** Whether the value at these keys is an expression, in which variables are left alone. */
  readonly isExpression?: (keys: readonly string[]) => boolean;
}

/** Reads one file. `yaml` is absent where the syntax is wrong. */
export function parseYamlFile(
  source: SourceText,
  options: YamlOptions = {},
): { readonly yaml?: YamlFile; readonly problems: readonly Problem[] } {
  const lines = new LineCounter();
  const reading = new Reading(source, lines, options);
  try {
    const document = parseDocument(source.text, {
      schema: 'core',
      resolveKnownTags: false,
      stringKeys: true,
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'error',
      lineCounter: lines,
    });
    for (const { pos, message } of [...document.errors, ...document.warnings]) {
      if (reading.problems.length < SYNTAX_PROBLEMS_MAX) {
        reading.reportSyntax(pos[0], withoutContent(message));
      }
    }
    if (reading.problems.length > 0) return { problems: reading.problems };
    const raw: Json = document.toJS({ maxAliasCount: ALIAS_COUNT_MAX });
    reading.enter(document.contents, []);
    const value: Json = document.toJS({ maxAliasCount: ALIAS_COUNT_MAX });
    return { yaml: reading.finish(document, value, raw), problems: reading.problems };
  } catch (error) {
    if (!(error instanceof ReferenceError || error instanceof RangeError)) throw error;
    reading.report(0, 'yaml-too-complex', {
      message: 'is nested too deeply or has too many aliases',
    });
    return { problems: reading.problems };
  }
}

/** The state of reading one file: what was found on the way through its nodes. */
class Reading {
  readonly problems: Problem[] = [];
  readonly #variables = new Map<string, string>();
  readonly #texts = new Map<unknown, string>();
  readonly #unset = new Set<unknown>();
  readonly #source: SourceText;
  readonly #lines: LineCounter;
  readonly #options: YamlOptions;

  constructor(source: SourceText, lines: LineCounter, options: YamlOptions) {
    this.#source = source;
    this.#lines = lines;
    this.#options = options;
  }

  report(
    offset: number,
    code: ProblemCode,
    rest: { message: string; hint?: string; severity?: 'warning' },
  ): void {
    this.problems.push(toProblem(this.#source.file, this.positionAt(offset), { code, ...rest }));
  }

  reportSyntax(offset: number, message: string): void {
    const { line } = this.positionAt(offset);
    const isVariable = this.#source.text.split('\n')[line - 1]?.includes('${') === true;
    const hint = `inside { } and [ ] a variable needs quotes: "\${NAME}"`;
    const code = /call stack/.test(message) ? 'yaml-too-complex' : 'yaml-syntax';
    this.report(offset, code, { message, ...(isVariable ? { hint } : {}) });
  }

  positionAt(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }

  #checkKeys(map: YAMLMap): void {
    const seen = new Set<unknown>();
    for (const { key } of map.items) {
      if (!isScalar(key)) continue;
      if (seen.has(key.value)) {
        const message = `"${key.value}" stands here a second time`;
        this.report(startOf(key), 'duplicate-key', { message });
      }
      seen.add(key.value);
    }
  }

  /** Walks all nodes but aliases, whose content is walked where it stands. */
  enter(node: unknown, keys: readonly string[]): void {
    if (isMap(node)) {
      this.#checkKeys(node);
      for (const { key, value } of node.items) this.enter(value, [...keys, keyText(key)]);
    } else if (isSeq(node)) {
      for (const item of node.items) this.enter(item, keys);
    } else if (isScalar(node)) {
      this.#enterScalar(node, keys);
    }
  }

  #enterScalar(scalar: Scalar, keys: readonly string[]): void {
    if (typeof scalar.value !== 'string' || this.#options.lookup === undefined) return;
    if (this.#options.isExpression?.(keys) === true) this.#checkExpression(scalar, scalar.value);
    else if (scalar.value.includes('${')) this.#interpolate(scalar, this.#options.lookup);
  }

  #checkExpression(scalar: Scalar, text: string): void {
    const [piece] = /\$\{[A-Z_][A-Z0-9_]*(?::[^{}"']*)?\}/.exec(text) ?? [];
    if (piece === undefined) return;
    const message = `${piece} is not replaced in an expression`;
    this.report(startOf(scalar), 'variable-in-expression', { message, severity: 'warning' });
  }

  #interpolate(scalar: Scalar, lookup: Lookup): void {
    const result = interpolate(String(scalar.value), lookup);
    for (const name of result.unset) {
      const message = `the variable ${name} is not set`;
      const hint = `set it, or write \${${name}:default}`;
      this.report(startOf(scalar), 'variable-unset', { message, hint });
    }
    for (const piece of result.malformed) {
      const message = `${piece} is not a variable`;
      const hint = `write \${NAME}, \${NAME:default}, or $\${ for a plain \${`;
      this.report(startOf(scalar), 'variable-malformed', { message, hint });
    }
    for (const [name, value] of result.values) this.#variables.set(name, value);
    if (result.unset.length + result.malformed.length > 0) this.#unset.add(scalar);
    scalar.value = result.text;
    if (!result.whole || scalar.type !== 'PLAIN') return;
    scalar.value = readCoreScalar(result.text);
    if (scalar.value !== result.text) this.#texts.set(scalar, result.text);
  }

  finish(document: Document.Parsed, value: Json, raw: Json): YamlFile {
    const { file, text } = this.#source;
    const find = (path: Path) => findNode(document, path);
    return {
      file,
      value,
      raw,
      variables: this.#variables,
      has: (path) => find(path).found,
      position: (path, target) => this.positionAt(offsetOf(find(path), target)),
      textAt: (path) => this.#texts.get(find(path).node),
      isUnset: (path) => find(path).found && this.#unset.has(find(path).node),
      expressionAt: (path, source) => {
        const offset = contentOffset(text, find(path).node);
        return { source, file, ...this.positionAt(offset) };
      },
    };
  }
}

/** The node at a path, or the nearest one above it. */
interface Finding {
  readonly found: boolean;
  readonly node: unknown;
  readonly key?: unknown;
}

function findNode(document: Document.Parsed, path: Path): Finding {
  let finding: Finding = { found: true, node: document.contents };
  for (const step of path) {
    const next = childOf(document, finding.node, step);
    if (next === undefined) return { ...finding, found: false };
    finding = { found: true, ...next };
  }
  return finding;
}

function childOf(
  document: Document.Parsed,
  parent: unknown,
  step: string | number,
): { node: unknown; key?: unknown } | undefined {
  const node = isAlias(parent) ? parent.resolve(document) : parent;
  if (isSeq(node)) {
    const item: unknown = node.items[Number(step)];
    return item === undefined ? undefined : { node: item };
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find(({ key }) => isScalar(key) && key.value === String(step));
  return pair === undefined ? undefined : { node: pair.value, key: pair.key };
}

function offsetOf(finding: Finding, target: 'key' | 'value' = 'value'): number {
  const wantsKey = target === 'key' || !finding.found || finding.node === null;
  return startOf(wantsKey && finding.key !== undefined ? finding.key : finding.node);
}

function startOf(node: unknown): number {
  return (node as Partial<Node> | null)?.range?.[0] ?? 0;
}

/** Where the content of a scalar begins: after the quote, or after the indentation of a block. */
function contentOffset(text: string, node: unknown): number {
  const start = startOf(node);
  if (!isScalar(node)) return start;
  if (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE') return start + 1;
  if (node.type !== 'BLOCK_FOLDED' && node.type !== 'BLOCK_LITERAL') return start;
  const header = text.indexOf('\n', start);
  if (header < 0) return start;
  const indentation = /^ */.exec(text.slice(header + 1))?.[0].length ?? 0;
  return header + 1 + indentation;
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : '';
}

/** Messages end in a piece of the file, which may be a secret. */
function withoutContent(message: string): string {
  return message.replace(/ in YAML stream:[\s\S]*$/, '').split('\n', 1)[0] ?? '';
}
