// What an exit status of the CLI means, which one each error has, and what a person does about it.

import type { CrossdockError, ErrorCode } from '../model/errors.ts';

/** `findings`: the command did its work and found something wrong. */
export const exitCodes = { fine: 0, findings: 1, usage: 2, environment: 3 } as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

interface Advice {
  readonly exit: ExitCode;
  /** One sentence: what to do. */
  readonly todo: string;
}

const { findings, usage, environment } = exitCodes;

const advice: Readonly<Record<ErrorCode, Advice>> = {
  usage: { exit: usage, todo: 'See --help.' },
  'configuration-invalid': { exit: environment, todo: 'Correct the environment variables named.' },
  'definitions-invalid': { exit: findings, todo: 'docs/errors.md explains each code.' },
  'port-taken': { exit: environment, todo: 'Stop what listens there, or choose another port.' },
  'journal-unavailable': {
    exit: environment,
    todo: 'Check DATABASE_URL and that PostgreSQL runs.',
  },
  'journal-not-durable': {
    exit: environment,
    todo: 'Turn fsync and synchronous_commit on in PostgreSQL.',
  },
  'journal-too-new': {
    exit: environment,
    todo: 'The database was migrated by a newer version: run that version.',
  },
  'lanes-unavailable': {
    exit: environment,
    todo: 'Check REDIS_URL and that Redis runs.',
  },
  'embedded-server-failed': {
    exit: environment,
    todo: 'Or set DATABASE_URL to a PostgreSQL of your own.',
  },
  'hub-unreachable': {
    exit: environment,
    todo: 'Start it with crossdock start, or name its address with --url.',
  },
  'connector-unknown': { exit: usage, todo: 'Name a connector of connectors/.' },
  'signature-invalid': { exit: findings, todo: 'Check the secrets of the connector.' },
  'key-unavailable': { exit: environment, todo: 'Check that the hub reaches the address.' },
  'body-too-large': { exit: findings, todo: 'Send less, or raise the limit of the connector.' },
  'encoding-unsupported': {
    exit: findings,
    todo: 'Send the body as it is, or with gzip, deflate or br.',
  },
  'request-malformed': { exit: findings, todo: 'Correct the request.' },
  'not-signed-in': { exit: findings, todo: 'Give the admin token.' },
  'cross-site-request': { exit: findings, todo: 'Send the request from the same site.' },
  'too-many-tries': { exit: findings, todo: 'Wait 15 minutes.' },
  'too-many-refused': { exit: findings, todo: 'Look at crossdock quarantine list.' },
  'not-found': { exit: findings, todo: 'Check the id; crossdock events lists what there is.' },
  'state-conflict': { exit: findings, todo: 'Look at it with crossdock deliveries <id>.' },
  overloaded: { exit: environment, todo: 'Try again in a moment.' },
  closing: { exit: environment, todo: 'The hub is leaving: try again when it is back.' },
};

export function adviceFor(code: ErrorCode): Advice {
  return advice[code];
}

/** What to do about this one error. */
export function todoFor({ code, todo }: CrossdockError): string {
  return todo ?? advice[code].todo;
}
