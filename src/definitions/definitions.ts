// The integrator's files as the hub uses them: loaded, checked, interpolated. Types only.

import type { Expression, FlowRevision } from '../model/flow-revision.ts';
import type { JsonObject } from '../model/json.ts';
import type { OutcomeOverride } from '../model/outcome.ts';
import type { Rate } from '../model/units.ts';
import type { ReceiveDefinition } from './receive.ts';

/** All files of one project folder, free of errors. */
export interface Definitions {
  /** Absolute path of the project folder (`CROSSDOCK_DIR`). */
  readonly folder: string;
  readonly connectors: ReadonlyMap<string, ConnectorDefinition>;
  readonly flows: ReadonlyMap<string, FlowDefinition>;
}

/** One outside system. It receives, or has operations, or both. */
export interface ConnectorDefinition {
  /** The file's base name. */
  readonly id: string;
  readonly title?: string;
  readonly receive?: ReceiveDefinition;
  /** `http`, `smtp`, `file`; absent where the connector only receives. */
  readonly kind?: string;
  /** The kind's own fields (`baseUrl`, `auth` …), interpolated and valid by the kind's schema. */
  readonly fields: JsonObject;
  readonly operations: ReadonlyMap<string, OperationDefinition>;
  readonly limits: {
    /** Calls under way at once, over all processes. @default 8 */
    readonly concurrency: number;
    readonly rate?: Rate;
    /** A path to whose share of the lane an event takes; see `definitions/event-path.ts`. */
    readonly fairBy?: string;
  };
  /** The operation that finds out whether the system is back, once it was away. */
  readonly check?: string;
  /** Total deadline of one call. @default 20 s */
  readonly timeoutMs: number;
  /** Every secret value in this definition, for redaction. Longest first, each at least 4 characters. */
  readonly secrets: readonly string[];
}

export interface OperationDefinition {
  readonly name: string;
  /** The kind's own fields, interpolated and valid by the kind's operation schema. */
  readonly fields: JsonObject;
  /** JSONata over the response body; `$sent` is the message, `$event` the event. */
  readonly result?: Expression;
  /** What answers mean, where a flow says nothing about them. First match counts. */
  readonly outcomes?: readonly OutcomeOverride[];
  readonly lookup?: LookupDefinition;
}

/** How to find out whether a call whose answer got lost has worked. */
export interface LookupDefinition {
  /** Another operation of the connector, without a lookup of its own; it gets the same message. */
  readonly operation: string;
  /** Over `{ status, headers, body }`; `$sent` is the message. */
  readonly found: Expression;
}

export interface FlowDefinition {
  /** The file's base name. */
  readonly id: string;
  readonly description?: string;
  readonly from: { readonly connector: string; readonly topics: readonly string[] };
  readonly revision: FlowRevision;
}

/**
 * What a connector kind says about its files. The loader gets the list of kinds from the
 * composition root, so that a new kind is one source file and one line.
 */
export interface KindSchema {
  /** `http`, `smtp`, `file` … */
  readonly kind: string;
  /** JSON Schema (an object schema) of the kind's own fields of a connector file. */
  readonly connectorSchema: JsonObject;
  /** JSON Schema (an object schema) of one operation of this kind. */
  readonly operationSchema: JsonObject;
  /**
   * Slash-separated paths of fields that hold secrets (`auth/bearer`, `auth/basic/password`).
   * `check` refuses a literal there; the values are redacted everywhere.
   */
  readonly secretFields: readonly string[];
  /**
   * Fields of free names, such as headers, of which those are secret whose name is like `names`;
   * a text with a placeholder (`{…}`) is none. Paths are as above; a step `*` is any name.
   */
  readonly namedSecrets?: { readonly paths: readonly string[]; readonly names: RegExp };
  /**
   * Mistakes that a schema cannot say. Values that do not fit the schema are left out, so that also
   * a required one may be absent; that is reported already. Paths are those of the value; the
   * loader finds the line.
   */
  check?(fields: JsonObject, operations: ReadonlyMap<string, JsonObject>): readonly KindProblem[];
}

export interface KindProblem {
  /** Path from the file's root, such as `['operations', 'create', 'post']`. */
  readonly path: readonly (string | number)[];
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}
