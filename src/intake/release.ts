// Letting quarantined requests in after all: each is verified again with the secrets of today, its
// time window measured when it was received, and takes the way of every webhook from there. So the
// same message is one event however often it is released, also by two people at once, and a crash
// between the event and the mark is mended by the next release.

import { createHash } from 'node:crypto';
import type { ReceiveDefinition } from '../definitions/receive.ts';
import { type Way, waysOf } from '../definitions/ways.ts';
import type { Quarantine, Quarantined, QuarantineQuery } from '../journal/quarantine-port.ts';
import { CrossdockError } from '../model/errors.ts';
import type { Headers } from '../model/event.ts';
import { revealCredentials } from './hide-credentials.ts';
import type { Intake, IntakeRequest } from './intake.ts';
import { RefusedError } from './refusals.ts';
import { isEncoded } from './webhook-request.ts';

/** Requests that one call looks at. */
export const RELEASE_MAX = 200;
const REQUESTS_TOLD_MAX = 100;

export interface ReleaseOptions {
  /** Verify and say what would come of it; let nothing in. */
  readonly isTrial: boolean;
}

export type Released =
  | { readonly id: string; readonly outcome: 'released'; readonly eventIds: readonly string[] }
  /** It would be let in. */
  | { readonly id: string; readonly outcome: 'passes' }
  /** It was released before. */
  | { readonly id: string; readonly outcome: 'was-released'; readonly eventIds: readonly string[] }
  | {
      readonly id: string;
      readonly outcome: 'refused';
      /** A `RefusalCode`, the code of the error that intake answered with, or `not-kept`. */
      readonly code: string;
      readonly reason: string;
    };

export interface ReleaseReport {
  readonly isTrial: boolean;
  readonly looked: number;
  readonly passed: number;
  readonly refused: number;
  /** How many were refused why; a reason stands for its code. */
  readonly reasons: readonly {
    readonly code: string;
    readonly reason: string;
    readonly count: number;
  }[];
  /** The first hundred. */
  readonly requests: readonly Released[];
  /** Absent once all were looked at; `after` of the next call. */
  readonly next?: string;
}

export interface Release {
  /** Rejects `not-found`, and what the journal rejects with; all else is in the result. */
  one(id: string, options: ReleaseOptions): Promise<Released>;
  /** Those that were not released yet, oldest first, at most `RELEASE_MAX` at once. */
  many(
    query: QuarantineQuery & { readonly source: string },
    options: ReleaseOptions & { readonly after?: string | undefined },
  ): Promise<ReleaseReport>;
}

export function createRelease(ports: {
  readonly quarantine: Quarantine;
  /** With the secrets of now; `undefined` for a connector that takes no webhooks. */
  receiveOf(connector: string): ReceiveDefinition | undefined;
  /** Made when it is first needed: a hub that only delivers has none yet. */
  intake(): Intake;
}): Release {
  const { quarantine } = ports;

  const letIn = async (stored: Quarantined, { isTrial }: ReleaseOptions): Promise<Released> => {
    const { id, releasedAt, eventIds } = stored;
    if (releasedAt !== undefined) return { id, outcome: 'was-released', eventIds };
    try {
      const receive = ports.receiveOf(stored.source);
      const parts = receive === undefined ? stored : revealCredentials(stored, receive);
      const missing = missingOf(stored, parts.body);
      if (missing !== undefined) return { id, outcome: 'refused', ...missing };
      const answer = await ports.intake().accept(requestOf({ ...stored, ...parts }, isTrial));
      if (isTrial) return { id, outcome: 'passes' };
      const { id: first, ids = first === undefined ? [] : [first] } = answer.body;
      const made = [...ids];
      await quarantine.markReleased(id, made);
      return { id, outcome: 'released', eventIds: made };
    } catch (error) {
      return { id, outcome: 'refused', ...why(error, stored, ports.receiveOf(stored.source)) };
    }
  };

  return {
    async one(id, options) {
      const stored = await quarantine.get(id);
      if (stored !== undefined) return letIn(stored, options);
      throw new CrossdockError('not-found', `there is no request ${id} in the quarantine`, {
        todo: 'crossdock quarantine list shows what there is.',
      });
    },
    async many(query, { after, ...options }) {
      const ids = await quarantine.listHeld({ ...query, after, limit: RELEASE_MAX });
      const requests: Released[] = [];
      for (const id of ids) {
        const stored = await quarantine.get(id);
        if (stored !== undefined) requests.push(await letIn(stored, options));
      }
      const next = ids.length < RELEASE_MAX ? undefined : ids.at(-1);
      return reportOf(requests, { isTrial: options.isTrial, ...(next && { next }) });
    },
  };
}

/** What was not kept as it was sent, and could not be put back, is let in never. */
function missingOf(
  { hidden, sha256 }: Quarantined,
  body: Buffer,
): { readonly code: string; readonly reason: string } | undefined {
  const isWhole = createHash('sha256').update(body).digest('hex') === sha256;
  if (isWhole && !hidden.includes('query')) return undefined;
  const names = hidden.filter((name) => /^(body|form |json |query$)/.test(name)).join(', ');
  const reason = `it was not kept as it was sent: ${names}; only a secret of today is put back`;
  return { code: 'not-kept', reason };
}

function requestOf(stored: Quarantined, isTrial: boolean): IntakeRequest {
  const { source, method, target, headers, repeated, body, address, receivedAt } = stored;
  return {
    connector: source,
    ...{ method, target, body },
    headers: isEncoded(headers) ? unwired(headers) : headers,
    rawHeaders: repeated.flatMap((name) => [name, '', name, '']),
    client: { viaTrustedProxy: false, ...(address === undefined ? {} : { address }) },
    again: { receivedAtMs: receivedAt.getTime(), isTrial },
  };
}

/** The body was kept decoded: what its headers say of the bytes on the wire is true no more. */
function unwired(headers: Headers): Headers {
  const { 'content-encoding': _encoding, 'content-length': _length, ...rest } = headers;
  return rest;
}

/** Why it does not get in; what the journal, or a bug, is to blame for is thrown on. */
function why(
  error: unknown,
  stored: Quarantined,
  receive: ReceiveDefinition | undefined,
): { readonly code: string; readonly reason: string } {
  if (error instanceof RefusedError) {
    const { code, reason } = error.verdict;
    return { code, reason: [reason, ...hiddenReasons(stored, code, receive)].join('; ') };
  }
  const isRequests = error instanceof CrossdockError && requestCodes.includes(error.code);
  if (!isRequests) throw error;
  return { code: error.code, reason: error.message };
}

const requestCodes: readonly string[] = [
  'request-malformed',
  'connector-unknown',
  'body-too-large',
  'encoding-unsupported',
  'key-unavailable',
];

/** What was not kept may be all that is missing. */
function hiddenReasons(
  { hidden }: Quarantined,
  code: string,
  receive: ReceiveDefinition | undefined,
): readonly string[] {
  const ways = waysOf(receive?.verify);
  const isToken = hidden.length > 0 && code.startsWith('token') && ways.some(isJwt);
  return isToken ? ['tokens of this kind are not kept, so they cannot be verified again'] : [];
}

function isJwt({ kind }: Way): boolean {
  return kind === 'jwt';
}

function reportOf(
  requests: readonly Released[],
  rest: Pick<ReleaseReport, 'isTrial' | 'next'>,
): ReleaseReport {
  const reasons = new Map<string, { code: string; reason: string; count: number }>();
  for (const one of requests) {
    if (one.outcome !== 'refused') continue;
    const known = reasons.get(one.code) ?? { code: one.code, reason: one.reason, count: 0 };
    reasons.set(one.code, { ...known, count: known.count + 1 });
  }
  const refused = [...reasons.values()].reduce((sum, { count }) => sum + count, 0);
  return {
    ...rest,
    looked: requests.length,
    passed: requests.length - refused,
    refused,
    reasons: [...reasons.values()],
    requests: requests.slice(0, REQUESTS_TOLD_MAX),
  };
}
