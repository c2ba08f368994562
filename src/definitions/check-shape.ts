// Holds a value against a JSON Schema and says what is wrong in words of this house. Owns the
// translation of Ajv's errors, above all of `oneOf`, where Ajv reports every branch.

import { Ajv, type ErrorObject } from 'ajv';
import addFormats from 'ajv-formats';
import type { Json, JsonObject } from '../model/json.ts';
import { didYouMean, didYouMeanOrKnown } from '../model/suggest.ts';
import { type Fault, fault, type Path } from './fault.ts';

export interface Shape {
  readonly schema: JsonObject;
  readonly value: Json;
  /** Where the value stands in its file. @default the root */
  readonly path?: Path;
  /** Fields that exist beside those of the schema, for suggestions. */
  readonly alsoKnown?: readonly string[];
}

/** Errors of one value that are looked at, and faults that are made of them. */
const ERRORS_MAX = 1_000;
const FAULTS_MAX = 100;

/** Says all that is wrong with a value; holds the compiled schemas of one load. */
export type ShapeChecker = (shape: Shape) => readonly Fault[];

/** Files are trusted and small, so all errors are collected; nothing is coerced. */
export function createShapeChecker(): ShapeChecker {
  const ajv = new Ajv({
    strict: true,
    strictRequired: false,
    allowUnionTypes: true,
    allErrors: true,
    verbose: true,
    // They are this house's own, and held to JSON Schema by a test.
    validateSchema: false,
    // Optimizing takes longer than a few small files ever win back.
    code: { optimize: false },
  });
  addFormats.default(ajv, { mode: 'fast' });
  return ({ schema, value, path = [], alsoKnown = [] }) => {
    const validate = ajv.compile(schema);
    if (validate(value)) return [];
    const context = { base: path, root: value, alsoKnown };
    const errors = (validate.errors ?? []).slice(0, ERRORS_MAX);
    return faultsOf(errors, context).slice(0, FAULTS_MAX);
  };
}

interface Context {
  readonly base: Path;
  readonly root: Json;
  readonly alsoKnown: readonly string[];
}

function faultsOf(errors: readonly ErrorObject[], context: Context): readonly Fault[] {
  const choices = errors.filter(isChoice);
  const outermost = choices.filter(
    (choice) => !choices.some((other) => other !== choice && isUnder(choice, other)),
  );
  const plain = errors.filter(
    (error) => !isChoice(error) && !isNoise(error) && !outermost.some((one) => isUnder(error, one)),
  );
  return [
    ...plain.map((error) => translate(error, context)),
    ...outermost.flatMap((choice) => {
      const inner = errors.filter((error) => error !== choice && isUnder(error, choice));
      return choiceFaults(choice, inner, context);
    }),
  ];
}

function isChoice(error: ErrorObject): boolean {
  return error.keyword === 'oneOf' || error.keyword === 'anyOf';
}

/** `if` and `propertyNames` only repeat what their inner errors say. */
function isNoise(error: ErrorObject): boolean {
  return error.keyword === 'if' || error.keyword === 'propertyNames';
}

function isUnder(error: ErrorObject, choice: ErrorObject): boolean {
  return (
    error.schemaPath.startsWith(`${choice.schemaPath}/`) &&
    error.instancePath.startsWith(choice.instancePath)
  );
}

/** The faults of the branch that was most likely meant. */
function choiceFaults(
  choice: ErrorObject,
  inner: readonly ErrorObject[],
  context: Context,
): readonly Fault[] {
  const branches = branchesOf(choice, inner);
  if (branches.length === 0) {
    const message = `${labelOf(choice, context)} says the same thing in more than one way`;
    return [fault(pathOf(choice, context), 'wrong-value', { message, hint: 'keep one of them' })];
  }
  const fitting = branches.filter((branch) => !branch.some((error) => isMismatch(error, choice)));
  if (fitting.length === 0) return [mismatchFault(choice, branches.flat(), context)];
  const cost = (branch: readonly ErrorObject[]) =>
    branch.reduce((sum, error) => sum + (error.instancePath === choice.instancePath ? 100 : 1), 0);
  const cheapest = Math.min(...fitting.map(cost));
  const best = fitting.filter((branch) => cost(branch) === cheapest);
  if (best.length === 1) return faultsOf(best[0] ?? [], context);
  return tieFaults(choice, best.flat(), context);
}

function branchesOf(
  choice: ErrorObject,
  inner: readonly ErrorObject[],
): readonly (readonly ErrorObject[])[] {
  const byIndex = new Map<string, ErrorObject[]>();
  for (const error of inner) {
    const index = error.schemaPath.slice(choice.schemaPath.length + 1).split('/', 1)[0] ?? '';
    byIndex.set(index, [...(byIndex.get(index) ?? []), error]);
  }
  return [...byIndex.values()];
}

/** The branch is about another type or word altogether. */
function isMismatch(error: ErrorObject, choice: ErrorObject): boolean {
  const keywords = ['type', 'enum', 'const', 'pattern', 'format'];
  return error.instancePath === choice.instancePath && keywords.includes(error.keyword);
}

function mismatchFault(
  choice: ErrorObject,
  errors: readonly ErrorObject[],
  context: Context,
): Fault {
  const own = errors.filter((error) => isMismatch(error, choice));
  const wrongForm = own.find((error) => error.keyword === 'pattern' || error.keyword === 'format');
  if (wrongForm !== undefined) return translate(wrongForm, context);
  const words = own.flatMap(allowedWords);
  const types = own.filter(({ keyword }) => keyword === 'type').map(expectedType);
  const allowed = [...new Set([...words.map((word) => JSON.stringify(word)), ...types])];
  const isWord = typeof choice.data === 'string' && words.length > 0;
  const code = isWord || types.length === 0 ? 'wrong-value' : 'wrong-type';
  return fault(pathOf(choice, context), code, {
    message: `${labelOf(choice, context)} must be ${allowed.join(' or ')}`,
    hint: suggestionFor(choice.data, words),
  });
}

/** Several branches fit equally badly: name what all of them know, or what any of them wants. */
function tieFaults(
  choice: ErrorObject,
  errors: readonly ErrorObject[],
  context: Context,
): readonly Fault[] {
  const unknown = errors.filter(({ keyword }) => keyword === 'additionalProperties');
  if (unknown.length > 0) {
    const alsoKnown = [...context.alsoKnown, ...unknown.flatMap(knownFields)];
    const byName = new Map(unknown.map((error) => [error.params['additionalProperty'], error]));
    return [...byName.values()].map((error) => translate(error, { ...context, alsoKnown }));
  }
  const missing = errors.filter(({ keyword }) => keyword === 'required');
  if (missing.length === 0) return errors.slice(0, 1).map((error) => translate(error, context));
  const names = new Set(missing.map((error) => `"${error.params['missingProperty']}"`));
  const message = `${labelOf(choice, context)} needs one of ${[...names].join(', ')}`;
  return [fault(pathOf(choice, context), 'missing-field', { message, target: 'key' })];
}

type Translation = (error: ErrorObject, context: Context) => Fault;

const translations: Readonly<Record<string, Translation>> = {
  additionalProperties: (error, context) => {
    const name = String(error.params['additionalProperty']);
    const known = [...knownFields(error), ...context.alsoKnown];
    return fault([...pathOf(error, context), name], 'unknown-field', {
      message: `"${name}" is not a field of ${placeOf(error, context)}`,
      hint: didYouMeanOrKnown(name, known),
      target: 'key',
    });
  },
  required: (error, context) => {
    const name = String(error.params['missingProperty']);
    const hint = firstSentence(error.parentSchema?.['properties']?.[name]?.description);
    const message = `"${name}" is missing in ${placeOf(error, context)}`;
    return fault(pathOf(error, context), 'missing-field', { message, hint, target: 'key' });
  },
  type: (error, context) =>
    fault(pathOf(error, context), 'wrong-type', {
      message: `${labelOf(error, context)} must be ${expectedType(error)}, not ${typeName(error.data)}`,
    }),
  enum: (error, context) => {
    const words = allowedWords(error);
    return fault(pathOf(error, context), 'wrong-value', {
      message: `${labelOf(error, context)} must be one of ${words.join(', ')}`,
      hint: suggestionFor(error.data, words),
    });
  },
  const: (error, context) =>
    fault(pathOf(error, context), 'wrong-value', {
      message: `${labelOf(error, context)} must be ${JSON.stringify(error.params['allowedValue'])}`,
    }),
  pattern: wrongForm,
  format: wrongForm,
};

function translate(error: ErrorObject, context: Context): Fault {
  if (error.propertyName !== undefined) {
    const path = [...pathOf(error, context), error.propertyName];
    const message = `"${error.propertyName}" is no possible name here`;
    return fault(path, 'wrong-value', { message, hint: exampleOf(error), target: 'key' });
  }
  const translation = translations[error.keyword];
  if (translation !== undefined) return translation(error, context);
  const rule = limitWords[error.keyword]?.(error.params['limit']) ?? error.message;
  const message = `${labelOf(error, context)} ${rule ?? 'is not allowed'}`;
  return fault(pathOf(error, context), 'wrong-value', { message });
}

const limitWords: Readonly<Record<string, (limit: unknown) => string>> = {
  minLength: (limit) => (limit === 1 ? 'must not be empty' : `needs ${limit} characters`),
  maxLength: (limit) => `must not have more than ${limit} characters`,
  minItems: (limit) => (limit === 1 ? 'must not be empty' : `needs ${limit} items`),
  maxItems: (limit) => `must not have more than ${limit} items`,
  minProperties: (limit) => (limit === 1 ? 'must not be empty' : `needs ${limit} fields`),
  maxProperties: (limit) => `must not have more than ${limit} of its fields at once`,
  minimum: (limit) => `must be at least ${limit}`,
  maximum: (limit) => `must be at most ${limit}`,
  uniqueItems: () => 'must not hold the same item twice',
};

function wrongForm(error: ErrorObject, context: Context): Fault {
  const what = firstSentence(error.parentSchema?.['description']);
  const message = `${labelOf(error, context)} is not written in its form`;
  const hint = exampleOf(error) ?? what;
  return fault(pathOf(error, context), 'wrong-value', { message, hint });
}

function knownFields(error: ErrorObject): readonly string[] {
  return Object.keys(error.parentSchema?.['properties'] ?? {});
}

function allowedWords(error: ErrorObject): readonly string[] {
  if (error.keyword === 'const') return [String(error.params['allowedValue'])];
  return error.keyword === 'enum' ? (error.params['allowedValues'] as unknown[]).map(String) : [];
}

function suggestionFor(value: unknown, words: readonly string[]): string | undefined {
  return typeof value === 'string' ? didYouMean(value, words) : undefined;
}

function exampleOf(error: ErrorObject): string | undefined {
  const examples: unknown = error.parentSchema?.['examples'];
  return Array.isArray(examples) && examples.length > 0 ? `for example ${examples[0]}` : undefined;
}

const typeWords: Readonly<Record<string, string>> = {
  object: 'a mapping',
  array: 'a list',
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  null: 'empty',
};

function expectedType(error: ErrorObject): string {
  const types = [error.params['type']].flat().map(String);
  return types.map((type) => typeWords[type] ?? type).join(' or ');
}

function typeName(value: unknown): string {
  if (value === null) return 'empty';
  return typeWords[Array.isArray(value) ? 'array' : typeof value] ?? 'this';
}

function firstSentence(text: unknown): string | undefined {
  if (typeof text !== 'string' || text === '') return undefined;
  return (/^.*?[.](?= |$)/.exec(text)?.[0] ?? text).replace(/\.$/, '');
}

function placeOf(error: ErrorObject, context: Context): string {
  const path = pathOf(error, context);
  return path.length === 0 ? 'this file' : quotedPath(path);
}

function labelOf(error: ErrorObject, context: Context): string {
  const path = pathOf(error, context);
  return path.length === 0 ? 'the file' : quotedPath(path);
}

function quotedPath(path: Path): string {
  const text = path
    .map((step) => (typeof step === 'number' ? `[${step + 1}]` : `.${step}`))
    .join('');
  return `"${text.replace(/^\./, '')}"`;
}

/** Ajv's JSON pointer as keys and indexes, told apart by walking the value along. */
function pathOf(error: ErrorObject, context: Context): Path {
  const steps = error.instancePath.split('/').slice(1);
  const path: (string | number)[] = [...context.base];
  let value: unknown = context.root;
  for (const step of steps) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(value) ? Number(key) : key);
    value = (value as Record<string, unknown> | null | undefined)?.[key];
  }
  return path;
}
