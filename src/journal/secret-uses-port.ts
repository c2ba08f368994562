/** How often a secret of a receiver has matched since the last time that this was told. */
export interface SecretMatches {
  /** The connector. */
  readonly source: string;
  /** Tells the secret from others of its connector, and nothing more. */
  readonly mark: string;
  /** From 1, as it stands in the file now. */
  readonly number: number;
  readonly matches: number;
}

export interface SecretUse {
  readonly source: string;
  readonly mark: string;
  readonly number: number;
  /** The database's clock. */
  readonly firstAt: Date;
  readonly lastAt: Date;
  readonly matches: number;
}

/** Which secrets of receivers are in use. Rejects with `journal-unavailable`. */
export interface SecretUses {
  /** Adds to what is known; many at once are one statement. */
  note(matches: readonly SecretMatches[]): Promise<void>;
  /** Of all connectors. */
  list(): Promise<readonly SecretUse[]>;
  /** Deletes what has not matched for `olderThanMs`. */
  forget(olderThanMs: number): Promise<void>;
}
