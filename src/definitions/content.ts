// What one definition file says once variables are in place and, for a connector made from the
// catalogue, once the entry stands under it; with the way back to a line of the person's file.

import type { Expression } from '../model/flow-revision.ts';
import type { Json, JsonObject } from '../model/json.ts';
import type { Problem } from '../model/problem.ts';
import { entryOnlyFields } from './catalogue-schema.ts';
import { type Fault, type Path, toProblem } from './fault.ts';
import { hasVariable } from './interpolate.ts';
import type { YamlFile } from './yaml-file.ts';

export interface Content {
  readonly file: string;
  readonly value: JsonObject;
  /** As `value`, before variables were put in. */
  readonly raw: JsonObject;
  /** The text of an unquoted variable that has been read as a number or the like. */
  textAt(path: Path): string | undefined;
  /** A variable without a value stands here or below; that is reported already. */
  isUnset(path: Path): boolean;
  /** Faults with their lines; without those about values that nobody knows. */
  problems(faults: readonly Fault[]): readonly Problem[];
  expressionAt(path: Path, source: string): Expression;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The problem that a file is, if its root is no mapping of fields. */
export function checkRoot(yaml: YamlFile): readonly Problem[] {
  if (isObject(yaml.value)) return [];
  const message = 'the file must be a mapping of fields';
  return [toProblem(yaml.file, yaml.position([]), { code: 'wrong-type', message })];
}

/** The content of a file that stands alone; its root must be a mapping. */
export function fileContent(yaml: YamlFile): Content {
  return overlay({ yaml, value: yaml.value as JsonObject, raw: yaml.raw as JsonObject });
}

/**
 * A connector file over its catalogue entry: the file wins, field by field; fields of `receive`,
 * `limits` and `operations` one by one.
 */
export function mergedContent(yaml: YamlFile, entry: YamlFile): Content {
  const value = mergeFields(entry.value as JsonObject, yaml.value as JsonObject);
  const raw = mergeFields(entry.raw as JsonObject, yaml.raw as JsonObject);
  return overlay({ yaml, entry, value, raw });
}

function overlay(layers: {
  readonly yaml: YamlFile;
  readonly entry?: YamlFile;
  readonly value: JsonObject;
  readonly raw: JsonObject;
}): Content {
  const { yaml, entry, value, raw } = layers;
  const layerOf = (path: Path) => (entry !== undefined && !yaml.has(path) ? entry : yaml);
  const isUnset = (path: Path) => layerOf(path).isUnset(path);
  const position = ({ path, target }: Fault) =>
    entry === undefined || yaml.has(path.slice(0, 1))
      ? yaml.position(path, target)
      : yaml.position(['uses']);
  return {
    file: yaml.file,
    value,
    raw,
    textAt: (path) => layerOf(path).textAt(path),
    isUnset,
    problems: (faults) =>
      faults
        .filter(({ path }) => !isUnset(path))
        .map((fault) => toProblem(yaml.file, position(fault), withQuoteHint(fault, raw))),
    expressionAt: (path, source) => layerOf(path).expressionAt(path, source),
  };
}

/** A quoted variable is always text, which surprises where a number is wanted. */
function withQuoteHint(fault: Fault, raw: JsonObject): Fault {
  const text = fault.code === 'wrong-type' && fault.hint === undefined && valueAt(raw, fault.path);
  if (typeof text !== 'string' || !hasVariable(text)) return fault;
  return { ...fault, hint: 'write the variable without quotes, on a line of its own' };
}

export function valueAt(value: Json | undefined, path: Path): Json | undefined {
  return path.reduce<Json | undefined>(
    (parent, step) => (parent as Record<string | number, Json> | undefined)?.[step],
    value,
  );
}

const mergedFields = ['receive', 'limits', 'operations'];

function mergeFields(entry: JsonObject, over: JsonObject): JsonObject {
  const parts = Object.entries(entry).filter(([name]) => !entryOnlyFields.includes(name));
  const base: JsonObject = Object.fromEntries(parts);
  const merged: Record<string, Json> = { ...base, ...over };
  for (const name of mergedFields) {
    const [below, above] = [base[name], over[name]];
    if (isObject(below) && isObject(above)) merged[name] = { ...below, ...above };
  }
  return merged;
}

/**
 * Checks a value, and where an unquoted variable was read as a number that the schema does not
 * want, checks again with its text. The better of the two counts.
 */
export function settle(
  content: Content,
  check: (value: JsonObject) => readonly Fault[],
): { readonly value: JsonObject; readonly faults: readonly Fault[] } {
  const faults = check(content.value);
  const retyped = faults.filter(({ path }) => content.textAt(path) !== undefined);
  if (retyped.length === 0) return { value: content.value, faults };
  const value = withTexts(
    content,
    content.value,
    retyped.map(({ path }) => path),
  );
  const faultsAgain = check(value);
  if (faultsAgain.length >= faults.length) return { value: content.value, faults };
  return { value, faults: faultsAgain };
}

/** `value` with the texts of the variables at `paths`, as they were before they were read. */
export function withTexts(content: Content, value: JsonObject, paths: readonly Path[]): JsonObject {
  return paths.reduce<JsonObject>((whole, path) => {
    const text = content.textAt(path);
    return text === undefined ? whole : (setAt(whole, path, text) as JsonObject);
  }, value);
}

/** `value` without what stands at `path`; a list goes as a whole. */
export function withoutAt(value: JsonObject, path: Path): JsonObject {
  const parentPath = path.slice(0, -1);
  const parent = valueAt(value, parentPath);
  const last = path.at(-1);
  if (last === undefined) return {};
  if (!isObject(parent)) return withoutAt(value, parentPath);
  const rest = Object.entries(parent).filter(([name]) => name !== last);
  return setAt(value, parentPath, Object.fromEntries(rest)) as JsonObject;
}

function setAt(value: Json | undefined, path: Path, leaf: Json): Json {
  const [step, ...rest] = path;
  if (step === undefined) return leaf;
  if (Array.isArray(value)) {
    const list: readonly Json[] = value;
    return list.map((item, index) => (index === Number(step) ? setAt(item, rest, leaf) : item));
  }
  if (!isObject(value)) return leaf;
  return { ...value, [step]: setAt(value[step], rest, leaf) };
}
