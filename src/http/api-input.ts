// What a request to `/api/v1` brings, checked before anything is done with it.

import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { CrossdockError } from '../model/errors.ts';
import { type InputName, inputSchemas, PAGE_MAX } from './api-schemas.ts';

const validators = compileAll();

function compileAll(): ReadonlyMap<string, ValidateFunction> {
  const ajv = new Ajv2020({ strict: true, allErrors: false });
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
  if (additionalProperty !== undefined) return `${where}: there is no field ${additionalProperty}`;
  const known = allowedValues === undefined ? '' : `: ${allowedValues.join(', ')}`;
  return `${where}: it ${error?.message ?? 'is not what it must be'}${known}`;
}

/** A list's query parameters with `limit` as a number. */
export function checkList<T extends { readonly limit?: number }>(
  name: InputName,
  query: unknown,
): T {
  const { limit, ...rest } = checkInput<Omit<T, 'limit'> & { readonly limit?: string }>(name, {
    ...(query as object),
  });
  const size = limit === undefined ? {} : { limit: Math.min(PAGE_MAX, Number(limit)) };
  return { ...rest, ...size } as unknown as T;
}
