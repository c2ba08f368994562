import type { OrderPolicy } from './order.ts';
import type { OutcomeOverride } from './outcome.ts';
import type { RetryPolicy } from './retry.ts';

/** A JSONata expression and where it stands, so that an error names its file, line and column. */
export interface Expression {
  readonly source: string;
  /** Relative to the project folder, with forward slashes. */
  readonly file: string;
  /** 1-based line of the file on which `source` starts. */
  readonly line: number;
  /** 1-based column on that line. */
  readonly column: number;
}

/** A JSON Schema, inlined. */
export interface SchemaText {
  /** Relative path of the schema file. */
  readonly file: string;
  /** The schema as JSON text. */
  readonly text: string;
}

/**
 * Everything that turns an event's body into an outgoing message: validate, decide, map,
 * validate. Text only, so that it can be journaled and handed to another process.
 */
export interface Program {
  readonly input?: SchemaText;
  readonly when?: Expression;
  /** Without a mapping the body goes out as it came in, byte for byte. */
  readonly map?: Expression;
  readonly output?: SchemaText;
}

/**
 * A flow as it was when an event came in. A delivery pins one by its hash; the journal keeps the
 * text, so that a later change of files never changes what is already on its way. Connectors
 * (addresses, secrets, limits) are not part of it: those are always the current ones.
 */
export interface FlowRevision {
  /** Hex SHA-256 (first 32 digits) over the canonical JSON of the rest. */
  readonly hash: string;
  readonly flow: string;
  readonly connector: string;
  readonly operation: string;
  readonly program: Program;
  readonly retry: RetryPolicy;
  /** The event that the operation's result becomes. */
  readonly emit?: { readonly source: string; readonly topic: string };
  readonly order?: OrderPolicy;
  /** What answers mean for this flow; they come before the operation's own. First match counts. */
  readonly outcomes?: readonly OutcomeOverride[];
}
