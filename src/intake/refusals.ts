// What becomes of a request that failed verification: it is counted for its address, kept apart, and
// the error says what the sender is answered. At once: nothing here waits.

import type { ReceiveDefinition } from '../definitions/receive.ts';
import { CrossdockError } from '../model/errors.ts';
import type { Meter } from '../model/meter.ts';
import { createFailureLimits, FAILURES_PER_WINDOW_MAX } from './failure-limits.ts';
import type { QuarantineKeeper } from './quarantine.ts';
import type { Verdict } from './verdict.ts';
import type { WebhookRequest } from './webhook-request.ts';

/** Ten requests without a key in a minute are enough: a fetch costs others more than a check. */
export const KEYLESS_WEIGHT = FAILURES_PER_WINDOW_MAX / 10;

export type RefusedVerdict = Extract<Verdict, { kind: 'refused' }>;

export interface ReceivedRequest {
  readonly connector: string;
  readonly receive: ReceiveDefinition;
  readonly request: WebhookRequest;
}

/** `signature-invalid`, with what verification said. */
export class RefusedError extends CrossdockError {
  readonly verdict: RefusedVerdict;
  /** What the connector's vendor is answered. */
  readonly status: number;

  constructor({ connector, receive }: Omit<ReceivedRequest, 'request'>, verdict: RefusedVerdict) {
    super('signature-invalid', `connector ${connector}: ${verdict.reason}`);
    this.verdict = verdict;
    this.status = receive.answer.refused;
  }
}

export interface Refusals {
  /** Whether a key is fetched for who sent it, or only one that is in memory counts. */
  mayFetch(address: string | undefined): boolean;
  /** It was verified. */
  passed(received: ReceivedRequest): void;
  /** The error to throw; the request is counted for its address and kept. */
  note(received: ReceivedRequest, verdict: RefusedVerdict): CrossdockError;
  /** As `note`, without keeping it: a question that is let in later has nobody who waits for it. */
  count(received: ReceivedRequest, verdict: RefusedVerdict): CrossdockError;
}

/** For requests that are verified again: they were noted when they came. */
export const unnotedRefusals: Refusals = {
  mayFetch: () => true,
  passed: () => undefined,
  note: errorOf,
  count: errorOf,
};

/** A key that could not be had is not the sender's fault: it is told to come again. */
function errorOf(received: ReceivedRequest, verdict: RefusedVerdict): CrossdockError {
  if (verdict.code !== 'key-unavailable') return new RefusedError(received, verdict);
  return new CrossdockError(
    'key-unavailable',
    `connector ${received.connector}: ${verdict.reason}`,
  );
}

export function createRefusals(ports: {
  readonly quarantine: QuarantineKeeper;
  readonly meter: Meter;
}): Refusals {
  const limits = createFailureLimits();
  const limit = ({ connector, request }: ReceivedRequest): CrossdockError | undefined => {
    if (!limits.failed(request.address, Date.now())) return undefined;
    ports.meter.quarantine(connector, 'limited', 1);
    return tooMany(connector);
  };
  return {
    mayFetch: (address) => !limits.isShunned(address, Date.now()),
    passed: ({ request }) => limits.passed(request.address, Date.now()),
    note(received, verdict) {
      if (verdict.code === 'key-unavailable') {
        // Who names keys that are none makes the hub fetch them.
        limits.failed(received.request.address, Date.now(), KEYLESS_WEIGHT);
        return errorOf(received, verdict);
      }
      const limited = limit(received);
      if (limited !== undefined) return limited;
      ports.quarantine.keep(received, verdict);
      return errorOf(received, verdict);
    },
    count: (received, verdict) => limit(received) ?? errorOf(received, verdict),
  };
}

function tooMany(connector: string): CrossdockError {
  const message = `connector ${connector}: over ${FAILURES_PER_WINDOW_MAX} requests of one address failed verification within a minute`;
  return new CrossdockError('too-many-refused', message);
}
