/**
 * Operational failures of the hub itself. What a remote system answered is an `Outcome`; a mistake
 * in someone's file is a `Problem`; a bug is a plain throw.
 */
export type ErrorCode =
  | 'usage'
  | 'configuration-invalid'
  | 'definitions-invalid'
  | 'port-taken'
  | 'journal-unavailable'
  | 'journal-not-durable'
  | 'journal-too-new'
  | 'lanes-unavailable'
  | 'embedded-server-failed'
  | 'hub-unreachable'
  | 'connector-unknown'
  | 'signature-invalid'
  | 'key-unavailable'
  | 'body-too-large'
  | 'encoding-unsupported'
  | 'request-malformed'
  | 'not-signed-in'
  | 'cross-site-request'
  | 'too-many-tries'
  | 'too-many-refused'
  | 'not-found'
  | 'state-conflict'
  | 'overloaded'
  | 'closing';

/** `message` = who, what, which file or id; never a secret, never a body. */
export class CrossdockError extends Error {
  readonly code: ErrorCode;
  /** One sentence: what to do, where that is more particular than what the code says. */
  readonly todo?: string;

  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly todo?: string } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : {});
    this.name = 'CrossdockError';
    this.code = code;
    if (options.todo !== undefined) this.todo = options.todo;
  }
}

export function isCrossdockError(error: unknown, code?: ErrorCode): error is CrossdockError {
  return error instanceof CrossdockError && (code === undefined || error.code === code);
}
