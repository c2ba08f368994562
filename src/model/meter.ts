/** What the rooms report for `/metrics`. Labels are ids from files, never values from messages. */
export interface Meter {
  /** One request to intake; `source` is `unknown` where no such connector exists. */
  intake(source: string, status: number, ms: number): void;
  duplicate(source: string): void;
  /** One fetch of a published key: `fetched`, or why not. */
  keyFetch(result: string): void;
  /**
   * Requests that failed verification, by what became of them: `kept`; `skipped`, where enough of
   * their kind was kept; `dropped`, where there was no room or no journal; `limited`, of an address
   * that sends too many.
   */
  quarantine(source: string, what: 'kept' | 'skipped' | 'dropped' | 'limited', count: number): void;
  /** A message that came before, with another body now. */
  conflict(source: string): void;
  /**
   * One recorded verdict on a delivery: the state it left the delivery in. `callMs` is how long the
   * call to the outside system took, and is left out where nothing was sent.
   */
  attempt(connector: string, state: string, callMs?: number): void;
  /** One delivery handed back for an error of the hub's own. */
  handedBack(connector: string): void;
  /** One mapping evaluation: `mapped`, `filtered`, `failed`. */
  mapping(kind: string, ms: number): void;
  /** One batch written or read by the journal: `append`, `claim`, `record`. */
  batch(kind: string, size: number): void;
  /** How far this machine's clock is ahead of the database's. */
  clockAhead(ms: number): void;
  /** Lane jobs that the sweep put back. */
  swept(connector: string, count: number): void;
}

export const silentMeter: Meter = {
  intake: () => undefined,
  duplicate: () => undefined,
  keyFetch: () => undefined,
  quarantine: () => undefined,
  conflict: () => undefined,
  attempt: () => undefined,
  handedBack: () => undefined,
  mapping: () => undefined,
  batch: () => undefined,
  clockAhead: () => undefined,
  swept: () => undefined,
};
