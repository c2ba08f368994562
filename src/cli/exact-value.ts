// JSON as the CLI compares and prints it: every number is kept by its digits, so that an id beyond
// 2^53 or a price that changed on the way is seen.

import { type Document, isAlias, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import { parseJson, scanJson } from '../model/json-text.ts';

/** A number as it is written. */
export class Digits {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type ExactValue = null | boolean | string | Digits | readonly ExactValue[] | ExactObject;
export type ExactObject = { readonly [key: string]: ExactValue };

// Stands before the digits while JSON.parse runs: private use, and long enough never to be data.
const MARK = '\u{F0C0D}digits:';

const jsonNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Throws `UnreadableJson`. */
export function parseExactJson(text: string): ExactValue {
  parseJson(text);
  let marked = '';
  let copied = 0;
  scanJson(text, (start, end) => {
    marked += `${text.slice(copied, start)}"${MARK}${text.slice(start, end)}"`;
    copied = end;
  });
  const revive = (_key: string, value: unknown) =>
    typeof value === 'string' && value.startsWith(MARK)
      ? new Digits(value.slice(MARK.length))
      : value;
  return JSON.parse(marked + text.slice(copied), revive) as ExactValue;
}

/** JSON text; with `space`, indented. */
export function formatExact(value: ExactValue, space?: number): string {
  const mark = (_key: string, child: unknown) =>
    child instanceof Digits ? MARK + child.text : child;
  const text = JSON.stringify(value, mark, space);
  return text.replace(new RegExp(`"${MARK}([^"]*)"`, 'gu'), '$1');
}

/** One element of a YAML list and the line on which it begins, 1-based. */
export interface YamlItem {
  readonly line: number;
  readonly value: ExactValue;
}

/** The elements of a file whose root is a list. The file has been checked before. */
export function parseYamlList(text: string): readonly YamlItem[] {
  const document = parseDocument(text, { schema: 'core', stringKeys: true, logLevel: 'silent' });
  const root = document.contents;
  if (!isSeq(root)) return [];
  return root.items.map((node) => ({
    line: lineOf(text, node),
    value: exactOf(node, document),
  }));
}

function lineOf(text: string, node: unknown): number {
  const offset = (node as { range?: readonly number[] | null } | null)?.range?.[0] ?? 0;
  return text.slice(0, offset).split('\n').length;
}

function exactOf(node: unknown, document: Document): ExactValue {
  if (isAlias(node)) return exactOf(node.resolve(document), document);
  if (isSeq(node)) return node.items.map((item) => exactOf(item, document));
  if (isMap(node)) {
    const pairs = node.items.map(({ key, value }) => [
      String(isScalar(key) ? key.value : key),
      exactOf(value, document),
    ]);
    return Object.fromEntries(pairs) as ExactObject;
  }
  return isScalar(node) ? exactScalar(node.value, node.source) : null;
}

function exactScalar(value: unknown, source: string | undefined): ExactValue {
  if (typeof value !== 'number') return value as null | boolean | string;
  // YAML knows more ways to write a number than JSON: 0x1f, .5, +1.
  return new Digits(jsonNumber.test(source ?? '') ? (source ?? '') : String(value));
}
