// What one run leaves behind: what the producer sent and was told, what the targets saw, what the
// journal says. The checker reads nothing else.

/** One request of the producer; a vendor repeats a message until it is told 2xx. */
export interface Try {
  readonly atMs: number;
  readonly tookMs: number;
  /** Absent where there was no answer. */
  readonly status?: number;
  /** What a refusal asks for, in seconds. */
  readonly retryAfter?: string;
  /** Of the event, from a 2xx. */
  readonly eventId?: string;
  readonly error?: string;
}

/** One message of the producer, with every try to hand it over. */
export interface SentMessage {
  /** The vendor's own id of the message: the same in every try. */
  readonly id: string;
  readonly topic: string;
  readonly key: string;
  /** Of its key, from 1. */
  readonly sequence: number;
  readonly body: Buffer;
  readonly sha256: string;
  readonly tries: Try[];
  /** When the first 2xx was read. */
  acknowledgedMs?: number;
}

/** One call that came in whole at a target. */
export interface TargetCall {
  readonly target: string;
  readonly atMs: number;
  readonly idempotencyKey: string;
  readonly sha256: string;
  readonly body: string;
  /** What was answered; absent where the target left the caller without an answer. */
  status?: number;
  /** Whether the target did the work, whatever it said about it. */
  worked: boolean;
}

export interface JournalEvent {
  readonly id: string;
  readonly topic: string;
  readonly dedupeKey: string;
  /** As the journal noted it, and as the stored bytes have it. */
  readonly sha256: string;
  readonly storedSha256: string;
}

export interface JournalDelivery {
  readonly id: string;
  readonly eventId: string;
  readonly flow: string;
  readonly connector: string;
  readonly revision: string;
  readonly state: string;
  readonly code?: string;
  readonly reason?: string;
  readonly open: boolean;
  /** All told, and those that count against the flow's limit. */
  readonly attempts: number;
  readonly spent: number;
  /** Attempts of which nobody knows whether the target worked on them. */
  readonly ambiguous: number;
  readonly dueMs: number;
  readonly updatedMs: number;
}

export interface JournalDump {
  readonly events: readonly JournalEvent[];
  readonly deliveries: readonly JournalDelivery[];
  /** A revision's hash -> the text of its document. */
  readonly revisions: ReadonlyMap<string, string>;
}

/** A text that must never be seen, found where it must not be. */
export interface Leak {
  readonly where: string;
  readonly what: string;
}

/** By `Date.now()`. */
export interface Times {
  /** The load has settled; from here to `faultBeganMs` is the idle window. */
  readonly warmMs: number;
  readonly faultBeganMs: number;
  readonly faultEndedMs: number;
}

export interface Evidence {
  readonly sent: readonly SentMessage[];
  readonly calls: readonly TargetCall[];
  readonly journal: JournalDump;
  readonly leaks: readonly Leak[];
  readonly times: Times;
}
