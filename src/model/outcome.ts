import type { Expression } from './flow-revision.ts';

/** What one attempt came to. Three outcomes and no fourth: a `switch` on `kind` handles each. */
export type Outcome =
  | { readonly kind: 'delivered'; readonly status?: number }
  | {
      readonly kind: 'retry';
      /** One of the codes in `errors.ts`, such as `remote-error`. */
      readonly code: OutcomeCode;
      /** One sentence for a person; no secret, no body. */
      readonly reason: string;
      readonly status?: number;
      /** What the remote system asked for (Retry-After), in milliseconds from now. */
      readonly afterMs?: number;
      /** The request was written and nobody knows whether it worked. */
      readonly ambiguous?: boolean;
    }
  | {
      readonly kind: 'rejected';
      readonly code: OutcomeCode;
      readonly reason: string;
      readonly status?: number;
    };

/** What an answer means, said in a file: by its status, by JSONata over the answer, or by both. */
export interface OutcomeOverride {
  readonly statuses?: readonly number[];
  /** Over `{ status, headers, body }`. */
  readonly when?: Expression;
  readonly then: 'delivered' | 'retry' | 'dead';
}

/** Why an attempt did not deliver. Each has an entry in docs/errors.md. */
export type OutcomeCode =
  | 'connection-failed'
  | 'timed-out'
  | 'rate-limited'
  | 'remote-error'
  | 'unauthorized'
  | 'rejected'
  | 'redirected'
  | 'response-unusable'
  | 'message-invalid'
  | 'body-unreadable'
  | 'mapping-failed'
  | 'mapping-timed-out'
  | 'mapping-crashed'
  | 'mapping-too-large'
  | 'input-invalid'
  | 'output-invalid'
  | 'operation-unknown'
  | 'retries-exhausted'
  | 'process-crashed'
  | 'hub-error';
