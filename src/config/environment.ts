// The environment, read once. The only file that looks at process.env.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { addressBlockProblem } from '../model/address-blocks.ts';
import { CrossdockError } from '../model/errors.ts';

export interface Environment {
  /** An existing PostgreSQL; without one the embedded server is started. */
  readonly databaseUrl?: string;
  /** Redis for the lanes; without one the lanes live on PostgreSQL. */
  readonly redisUrl?: string;
  readonly port: number;
  readonly host: string;
  readonly logLevel: string;
  /** `CROSSDOCK_DIR`, absolute: where connectors/, mappings/ and flows/ are. */
  readonly folder: string;
  /** `CROSSDOCK_DATA_DIR`, absolute: the embedded server's data and the admin token. */
  readonly dataFolder: string;
  readonly adminToken?: string;
  readonly retentionDays: number;
  /** Addresses and CIDR blocks of the proxies whose headers count; none by default. */
  readonly trustedProxies: readonly string[];
  /** What `${NAME}` in files stands for. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** Shorter tokens are refused: this one opens Bull Board and every body. */
const ADMIN_TOKEN_LENGTH_MIN = 16;
/** A vendor may repeat a message for days, and only what is kept can be recognised. */
const RETENTION_DAYS_MIN = 7;

/**
 * The environment of this process, and below it the `.env` file of the project folder where there
 * is one: a variable that is set already stays as it is. Throws as `parseEnvironment` does.
 */
export function readEnvironment(): Environment {
  const folder = resolve(text(process.env, 'CROSSDOCK_DIR') ?? '.');
  return parseEnvironment({ ...readEnvFile(join(folder, '.env')), ...process.env });
}

function readEnvFile(file: string): Variables {
  if (!existsSync(file)) return {};
  try {
    return parseEnv(readFileSync(file, 'utf8'));
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(file: string, cause: unknown): CrossdockError {
  const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
  const todo = 'Make it an ordinary file that the hub may read, or remove it.';
  const message = `${file} cannot be read: ${reason}`;
  return new CrossdockError('configuration-invalid', message, { cause, todo });
}

/** Throws CrossdockError `configuration-invalid`, naming every mistake at once. */
export function parseEnvironment(variables: Variables): Environment {
  const mistakes: string[] = [];
  const folder = resolve(text(variables, 'CROSSDOCK_DIR') ?? '.');
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    mistakes.push(`CROSSDOCK_DIR: there is no folder ${folder}`);
  }
  const adminToken = text(variables, 'CROSSDOCK_ADMIN_TOKEN');
  if (adminToken !== undefined && adminToken.length < ADMIN_TOKEN_LENGTH_MIN) {
    mistakes.push(`CROSSDOCK_ADMIN_TOKEN: at least ${ADMIN_TOKEN_LENGTH_MIN} characters`);
  }
  const databaseUrl = url({
    variables,
    name: 'DATABASE_URL',
    schemes: ['postgres:', 'postgresql:'],
    mistakes,
  });
  const redisUrl = url({ variables, name: 'REDIS_URL', schemes: ['redis:', 'rediss:'], mistakes });
  const environment: Environment = {
    port: integer({ variables, name: 'PORT', fallback: 8080, min: 0, max: 65_535, mistakes }),
    host: text(variables, 'HOST') ?? '127.0.0.1',
    logLevel: oneOf({
      variables,
      name: 'LOG_LEVEL',
      fallback: 'info',
      allowed: logLevels,
      mistakes,
    }),
    folder,
    dataFolder: resolve(text(variables, 'CROSSDOCK_DATA_DIR') ?? join(folder, '.crossdock')),
    retentionDays: integer({
      variables,
      name: 'CROSSDOCK_RETENTION_DAYS',
      fallback: 30,
      min: RETENTION_DAYS_MIN,
      max: 3_650,
      mistakes,
    }),
    trustedProxies: addresses({ variables, name: 'CROSSDOCK_TRUSTED_PROXIES', mistakes }),
    variables,
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    ...(redisUrl === undefined ? {} : { redisUrl }),
    ...(adminToken === undefined ? {} : { adminToken }),
  };
  if (mistakes.length > 0) {
    throw new CrossdockError('configuration-invalid', `environment: ${mistakes.join('; ')}`);
  }
  return environment;
}

const logLevels = ['debug', 'info', 'warn', 'error', 'silent'];

interface Reading {
  readonly variables: Variables;
  readonly name: string;
  readonly mistakes: string[];
}

/** An empty variable is an unset one, as `NAME=` in an env file means. */
function text(variables: Variables, name: string): string | undefined {
  const value = variables[name]?.trim();
  return value === '' ? undefined : value;
}

function integer(
  reading: Reading & { readonly fallback: number; readonly min: number; readonly max: number },
): number {
  const value = text(reading.variables, reading.name);
  if (value === undefined) return reading.fallback;
  const number = Number(value);
  if (Number.isInteger(number) && number >= reading.min && number <= reading.max) return number;
  reading.mistakes.push(
    `${reading.name}: a whole number from ${reading.min} to ${reading.max}, not "${value}"`,
  );
  return reading.fallback;
}

/** Separated by commas. */
function addresses({ variables, name, mistakes }: Reading): readonly string[] {
  const blocks = (text(variables, name) ?? '')
    .split(',')
    .map((block) => block.trim())
    .filter((block) => block !== '');
  for (const block of blocks) {
    const problem = addressBlockProblem(block);
    if (problem !== undefined) mistakes.push(`${name}: ${problem}`);
  }
  return blocks;
}

function oneOf(
  reading: Reading & { readonly fallback: string; readonly allowed: readonly string[] },
): string {
  const value = text(reading.variables, reading.name) ?? reading.fallback;
  if (reading.allowed.includes(value)) return value;
  reading.mistakes.push(`${reading.name}: one of ${reading.allowed.join(', ')}, not "${value}"`);
  return reading.fallback;
}

function url(reading: Reading & { readonly schemes: readonly string[] }): string | undefined {
  const value = text(reading.variables, reading.name);
  if (value === undefined) return undefined;
  const scheme = URL.canParse(value) ? new URL(value).protocol : '';
  if (!reading.schemes.includes(scheme)) {
    reading.mistakes.push(`${reading.name}: must start with ${reading.schemes.join('// or ')}//`);
  }
  return value;
}
