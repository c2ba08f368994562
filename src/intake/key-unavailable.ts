import { refused, type Verdict } from './verdict.ts';

/** Why a published key could not be had, as metrics and the log say it. */
export type KeyFailure =
  | 'address-not-allowed'
  | 'connection-failed'
  | 'timed-out'
  | 'redirected'
  | 'bad-status'
  | 'too-large'
  | 'no-key'
  | 'not-valid-now'
  | 'too-many-fetches';

const words: Readonly<Record<KeyFailure, string>> = {
  'address-not-allowed': 'its address is none of those that keys are fetched from',
  'connection-failed': 'its host could not be reached',
  'timed-out': 'it did not come in time',
  redirected: 'its host sent elsewhere, which is not followed',
  'bad-status': 'its host did not give it',
  'too-large': 'what its host gave is too large for a key',
  'no-key': 'what its host gave is no key of this kind',
  'not-valid-now': 'its certificate is not valid now',
  'too-many-fetches': 'too many keys were asked for in this minute',
};

/** A key that a vendor publishes is not at hand. */
export class KeyUnavailable extends Error {
  readonly failure: KeyFailure;
  /** A status or a code of the network, for the log. */
  readonly detail?: string | undefined;

  constructor(failure: KeyFailure, options: { detail?: string | undefined; cause?: unknown } = {}) {
    super(words[failure], 'cause' in options ? { cause: options.cause } : {});
    this.name = 'KeyUnavailable';
    this.failure = failure;
    this.detail = options.detail;
  }
}

/** What a request comes to without its key. Any other error is a bug and is thrown on. */
export function refusedWithoutKey(error: unknown): Verdict {
  if (!(error instanceof KeyUnavailable)) throw error;
  const code = error.failure === 'address-not-allowed' ? 'key-not-allowed' : 'key-unavailable';
  return refused(code, `the public key is not at hand: ${error.message}`);
}
