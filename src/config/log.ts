// The log: one JSON object a line on standard output. Callers pass ids, sizes and codes; what they
// pass by mistake (a body, a credential, an axios error with its config) is cut out here.

import { pino } from 'pino';
import type { Log } from '../model/log.ts';

export interface LogOptions {
  /** `debug`, `info`, `warn`, `error` or `silent`. */
  readonly level: string;
  /** On every line; which part of the hub this process is. */
  readonly role?: string;
  /** One readable line instead of JSON, for a terminal. @default false */
  readonly pretty?: boolean;
  /** Takes the lines. @default standard output */
  readonly to?: { write(line: string): void };
}

const secretKey =
  /authorization|cookie|hmac|signature|token|secret|passw(or)?d|passphrase|(api|private)[-_]?key/i;
const bodyKey = /^(raw[-_]?)?body$|^payload$/i;
const urlCredentials = /\/\/[^\s/@]*:[^\s/@]*@/g;

const DEPTH_MAX = 6;
const CAUSES_MAX = 5;
const ITEMS_MAX = 50;
const STRING_LENGTH_MAX = 8_192;

export function createLog(options: LogOptions): Log {
  const to = options.to ?? pino.destination({ fd: 1, sync: true });
  return pino(
    {
      level: options.level,
      base: { pid: process.pid, ...(options.role === undefined ? {} : { role: options.role }) },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => cleanFields(fields, 0),
      },
      // Errors are cleaned with the other fields; pino's own serializer would copy all they carry.
      serializers: { err: (error) => error },
    },
    options.pretty === true ? { write: (line: string) => to.write(readable(line)) } : to,
  );
}

/** Name, code, message, stack and causes of an error, and nothing else that hangs on it. */
export function describeError(error: Error, depth = 0): object {
  const { code } = error as { code?: unknown };
  const { cause } = error;
  const errors = error instanceof AggregateError ? error.errors.slice(0, CAUSES_MAX) : undefined;
  const inner = (value: unknown) =>
    value instanceof Error ? describeError(value, depth + 1) : clean(value, DEPTH_MAX);
  return {
    name: error.name,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    message: cleanText(error.message),
    ...(error.stack === undefined ? {} : { stack: cleanText(error.stack) }),
    ...(cause === undefined || depth >= CAUSES_MAX ? {} : { cause: inner(cause) }),
    ...(errors === undefined || depth >= CAUSES_MAX ? {} : { errors: errors.map(inner) }),
  };
}

function cleanFields(fields: object, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => {
      if (value !== undefined && secretKey.test(key)) return [key, '[redacted]'];
      if (value !== undefined && bodyKey.test(key)) return [key, '[left out]'];
      return [key, clean(value, depth)];
    }),
  );
}

function clean(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return describeError(value);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if ('toJSON' in value && typeof value.toJSON === 'function') return clean(value.toJSON(), depth);
  if (depth >= DEPTH_MAX) return '[left out]';
  if (Array.isArray(value)) return value.slice(0, ITEMS_MAX).map((item) => clean(item, depth + 1));
  return cleanFields(value, depth + 1);
}

function cleanText(text: string): string {
  const cut = text.length > STRING_LENGTH_MAX ? `${text.slice(0, STRING_LENGTH_MAX)}…` : text;
  return cut.replace(urlCredentials, '//[redacted]@');
}

function readable(line: string): string {
  const { time, level, msg, pid, role, err, ...fields } = JSON.parse(line);
  const shown = Object.entries(fields).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  const clock = String(time).slice(11, 19);
  const error = err === undefined ? [] : [`\n  ${err.stack ?? err.message}`];
  return `${[clock, String(level).padEnd(5), msg, ...shown, ...error].join(' ')}\n`;
}
