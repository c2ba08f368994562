// The port of mapping: an event's bytes in, a message's text out, within limits, in another process.

import type { EventContext } from '../model/event.ts';
import type { Program } from '../model/flow-revision.ts';
import type { OutcomeCode } from '../model/outcome.ts';

export interface MappingInput {
  readonly body: Buffer;
  readonly event: EventContext;
  /** JSON text that expressions see as `$sent`: the message that an answer belongs to. */
  readonly sent?: string;
  /** What `$now()` and `$millis()` say, in milliseconds since the epoch. @default the present */
  readonly nowMs?: number;
}

export type MappingAnswer =
  | { readonly kind: 'mapped' /** JSON text */; readonly output: string }
  | { readonly kind: 'filtered' }
  | {
      readonly kind: 'failed';
      readonly code: MappingFailureCode;
      /** One sentence, with file, line and column where there is one; no part of the body. */
      readonly message: string;
    };

export type MappingFailureCode = Extract<
  OutcomeCode,
  | 'body-unreadable'
  | 'mapping-failed'
  | 'mapping-timed-out'
  | 'mapping-crashed'
  | 'mapping-too-large'
  | 'input-invalid'
  | 'output-invalid'
>;

export interface Mapper {
  /**
   * Evaluates `program` over one body. `programId` names the program for the children's caches:
   * the same id must always mean the same program.
   *
   * Resolves with an answer, also for hostile programs and bodies. Rejects with a CrossdockError
   * `overloaded` (the queue is full) or `closing`; neither is the program's fault.
   */
  map(programId: string, program: Program, input: MappingInput): Promise<MappingAnswer>;
  /** Ends the child processes. What is under way rejects with `closing`. */
  close(): Promise<void>;
}
