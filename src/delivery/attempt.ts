// One attempt of a delivery, from body to verdict: when, map, validate, look up, send, decide. Knows
// neither journal nor lanes, so that the engine and `crossdock test` run the very same steps.

import type { Connector, Message } from '../connectors/connector.ts';
import type { ConnectorDefinition } from '../definitions/definitions.ts';
import type { AttemptRecord } from '../journal/journal.ts';
import type { Mapper, MappingAnswer } from '../mapping/mapper.ts';
import { idempotencyKey } from '../model/delivery.ts';
import { CrossdockError } from '../model/errors.ts';
import type { Event, EventContext } from '../model/event.ts';
import type { FlowRevision } from '../model/flow-revision.ts';
import type { Outcome, OutcomeCode } from '../model/outcome.ts';
import { backoffMs } from '../model/retry.ts';
import { attemptOf, type Call, callOperation, isAmbiguous, operationOf } from './call.ts';
import { withoutResult, withResult } from './call-result.ts';
import { type Decision, decide } from './decide.ts';
import { eventJson, passedOn } from './event-json.ts';
import { lookUp } from './look-up.ts';

/** A connector that is live, and the file it came from. */
export interface LiveConnector {
  readonly connector: Connector;
  readonly definition: ConnectorDefinition;
}

export interface AttemptPorts {
  readonly mapper: Mapper;
  /** By connector id. */
  readonly connectors: ReadonlyMap<string, LiveConnector>;
  /** Milliseconds since the epoch. */
  now(): number;
  /** In [0, 1). @default Math.random */
  readonly random?: () => number;
}

export interface Work {
  readonly deliveryId: string;
  readonly revision: FlowRevision;
  readonly event: Event;
  /** Attempts before this one, all told. */
  readonly attempts: number;
  /** Attempts before this one that count against the limit. */
  readonly spent: number;
  readonly ageMs: number;
  /** Errors of the hub's own in a row, before this attempt. @default 0 */
  readonly hubErrors?: number;
  /** What the last attempt came to. */
  readonly lastCode?: OutcomeCode;
  /** An earlier attempt may have worked: it is looked up first, where the operation says how. */
  readonly ambiguous: boolean;
  /** By `performance.now()`: past it the claim could end before the answer, so nothing is sent. */
  readonly sendBeforeMs?: number;
}

/** What the journal is to record; `emits` carries the body of the event that the result becomes. */
export type Verdict = Omit<AttemptRecord, 'deliveryId' | 'fence' | 'emits'> & {
  readonly emits?: { readonly source: string; readonly topic: string; readonly body: string };
};

/** Rejects only when `signal` aborted before anything was sent, or on a bug. */
export async function attemptDelivery(
  work: Work,
  ports: AttemptPorts,
  signal: AbortSignal,
): Promise<Verdict> {
  const { revision, event } = work;
  const context = eventContext(event);
  const nowMs = ports.now();
  const mapped = await mapEvent(work, context, { mapper: ports.mapper, nowMs });
  if (mapped.kind === 'filtered') return { state: 'filtered', reason: 'its `when` was false' };
  const turn = { work, ports, signal };
  if (mapped.kind === 'failed') {
    return unsent({ kind: 'rejected', code: mapped.code, reason: mapped.message }, turn);
  }
  const live = ports.connectors.get(revision.connector);
  if (live === undefined || !live.definition.operations.has(revision.operation)) {
    return unsent(unknownOperation(revision), turn);
  }
  return send(turn, live, {
    operation: revision.operation,
    body: mapped.output,
    idempotencyKey: idempotencyKey(event.id, revision.flow),
    deliveryId: work.deliveryId,
    attempt: work.attempts + 1,
    event: context,
  });
}

/** What an attempt runs with, from beginning to end. */
interface Turn {
  readonly work: Work;
  readonly ports: AttemptPorts;
  readonly signal: AbortSignal;
}

/** A flow that changes nothing passes on whatever came, JSON or not. */
async function mapEvent(
  { revision: { hash, program }, event }: Work,
  context: EventContext,
  { mapper, nowMs }: { readonly mapper: Mapper; readonly nowMs: number },
): Promise<MappingAnswer> {
  const changesNothing = Object.values(program).every((part) => part === undefined);
  if (changesNothing) return { kind: 'mapped', output: await passedOn(event) };
  const reading = await eventJson(event);
  if (reading.kind === 'unreadable') {
    const message = `the body cannot be read: ${reading.reason}`;
    return { kind: 'failed', code: 'body-unreadable', message };
  }
  return mapper.map(hash, program, { body: reading.json, event: context, nowMs });
}

/** What expressions see as `$event`. */
export function eventContext(event: Event): EventContext {
  return {
    id: event.id,
    source: event.source,
    topic: event.topic,
    key: event.dedupeKey,
    receivedAt: event.receivedAt.toISOString(),
    headers: event.headers,
    ...(event.shop === undefined ? {} : { shop: event.shop }),
    ...(event.occurredAt === undefined ? {} : { occurredAt: event.occurredAt.toISOString() }),
  };
}

/** Its flow may be newer than the files of this process, as in a rolling deploy: wait for those. */
function unknownOperation({ connector, operation }: FlowRevision): Outcome {
  const reason = `there is no operation ${connector}.${operation} here; waiting for files that have it`;
  return { kind: 'rejected', code: 'operation-unknown', reason };
}

/** What becomes of a delivery that never got as far as a call: no attempt is told. */
function unsent(outcome: Outcome, { work, ports }: Turn): Verdict {
  const { revision, attempts, spent } = work;
  const operation = `${revision.connector}.${revision.operation}`;
  const history = { ...historyOf(work, ports), attempts, spent, operation };
  const verdict = verdictOf(decide(outcome, revision.retry, history));
  return verdict.state === 'retrying' && attempts === 0
    ? { ...verdict, state: 'pending' }
    : verdict;
}

function historyOf({ ageMs, hubErrors = 0, lastCode }: Work, { random }: AttemptPorts) {
  const last = lastCode === undefined ? {} : { lastCode };
  return { ageMs, hubErrors, ...last, ...(random === undefined ? {} : { random }) };
}

function verdictOf({ spends: _, ...decision }: Decision): Verdict {
  return decision;
}

/** Looks first where the work may be done already, and sends where it is not. */
async function send(turn: Turn, live: LiveConnector, message: Message): Promise<Verdict> {
  const { work, ports, signal } = turn;
  const { revision } = work;
  const lookup = live.definition.operations.get(revision.operation)?.lookup;
  if (!work.ambiguous || lookup === undefined) {
    refuseLate(turn, 0);
    const call = await callOperation({ live, message, ...outcomesOf(revision) }, ports, signal);
    return judge(turn, call, { doubted: work.ambiguous });
  }
  // The call after it has to fit into the claim too.
  refuseLate(turn, live.definition.timeoutMs);
  const looked = await lookUp(lookup, { live, message, ports }, signal);
  if (looked.kind !== 'absent') return judge(turn, looked.call, { doubted: true });
  refuseLate(turn, 0);
  const call = await callOperation({ live, message, ...outcomesOf(revision) }, ports, signal);
  return judge(turn, call, { doubted: false });
}

function outcomesOf({ outcomes }: FlowRevision): Pick<FlowRevision, 'outcomes'> {
  return outcomes === undefined ? {} : { outcomes };
}

function refuseLate({ work, signal }: Turn, aheadMs: number): void {
  signal.throwIfAborted();
  if (work.sendBeforeMs !== undefined && performance.now() + aheadMs > work.sendBeforeMs) {
    throw new CrossdockError(
      'overloaded',
      'mapping and looking up took longer than the claim allows',
    );
  }
}

type Retry = Extract<Outcome, { readonly kind: 'retry' }>;

async function judge(
  turn: Turn,
  call: Call,
  { doubted }: { readonly doubted: boolean },
): Promise<Verdict> {
  const { work, ports, signal } = turn;
  const { outcome } = call.sent;
  const told = {
    ...(outcome.restMs === undefined ? {} : { restMs: outcome.restMs }),
    inDoubt: outcome.kind !== 'delivered' && (doubted || isAmbiguous(call.sent)),
  };
  if (outcome.kind === 'retry' && signal.aborted) {
    return { ...interrupted(turn, call, outcome), ...told };
  }
  const decision = decide(outcome, work.revision.retry, {
    ...historyOf(work, ports),
    attempts: work.attempts + 1,
    spent: work.spent + 1,
    operation: operationOf(call),
  });
  const spends = decision.spends === false ? { spends: false } : {};
  const verdict = { ...verdictOf(decision), ...told, attempt: { ...attemptOf(call), ...spends } };
  if (outcome.kind !== 'delivered') return verdict;
  const done = await withResult(verdict, call, { revision: work.revision, ports });
  return done ?? judge(turn, withoutResult(call), { doubted });
}

/** Cut off by the hub's own leaving, or as good as: the attempt is told but does not count. */
function interrupted({ work, ports }: Turn, call: Call, outcome: Retry): Verdict {
  const { afterMs, code, reason } = outcome;
  const dueInMs = backoffMs(work.revision.retry, Math.max(1, work.spent), {
    ...(afterMs === undefined ? {} : { askedMs: afterMs }),
    ...(ports.random === undefined ? {} : { random: ports.random }),
  });
  return {
    state: 'retrying',
    dueInMs,
    code,
    reason: `${reason}; not counted, since its process was leaving`,
    attempt: { ...attemptOf(call), spends: false },
  };
}
