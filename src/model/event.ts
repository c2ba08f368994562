/** Header names are lower-case; a name that came twice has its values joined as Node joins them. */
export type Headers = Readonly<Record<string, string>>;

/** One accepted message, as the journal keeps it. */
export interface Event {
  /** UUID version 7. */
  readonly id: string;
  /** The connector it came from. */
  readonly source: string;
  readonly topic: string;
  /** Unique within the source: the vendor's id of this message, or a hash of its body. */
  readonly dedupeKey: string;
  /** The shop, tenant or account the vendor names, where it does. */
  readonly shop?: string;
  /** The exact bytes that were received. */
  readonly body: Buffer;
  readonly headers: Headers;
  /** Hex SHA-256 of `body`. */
  readonly sha256: string;
  /** When the vendor says it happened. */
  readonly occurredAt?: Date;
  /** The database's clock. */
  readonly receivedAt: Date;
  /** The delivery whose result this event is, for events made by `emit`. */
  readonly causeId?: string;
  /** Why its body cannot be read, in words; absent where it can, or where nobody has looked. */
  readonly unreadable?: string;
}

/** What expressions see as `$event`. */
export interface EventContext {
  readonly id: string;
  readonly source: string;
  readonly topic: string;
  /** The dedupe key. */
  readonly key: string;
  readonly shop?: string;
  /** ISO 8601, UTC. */
  readonly receivedAt: string;
  readonly occurredAt?: string;
  readonly headers: Headers;
}
