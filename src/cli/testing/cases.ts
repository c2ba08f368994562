// The cases of a `.test.yaml` file as they are run. Their shape was checked when the definitions
// were loaded (definitions/test-schemas.ts), so they are only read here.

import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { SourceText } from '../../definitions/read-folder.ts';
import type { DeliveryState } from '../../model/delivery.ts';
import type { EventContext, Headers } from '../../model/event.ts';
import { decodeJson } from '../../model/json-text.ts';
import {
  type Digits,
  type ExactValue,
  formatExact,
  parseExactJson,
  parseYamlList,
} from '../exact-value.ts';

/** What cases without `now` believe in, so that they come out the same on every day. */
const DEFAULT_NOW = '2026-01-01T00:00:00.000Z';

export interface MappingCase {
  readonly name: string;
  readonly line: number;
  readonly nowMs: number;
  readonly input: Buffer;
  readonly event: Partial<EventContext>;
  readonly expected: { readonly output: ExactValue } | { readonly error: string };
}

export interface Webhook {
  readonly connector: string;
  readonly topic: string;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** What an outside system answers to one call. */
export interface Answer {
  readonly status?: Digits;
  readonly headers?: Headers;
  readonly body?: ExactValue;
  readonly error?: 'timeout' | 'connection';
}

export interface ExpectedRequest {
  readonly to: string;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Headers;
  readonly body?: ExactValue;
}

export interface Expectation {
  readonly state: DeliveryState;
  readonly attempts?: Digits;
  readonly requests?: readonly ExpectedRequest[];
  readonly error?: string;
  readonly emits?: readonly { readonly topic: string; readonly body?: ExactValue }[];
}

export interface FlowCase {
  readonly name: string;
  readonly line: number;
  readonly nowMs: number;
  readonly webhook: Webhook;
  /** By `<connector>.<operation>`, call by call; the last one repeats. */
  readonly answers: Readonly<Record<string, readonly Answer[]>>;
  readonly expect: Expectation;
}

interface MappingCaseFile {
  readonly name: string;
  readonly input?: ExactValue;
  readonly inputFile?: string;
  readonly event?: Partial<EventContext>;
  readonly now?: string;
  readonly output?: ExactValue;
  readonly outputFile?: string;
  readonly error?: string;
}

interface FlowCaseFile {
  readonly name: string;
  readonly webhook: {
    readonly connector: string;
    readonly topic: string;
    readonly headers?: Headers;
    readonly body?: ExactValue;
    readonly bodyFile?: string;
    readonly raw?: string;
  };
  readonly now?: string;
  readonly answers?: FlowCase['answers'];
  readonly expect: Expectation;
}

/** @param folder absolute path of the project folder. */
export function readMappingCases(
  folder: string,
  source: SourceText,
): Promise<readonly MappingCase[]> {
  return Promise.all(
    parseYamlList(source.text).map(async ({ line, value }): Promise<MappingCase> => {
      const written = value as unknown as MappingCaseFile;
      const read = (path: string) => readBeside(folder, source.file, path);
      const { name, event = {}, inputFile, outputFile, error } = written;
      return {
        name,
        line,
        event,
        nowMs: Date.parse(written.now ?? DEFAULT_NOW),
        input: inputFile === undefined ? bytesOf(written.input) : await read(inputFile),
        expected:
          error === undefined
            ? {
                output:
                  outputFile === undefined
                    ? (written.output ?? null)
                    : await json(read(outputFile)),
              }
            : { error },
      };
    }),
  );
}

/** @param folder absolute path of the project folder. */
export function readFlowCases(folder: string, source: SourceText): Promise<readonly FlowCase[]> {
  return Promise.all(
    parseYamlList(source.text).map(async ({ line, value }): Promise<FlowCase> => {
      const { name, webhook, now, answers = {}, expect } = value as unknown as FlowCaseFile;
      const { connector, topic, headers = {} } = webhook;
      const body = await webhookBody(folder, source.file, webhook);
      return {
        name,
        line,
        nowMs: Date.parse(now ?? DEFAULT_NOW),
        webhook: { connector, topic, headers: lowerCaseNames(headers), body },
        answers,
        expect,
      };
    }),
  );
}

async function webhookBody(
  folder: string,
  testFile: string,
  { body, bodyFile, raw }: FlowCaseFile['webhook'],
): Promise<Buffer> {
  if (bodyFile !== undefined) return readBeside(folder, testFile, bodyFile);
  return raw === undefined ? bytesOf(body) : Buffer.from(raw);
}

function readBeside(folder: string, testFile: string, path: string): Promise<Buffer> {
  return readFile(join(folder, dirname(testFile), path));
}

async function json(bytes: Promise<Buffer>): Promise<ExactValue> {
  return parseExactJson(decodeJson(await bytes));
}

function bytesOf(value: ExactValue | undefined): Buffer {
  return Buffer.from(formatExact(value ?? null));
}

export function lowerCaseNames(headers: Headers): Headers {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}
