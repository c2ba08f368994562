// Which values of a connector are secret: to refuse them in clear, and to redact them everywhere.

import type { Json, JsonObject } from '../model/json.ts';
import { type Content, isObject, valueAt } from './content.ts';
import { type Fault, fault, type Path } from './fault.ts';
import { hasVariable, withoutVariables } from './interpolate.ts';

/** Shorter values are not redacted: they would blacken ordinary text. */
const SECRET_LENGTH_MIN = 4;

/** Paths of all scalars at or below `pattern`, where a `*` step stands for any key or index. */
export function leavesAt(value: Json | undefined, pattern: readonly string[]): readonly Path[] {
  const [step, ...rest] = pattern;
  if (Array.isArray(value)) {
    const list: readonly Json[] = value;
    return list.flatMap((item, index) =>
      step === undefined || step === '*' || step === String(index)
        ? leavesAt(item, rest).map((path) => [index, ...path])
        : [],
    );
  }
  if (isObject(value)) {
    const keys = Object.keys(value);
    return keys
      .filter((key) => step === undefined || step === '*' || step === key)
      .flatMap((key) => leavesAt(value[key], rest).map((path) => [key, ...path]));
  }
  return step === undefined && value !== undefined && value !== null ? [[]] : [];
}

/**
 * The patterns of the values at or below `pattern` whose key is like `names`. A value with a
 * placeholder of a kind's own (`{…}`) is made of the message and no secret of the file.
 */
export function namedPatterns(
  raw: JsonObject,
  pattern: readonly string[],
  names: RegExp,
): readonly (readonly string[])[] {
  return leavesAt(raw, pattern)
    .filter((path) => names.test(String(path.at(-1))))
    .filter((path) => !withoutVariables(String(valueAt(raw, path))).includes('{'))
    .map((path) => path.map(String));
}

/** Secrets that stand in the file itself instead of in a variable. */
export function checkSecrets(
  content: Content,
  patterns: readonly (readonly string[])[],
): readonly Fault[] {
  return patterns
    .flatMap((pattern) => leavesAt(content.raw, pattern))
    .filter((path) => {
      const text = String(valueAt(content.raw, path));
      return text !== '' && !hasVariable(text);
    })
    .map((path) => {
      const message = `"${path.join('.')}" is a secret and is written in clear`;
      const hint = 'put it into an environment variable';
      return fault(path, 'secret-in-clear', { message, hint });
    });
}

/** Every secret that a connector knows, longest first, so that redaction leaves no tails. */
export function collectSecrets(
  value: JsonObject,
  patterns: readonly (readonly string[])[],
  others: Iterable<string>,
): readonly string[] {
  const paths = patterns.flatMap((pattern) => leavesAt(value, pattern));
  const all = new Set([...paths.map((path) => String(valueAt(value, path))), ...others]);
  return [...all]
    .filter((secret) => secret.length >= SECRET_LENGTH_MIN)
    .sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
}

/** Values of variables whose names say that they are secret. */
export function secretVariables(variables: ReadonlyMap<string, string>): readonly string[] {
  return [...variables]
    .filter(([name]) => /SECRET|TOKEN|PASSWORD|KEY/i.test(name))
    .map(([, value]) => value);
}
