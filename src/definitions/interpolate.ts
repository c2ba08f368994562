// `${NAME}` and `${NAME:default}` in the text of definition files.

import type { Json } from '../model/json.ts';

/** What a variable stands for; `undefined` where it has no value. */
export type Lookup = (name: string) => string | undefined;

export interface Interpolation {
  readonly text: string;
  /** The whole text was one variable, so that an unquoted one may become a number. */
  readonly whole: boolean;
  /** Names without a value and without a default. */
  readonly unset: readonly string[];
  /** Pieces that begin like a variable but are none. */
  readonly malformed: readonly string[];
  /** Values that came from the lookup (not from a default), by name. */
  readonly values: ReadonlyMap<string, string>;
}

const placeholder = /\$\$\{|\$\{([^{}]*)\}|\$\{/g;
const variable = /^((?:settings\.)?[A-Za-z_][A-Za-z0-9_]*)(?::([\s\S]*))?$/;

export function hasVariable(text: string): boolean {
  return /(?<!\$)\$\{/.test(text);
}

/** `text` without its variables, and without the plain `${` that `$${` stands for. */
export function withoutVariables(text: string): string {
  return text.replace(placeholder, '');
}

/**
 * Puts values in the place of variables. `$${` stands for a plain `${`. What is unset or malformed
 * stays in the text as it was.
 */
export function interpolate(text: string, lookup: Lookup): Interpolation {
  const unset: string[] = [];
  const malformed: string[] = [];
  const values = new Map<string, string>();
  const replaced = text.replace(placeholder, (piece: string, inside: string | undefined) => {
    if (piece === '$${') return '${';
    const [, name, byDefault] = variable.exec(inside ?? '') ?? [];
    if (name === undefined) {
      malformed.push(piece);
      return piece;
    }
    const value = lookup(name);
    if (value !== undefined) values.set(name, value);
    if (value === undefined && byDefault === undefined) unset.push(name);
    return value ?? byDefault ?? piece;
  });
  const whole = /^\$\{[^{}]*\}$/.test(text);
  return { text: replaced, whole, unset, malformed, values };
}

/**
 * A plain scalar as YAML's core schema reads it (https://yaml.org/spec/1.2.2/#103-core-schema):
 * numbers, booleans and null. Empty text stays text, and so does a number that would change.
 */
export function readCoreScalar(text: string): Json {
  if (/^(?:true|True|TRUE)$/.test(text)) return true;
  if (/^(?:false|False|FALSE)$/.test(text)) return false;
  if (/^(?:null|Null|NULL|~)$/.test(text)) return null;
  if (/^[-+]?[0-9]+$/.test(text)) return Number.isSafeInteger(Number(text)) ? Number(text) : text;
  const isFloat = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/.test(text);
  return isFloat && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** Looks names up in an environment, where an empty variable counts as one that is not set. */
export function environmentLookup(
  environment: Readonly<Record<string, string | undefined>>,
): Lookup {
  return (name) => (Object.hasOwn(environment, name) ? environment[name] || undefined : undefined);
}
