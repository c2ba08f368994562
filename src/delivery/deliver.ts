// A lane job, from claim to record. An error of the hub's own (journal away, mapping busy, leaving)
// never spends an attempt: the delivery is handed back and comes again.

import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Routes } from '../definitions/routes.ts';
import type { AttemptRecord, Claim, Claimed, Journal, NewEvent } from '../journal/journal.ts';
import { idempotencyKey } from '../model/delivery.ts';
import { isCrossdockError } from '../model/errors.ts';
import type { FlowRevision } from '../model/flow-revision.ts';
import { newId } from '../model/ids.ts';
import type { Log } from '../model/log.ts';
import type { Meter } from '../model/meter.ts';
import { defaultRetryPolicy } from '../model/retry.ts';
import { type LaneJob, type Lanes, type LaneWork, laneJobsOf, type Step } from '../queue/lanes.ts';
import { type AttemptPorts, attemptDelivery, type Verdict } from './attempt.ts';
import { laneJobOf } from './controls.ts';
import { decide } from './decide.ts';
import { hubErrorMs } from './hub-errors.ts';
import { attemptApart } from './poison.ts';
import { sightDeath } from './problems.ts';
import type { Suspects } from './suspects.ts';

/** What became of a claim, once the journal has it. */
export interface Settled {
  /** The connector's id. */
  readonly lane: string;
  readonly claim: Claim;
  readonly record: AttemptRecord;
  /** This death opened its problem, for the first time or anew. */
  readonly openedProblem?: boolean;
}

export interface DeliverPorts extends AttemptPorts {
  readonly journal: Journal;
  readonly lanes: Pick<Lanes, 'add'>;
  readonly routes: Routes;
  readonly meter: Meter;
  readonly log: Log;
  /** Tries those whose process vanished. @default they are tried like any other */
  readonly suspects?: Suspects;
  /**
   * Told of each accepted record, in turn. Must not throw; what takes time goes on by itself, since
   * the lane job ends after the last of them.
   */
  readonly onSettled: readonly ((settled: Settled) => void | Promise<void>)[];
  /** Told of a chain in which a claim was held, or that it made shorter. Must not throw. */
  onChain(chain: string): void;
}

/** Beside the call itself: mapping before and after it, and the record. */
const LEASE_MARGIN_MS = 10_000;
/** An attempt apart is ended by then, so that its strike is written under the claim's own fence. */
const LEASE_REST_MS = 1_000;
/** A job whose claim or record failed comes again between the first and three times that. */
const JOB_AGAIN_MS = 2_000;
const RECORD_REST_MS = 1_000;
const RECORD_MS_MAX = 600_000;

/** The work of one lane. `timeoutMs` is the connector's total deadline of one call. */
export function createDeliver(ports: DeliverPorts, timeoutMs: number): LaneWork {
  const onHandBack = warnRarely(ports.log);
  return async (job, signal) => {
    const leaseMs = timeoutMs * callsIn(job.lane, ports) + LEASE_MARGIN_MS;
    const leaseEndsMs = performance.now() + leaseMs;
    const sendBeforeMs = leaseEndsMs - timeoutMs;
    const claimed = await claim(ports, job, leaseMs);
    switch (claimed.kind) {
      case 'later':
        return { kind: 'again', inMs: claimed.inMs };
      case 'gone':
        return stepAfterGone(ports, claimed);
      case 'claimed': {
        const { deliveryId } = claimed.claim;
        const step = await deliverClaim(ports, claimed.claim, {
          signal,
          sendBeforeMs,
          leaseEndsMs,
          onHandBack,
          lane: job.lane,
          probe: job.probe === true,
        });
        return deliveryId === job.deliveryId ? step : stepInPlace(ports, deliveryId, step);
      }
    }
  };
}

/** Calls that one attempt may make: where an operation has a lookup, that and the call itself. */
function callsIn(lane: string, { connectors }: DeliverPorts): number {
  const operations = connectors.get(lane)?.definition.operations.values() ?? [];
  return [...operations].some(({ lookup }) => lookup !== undefined) ? 2 : 1;
}

/** The claim was of a newer one of its key, whose own lane job does not know when it is due again. */
async function stepInPlace(ports: DeliverPorts, deliveryId: string, step: Step): Promise<Step> {
  if (step.kind === 'again') {
    try {
      const due = await ports.journal.renewRounds([deliveryId]);
      await ports.lanes.add(due.map(laneJobOf));
    } catch (error) {
      ports.log.debug({ err: error, delivery: deliveryId }, 'not scheduled; the sweep will do it');
    }
  }
  return { kind: 'done', note: `superseded by ${deliveryId}, which went in its place` };
}

function stepAfterGone(
  ports: DeliverPorts,
  { state, chain, reason }: Extract<Claimed, { readonly kind: 'gone' }>,
): Step {
  if (chain !== undefined) ports.onChain(chain);
  if (state === 'dead' && reason !== undefined) return { kind: 'failed', reason };
  return { kind: 'done', note: `nothing to do: ${state}` };
}

async function claim(ports: DeliverPorts, job: LaneJob, leaseMs: number): Promise<Claimed> {
  try {
    const { deliveryId, round } = job;
    return await ports.journal.claim({ deliveryId, round, leaseMs });
  } catch (error) {
    if (!isCrossdockError(error)) throw error;
    ports.log.debug({ err: error, delivery: job.deliveryId }, 'claim failed; coming again');
    return { kind: 'later', inMs: JOB_AGAIN_MS * (1 + 2 * Math.random()) };
  }
}

interface Holding {
  readonly signal: AbortSignal;
  readonly sendBeforeMs: number;
  /** By `performance.now()`. */
  readonly leaseEndsMs: number;
  readonly lane: string;
  /** It only tries whether the target is back: the attempt does not count. */
  readonly probe: boolean;
  onHandBack(error: unknown): void;
}

async function deliverClaim(ports: DeliverPorts, claim: Claim, holding: Holding): Promise<Step> {
  const verdict = uncounted(await attempt(ports, claim, holding), holding);
  const { emits, ...rest } = verdict;
  const event = emits === undefined ? undefined : emittedEvent(ports.routes, claim, emits);
  const record: AttemptRecord = {
    ...rest,
    deliveryId: claim.deliveryId,
    fence: claim.fence,
    ...(event === undefined ? {} : { emits: event }),
    ...(verdict.state === 'dead'
      ? { problem: sightDeath(holding.lane, verdict, claim.event.source) }
      : {}),
  };
  const recorded = await recordAtLast(ports, record, holding.signal);
  if (recorded === undefined) return { kind: 'again', inMs: 3 * JOB_AGAIN_MS };
  if (record.hubError === true) ports.meter.handedBack(holding.lane);
  ports.meter.attempt(holding.lane, record.state, record.attempt?.durationMs);
  if (!recorded.accepted) {
    ports.log.warn({ delivery: claim.deliveryId }, 'a newer claim exists: result refused');
    return { kind: 'done', note: 'result refused: a newer claim exists' };
  }
  if (recorded.emitted !== undefined && event !== undefined) scheduleEmitted(ports, event);
  const openedProblem = recorded.openedProblem === true;
  for (const listen of ports.onSettled) {
    await listen({ lane: holding.lane, claim, record, openedProblem });
  }
  return stepAfter(record);
}

async function attempt(ports: DeliverPorts, claim: Claim, holding: Holding): Promise<Verdict> {
  const { signal, sendBeforeMs } = holding;
  let revision: FlowRevision | undefined;
  try {
    revision = await ports.journal.loadRevision(claim.revision);
    if (revision === undefined) {
      const reason = `the journal has no revision ${claim.revision} of flow ${claim.flow}`;
      return { state: 'dead', code: 'hub-error', reason };
    }
    const spent = holding.probe ? Math.max(0, claim.spent - 1) : claim.spent;
    const work = { ...claim, revision, spent, sendBeforeMs };
    const { suspects } = ports;
    if (claim.strikes === 0 || suspects === undefined) {
      return await attemptDelivery(work, ports, signal);
    }
    const endsMs = holding.leaseEndsMs - LEASE_REST_MS;
    return await attemptApart(suspects, { claim, work }, { signal, endsMs });
  } catch (error) {
    if (signal.aborted) return handBack(claim, 'its process was leaving');
    holding.onHandBack(error);
    return afterHubError(claim, revision);
  }
}

/** A probe that fails is told as an attempt that did not count. */
function uncounted(verdict: Verdict, { probe }: Holding): Verdict {
  const { attempt: made } = verdict;
  if (!probe || made === undefined || made.outcome !== 'retry') return verdict;
  return { ...verdict, attempt: { ...made, spends: false } };
}

/** Not tried: due again, and no attempt spent. */
function handBack({ attempts }: Claim, why: string): Verdict {
  const state = attempts > 0 ? 'retrying' : 'pending';
  return { state, dueInMs: 0, code: 'hub-error', reason: `handed back: ${why}` };
}

/** Without its revision, which a journal that is away does not give, nothing says when its time is up. */
function afterHubError(claim: Claim, revision: FlowRevision | undefined): Verdict {
  const afterMs = hubErrorMs(claim.hubErrors);
  const outcome = {
    kind: 'retry',
    code: 'hub-error',
    reason: 'handed back by the hub',
    afterMs,
  } as const;
  const { connector = '', operation = '' } = revision ?? {};
  const history = { ...claim, operation: `${connector}.${operation}` };
  const policy = revision?.retry ?? { ...defaultRetryPolicy, horizonMs: Number.POSITIVE_INFINITY };
  const { spends: _, ...decision } = decide(outcome, policy, history);
  return decision.state === 'retrying' && claim.attempts === 0
    ? { ...decision, state: 'pending' }
    : decision;
}

const WARN_EVERY_MS = 10_000;

/** One line for many hand-backs: the same cause meets every delivery of a lane. */
function warnRarely(log: Log): (error: unknown) => void {
  let warnedMs = Number.NEGATIVE_INFINITY;
  let count = 0;
  return (error) => {
    count += 1;
    if (performance.now() - warnedMs < WARN_EVERY_MS) return;
    log.warn(
      { err: error, count },
      'deliveries handed back: an error of the hub, no attempt spent',
    );
    warnedMs = performance.now();
    count = 0;
  };
}

/**
 * What was sent must be written down. The claim's fence guards the record however late it comes, so
 * it is tried for long; a process that is leaving gives up sooner.
 */
async function recordAtLast(ports: DeliverPorts, record: AttemptRecord, signal: AbortSignal) {
  const endsMs = performance.now() + RECORD_MS_MAX;
  for (let tries = 1; ; tries += 1) {
    try {
      return await ports.journal.record(record);
    } catch (error) {
      ports.log.warn({ err: error, delivery: record.deliveryId }, 'record failed');
      if (performance.now() > endsMs || (signal.aborted && tries >= 3)) return undefined;
      await sleep(RECORD_REST_MS);
    }
  }
}

function emittedEvent(
  routes: Routes,
  claim: Claim,
  emits: NonNullable<Verdict['emits']>,
): NewEvent {
  const { source, topic } = emits;
  const body = Buffer.from(emits.body);
  const { shop } = claim.event;
  const message = { source, topic, body, ...(shop === undefined ? {} : { shop }) };
  return {
    id: newId(),
    source,
    topic,
    // Once for an event and flow: neither a result that is recorded twice nor a replay makes another.
    dedupeKey: idempotencyKey(claim.event.id, claim.flow),
    body,
    headers: {},
    sha256: createHash('sha256').update(body).digest('hex'),
    deliveries: routes.route(message),
    ...(shop === undefined ? {} : { shop }),
  };
}

function scheduleEmitted(ports: DeliverPorts, event: NewEvent): void {
  ports.lanes.add(laneJobsOf(event)).catch((error: unknown) => {
    ports.log.debug({ err: error, event: event.id }, 'not scheduled; the sweep will do it');
  });
}

/** The one place that says what a delivery's new state means for its lane job. */
function stepAfter(record: AttemptRecord): Step {
  switch (record.state) {
    case 'pending':
    case 'retrying':
      return { kind: 'again', inMs: record.dueInMs ?? 0 };
    case 'dead':
      return { kind: 'failed', reason: record.reason ?? record.code ?? 'dead' };
    case 'held':
    case 'delivered':
    case 'filtered':
    case 'superseded':
    case 'cancelled':
      return { kind: 'done', note: record.state };
  }
}
