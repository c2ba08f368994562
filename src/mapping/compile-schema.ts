// JSON Schema checks by Ajv, in the child: a schema is code, and its patterns run over bodies.

import { createRequire } from 'node:module';
import { compileFunction } from 'node:vm';
import type { Ajv, ErrorObject, Options, ValidateFunction } from 'ajv';
import type { SchemaText } from '../model/flow-revision.ts';
import { compileRegex } from './regex-engine.ts';

/** What is wrong with a value, without the value: its path and the rule. `undefined`: nothing. */
export type SchemaCheck = (value: unknown) => string | undefined;

/** Decimals up to which `multipleOf` forgives what doubles do to 4.35. */
const MULTIPLE_OF_DECIMALS = 8;

const options: Options = {
  // Unknown keywords and formats are mistakes; how a vendor spells its types is not ours to judge.
  strict: true,
  strictTypes: false,
  strictTuples: false,
  strictRequired: false,
  logger: false,
  allErrors: false,
  coerceTypes: false,
  multipleOfPrecision: MULTIPLE_OF_DECIMALS,
  code: { regExp: Object.assign(toLinearRegex, { code: 'toLinearRegex' }) },
};

/** Throws an Error whose message names the schema's file. */
export function compileSchema(schema: SchemaText): SchemaCheck {
  try {
    const document = JSON.parse(schema.text) as { $schema?: unknown };
    const validate = compile(createAjv(document.$schema), document);
    return (value) => (validate(value) ? undefined : describe(schema, validate.errors?.[0]));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${schema.file}: the schema is unusable: ${reason}`, { cause: error });
  }
}

// Loading Ajv takes over 50 ms, and few programs have a schema.
const require = createRequire(import.meta.url);

function createAjv(dialect: unknown): Ajv {
  const isDraft7 = typeof dialect === 'string' && dialect.includes('draft-07');
  const { default: Validator } = require(isDraft7 ? 'ajv' : 'ajv/dist/2020.js') as {
    default: new (options: Options) => Ajv;
  };
  const { default: addFormats } = require('ajv-formats') as {
    default: (ajv: Ajv, options: { mode: 'fast' }) => void;
  };
  const ajv = new Validator(options);
  addFormats(ajv, { mode: 'fast' });
  return ajv;
}

/**
 * Ajv makes code with `new Function`, which this process forbids so that a hole in JSONata does
 * not lead to code. While Ajv compiles, and only then, the name `Function` means `node:vm`; the
 * constructor that objects lead to stays closed.
 */
function compile(ajv: Ajv, schema: object): ValidateFunction {
  const original = globalThis.Function;
  try {
    globalThis.Function = fromVm as unknown as FunctionConstructor;
    return ajv.compile(schema);
  } finally {
    globalThis.Function = original;
  }
}

function fromVm(...parts: string[]) {
  return compileFunction(parts.at(-1) ?? '', parts.slice(0, -1));
}

function toLinearRegex(pattern: string) {
  const regex = compileRegex(pattern, '');
  // Ajv tells patterns apart by their text.
  return { test: (text: string) => regex.test(text), toString: () => pattern };
}

function describe(schema: SchemaText, error: ErrorObject | undefined): string {
  const path = error?.instancePath ?? '';
  // A key that the schema does not name is data.
  const shown = path
    .split('/')
    .map((part) => (/^\d{0,9}$/.test(part) || schema.text.includes(`"${part}"`) ? part : '*'))
    .join('/');
  const where = shown === '' ? 'the value' : shown;
  return `${schema.file}: ${where} ${error?.message ?? 'is invalid'}`;
}
