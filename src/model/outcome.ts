import type { Expression } from './flow-revision.ts';

/** What one attempt came to. Three outcomes and no fourth: a `switch` on `kind` handles each. */
export type Outcome =
  | {
      readonly kind: 'delivered';
      readonly status?: number;
      /** One sentence, where it is not plain from the status why this counts as delivered. */
      readonly reason?: string;
      readonly restMs?: number;
    }
  | {
      readonly kind: 'retry';
      /** What becomes of the delivery follows from it: `outcome-rules.ts`. */
      readonly code: OutcomeCode;
      /** One sentence for a person; no secret, no body. */
      readonly reason: string;
      readonly status?: number;
      /** What the remote system asked for (Retry-After), in milliseconds from now. */
      readonly afterMs?: number;
      /** How long the remote system wants no further call at all, in milliseconds from now. */
      readonly restMs?: number;
      /** The request was written and nobody knows whether it worked. */
      readonly ambiguous?: boolean;
    }
  | {
      readonly kind: 'rejected';
      readonly code: OutcomeCode;
      readonly reason: string;
      readonly status?: number;
      /** As above: of use where a file says that this answer is to be tried again. */
      readonly afterMs?: number;
      readonly restMs?: number;
    };

/** What an answer means, said in a file: by its status, by JSONata over the answer, or by both. */
export interface OutcomeOverride {
  readonly statuses?: readonly number[];
  /** Over `{ status, headers, body }`. */
  readonly when?: Expression;
  readonly then: 'delivered' | 'retry' | 'dead';
}

/** Why an attempt did not deliver. Each has its entry in `outcome-rules.ts` and docs/errors.md. */
export type OutcomeCode =
  | 'connection-failed'
  | 'timed-out'
  | 'rate-limited'
  | 'remote-error'
  | 'token-expired'
  | 'unauthorized'
  | 'forbidden'
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
  | 'operation-gone'
  | 'retries-exhausted'
  | 'order-parked'
  | 'process-crashed'
  | 'hub-error';
