// `$decimal.add(a, b)` as one name. In JSONata the dot is the map operator: the arguments would be
// looked up inside `$decimal`. So the dot of the library's own names is replaced by a character of
// the same length before parsing, and put back wherever a name is shown.

import { functionDocs } from './function-docs.ts';

/** A noncharacter: no keyboard types it, and JSONata takes it as part of a name. */
const DOT = '\uFFFE';

const dotted = functionDocs.filter(({ name }) => name.includes('.')).map(({ name }) => name);

const namespaces: ReadonlySet<string> = new Set(dotted.map((name) => name.split('.')[0] ?? ''));

const pattern = new RegExp(
  `\\$(${dotted.map((name) => name.replace('.', '\\.')).join('|')})(?![\\w$])`,
  'g',
);

/** `$decimal`, `$date`. */
export function isNamespace(name: string): boolean {
  return namespaces.has(name);
}

/** Source as the engine parses it; the same length, so that positions hold. */
export function withJoinedNames(source: string): string {
  return source.includes('.') ? source.replace(pattern, joinedName) : source;
}

export function joinedName(name: string): string {
  return name.replace('.', DOT);
}

/** The text with every joined name as it was written. */
export function shownNames(text: string): string {
  return text.replaceAll(DOT, '.');
}
