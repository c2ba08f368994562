// The files of schemas/: JSON Schemas that flows validate messages by.

import { Ajv, type AnySchema } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { RE2JS } from 're2js';
import type { SchemaText } from '../model/flow-revision.ts';
import type { Problem } from '../model/problem.ts';
import { type Position, toProblem } from './fault.ts';
import type { SourceText } from './read-folder.ts';
import { parseYamlFile } from './yaml-file.ts';

export interface SchemaReading {
  readonly schema: SchemaText;
  readonly problems: readonly Problem[];
}

/** The mapping room validates by the same strict rules, and with patterns of linear time only. */
const options = {
  strict: true,
  code: { regExp: Object.assign(toLinearRegex, { code: 'toLinearRegex' }) },
} as const;

/**
 * Makes a reader of schemas of draft 2020-12 (the default) and draft-07. It reads strictly: unknown
 * keywords and formats are mistakes, and so are patterns with look-around or backreferences.
 */
export function createSchemaReader(): (source: SourceText) => SchemaReading {
  const draft07 = addFormats.default(new Ajv(options), { mode: 'fast' });
  const draft2020 = addFormats.default(new Ajv2020(options), { mode: 'fast' });
  return (source) => {
    const schema: SchemaText = { file: source.file, text: source.text };
    let parsed: AnySchema;
    try {
      parsed = JSON.parse(source.text);
    } catch (error) {
      const message = `is not JSON: ${(error as Error).message.split('\n', 1)[0]}`;
      const at = syntaxPosition(source, String(error));
      return { schema, problems: [toProblem(source.file, at, { code: 'json-syntax', message })] };
    }
    const ajv = isDraft07(parsed) ? draft07 : draft2020;
    try {
      ajv.compile(parsed);
      ajv.removeSchema(parsed);
      return { schema, problems: [] };
    } catch (error) {
      const message = `is no usable JSON Schema: ${(error as Error).message}`;
      const at = mentionPosition(source.text, message);
      return {
        schema,
        problems: [toProblem(source.file, at, { code: 'schema-invalid', message })],
      };
    }
  };
}

/** Ajv tells patterns apart by their `toString`. */
function toLinearRegex(pattern: string) {
  const regex = RE2JS.compile(RE2JS.translateRegExp(pattern));
  return { test: (text: string) => regex.test(text), toString: () => pattern };
}

function isDraft07(schema: AnySchema): boolean {
  return typeof schema === 'object' && /draft-07/.test(String(schema['$schema']));
}

/** V8 names the offset of some mistakes only; YAML, which JSON is a part of, finds most others. */
function syntaxPosition(source: SourceText, message: string): Position {
  const offset = /at position (\d+)/.exec(message)?.[1];
  if (offset !== undefined) return positionAt(source.text, Number(offset));
  const [first] = parseYamlFile(source).problems;
  return { line: first?.line ?? 1, column: first?.column ?? 1 };
}

/** The first place that a quoted word of the message stands at. */
function mentionPosition(text: string, message: string): Position {
  const word = /keyword: "([^"]+)"|format "([^"]+)"|reference (\S+)/.exec(message);
  const mentioned = word?.slice(1).find((part) => part !== undefined);
  const offset = mentioned === undefined ? -1 : text.indexOf(`"${mentioned}"`);
  return positionAt(text, Math.max(0, offset));
}

function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
