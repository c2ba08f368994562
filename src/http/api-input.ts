// What a request to `/api/v1` brings, checked before anything is done with it.

import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { CrossdockError } from '../model/errors.ts';
import { didYouMean } from '../model/suggest.ts';
import { type InputName, inputSchemas } from './api-schemas.ts';

const validators = compileAll();

function compileAll(): ReadonlyMap<string, ValidateFunction> {
  const ajv = new Ajv2020({ strict: true, allErrors: false, verbose: true });
  addFormats.default(ajv, ['uuid', 'date-time']);
  return new Map(Object.entries(inputSchemas).map(([name, schema]) => [name, ajv.compile(schema)]));
}

/** `value` as the schema says. Rejects `request-malformed`, naming the field. */
export function checkInput<T>(name: InputName, value: unknown): T {
  const validate = validators.get(name);
  if (validate === undefined) throw new Error(`no schema ${name}`);
  if (validate(value)) return value as T;
  throw new CrossdockError('request-malformed', explain(validate.errors?.[0]));
}

function explain(error: ErrorObject | undefined): string {
  const where = error?.instancePath.slice(1).replaceAll('/', '.') || 'the request';
  const { additionalProperty, allowedValues } = (error?.params ?? {}) as {
    readonly additionalProperty?: string;
    readonly allowedValues?: readonly unknown[];
  };
  const { description, properties = {} } = (error?.parentSchema ?? {}) as {
    readonly description?: string;
    readonly properties?: object;
  };
  if (additionalProperty !== undefined) {
    const hint = didYouMean(additionalProperty, Object.keys(properties));
    const known = hint ?? `it knows ${Object.keys(properties).join(', ')}`;
    return `${where}: there is no field ${additionalProperty}; ${known}`;
  }
  if (allowedValues !== undefined) {
    const hint = didYouMean(String(error?.data), allowedValues.map(String));
    const known = `it must be one of ${allowedValues.join(', ')}`;
    return `${where}: ${known}${hint === undefined ? '' : `; ${hint}`}`;
  }
  if (isOfWords(error) && description !== undefined) {
    return `${where}: it must be ${description[0]?.toLowerCase()}${description.slice(1, -1)}`;
  }
  if (error?.keyword === 'type') return `${where}: it must be a JSON ${error.params['type']}`;
  return `${where}: it ${error?.message ?? 'is not what it must be'}`;
}

/** What no sentence of the validator says so that a person knows what to write. */
function isOfWords(error: ErrorObject | undefined): boolean {
  return error?.keyword === 'pattern' || error?.keyword === 'format';
}

/** A list's query parameters with `limit` as a number. */
export function checkList<T extends { readonly limit?: number }>(
  name: InputName,
  query: unknown,
): T {
  const { limit, ...rest } = checkInput<Omit<T, 'limit'> & { readonly limit?: string }>(name, {
    ...(query as object),
  });
  const size = limit === undefined ? {} : { limit: Number(limit) };
  return { ...rest, ...size } as unknown as T;
}
