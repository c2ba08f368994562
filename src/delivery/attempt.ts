// One attempt of a delivery, from body to verdict: when, map, validate, send, decide. Knows neither
// journal nor lanes, so that the engine and `crossdock test` run the very same steps.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Connector, Exchange, Message, Sent } from '../connectors/connector.ts';
import type { ConnectorDefinition } from '../definitions/definitions.ts';
import type { AttemptRecord } from '../journal/journal.ts';
import type { Mapper, MappingAnswer, MappingInput } from '../mapping/mapper.ts';
import { idempotencyKey } from '../model/delivery.ts';
import { CrossdockError, isCrossdockError } from '../model/errors.ts';
import type { Event, EventContext } from '../model/event.ts';
import type { FlowRevision } from '../model/flow-revision.ts';
import type { Outcome, OutcomeCode } from '../model/outcome.ts';
import { backoffMs } from '../model/retry.ts';
import { decide } from './decide.ts';

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
  const mapped = await mapEvent(revision, ports.mapper, {
    body: event.body,
    event: context,
    nowMs,
  });
  if (mapped.kind === 'filtered') return { state: 'filtered', reason: 'its `when` was false' };
  if (mapped.kind === 'failed') return dead(mapped.code, mapped.message);
  const live = ports.connectors.get(revision.connector);
  const target = `${revision.connector}.${revision.operation}`;
  if (live === undefined || !live.definition.operations.has(revision.operation)) {
    return withoutOperation(work, target);
  }
  signal.throwIfAborted();
  if (work.sendBeforeMs !== undefined && performance.now() > work.sendBeforeMs) {
    throw new CrossdockError('overloaded', 'mapping took longer than the claim allows');
  }
  const message: Message = {
    operation: revision.operation,
    body: mapped.output,
    idempotencyKey: idempotencyKey(event.id, revision.flow),
    deliveryId: work.deliveryId,
    attempt: work.attempts + 1,
    event: context,
  };
  const startedMs = ports.now();
  const sent = await live.connector.send(message, signal);
  const durationMs = Math.max(0, Math.round(ports.now() - startedMs));
  return judge({ work, ports, live, message, sent, durationMs, signal });
}

/** A flow that changes nothing passes on whatever came, JSON or not. */
async function mapEvent(
  { hash, program }: FlowRevision,
  mapper: Mapper,
  input: MappingInput,
): Promise<MappingAnswer> {
  const changesNothing = Object.values(program).every((part) => part === undefined);
  if (changesNothing) return { kind: 'mapped', output: input.body.toString() };
  return mapper.map(hash, program, input);
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

interface Attempted {
  readonly work: Work;
  readonly ports: AttemptPorts;
  readonly live: LiveConnector;
  readonly message: Message;
  readonly sent: Sent;
  readonly durationMs: number;
  readonly signal: AbortSignal;
}

const OPERATION_AWAITED_MS = 30_000;

/** Its flow may be newer than the files of this process, as in a rolling deploy: wait for those. */
function withoutOperation(work: Work, target: string): Verdict {
  const code = 'operation-unknown';
  if (work.ageMs > work.revision.retry.horizonMs) {
    return dead(code, `there is no operation ${target}`);
  }
  return {
    state: work.attempts > 0 ? 'retrying' : 'pending',
    dueInMs: OPERATION_AWAITED_MS,
    code,
    reason: `there is no operation ${target} here; waiting for files that have it`,
  };
}

async function judge(attempted: Attempted): Promise<Verdict> {
  const { work, ports, sent, signal } = attempted;
  if (sent.outcome.kind === 'retry' && signal.aborted) return interrupted(attempted, sent.outcome);
  const { spent, ageMs } = work;
  const decision = decide(sent.outcome, work.revision.retry, {
    spent: spent + 1,
    ageMs,
    ...(ports.random === undefined ? {} : { random: ports.random }),
  });
  const verdict: Verdict = { ...decision, attempt: attemptOf(attempted) };
  return sent.outcome.kind === 'delivered' ? withResult(attempted, verdict) : verdict;
}

/** Cut off by the hub's own leaving, or as good as: the attempt is told but does not count. */
function interrupted(
  attempted: Attempted,
  outcome: Extract<Outcome, { readonly kind: 'retry' }>,
): Verdict {
  const { work, ports } = attempted;
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
    attempt: { ...attemptOf(attempted), spends: false },
  };
}

/** The call worked: whatever its answer is like, the delivery stays delivered. */
async function withResult(attempted: Attempted, verdict: Verdict): Promise<Verdict> {
  const { work, live } = attempted;
  const { emit, operation } = work.revision;
  const wanted = live.definition.operations.get(operation)?.result;
  if (wanted === undefined && emit === undefined) return verdict;
  const answer = await evaluateResult(attempted);
  if (answer.kind !== 'mapped') {
    const why = answer.kind === 'failed' ? answer.message : 'it was empty';
    return { ...verdict, code: 'response-unusable', reason: `delivered, but no result: ${why}` };
  }
  const result = answer.output;
  return {
    ...verdict,
    result,
    ...(emit === undefined ? {} : { emits: { ...emit, body: result } }),
  };
}

const RESULT_TRIES = 5;
const RESULT_REST_MS = 1_000;

/**
 * The call is not forgotten because the mapper is busy. Where it stays so, a result that becomes an
 * event is worth another call with the same key; any other is done without.
 */
async function evaluateResult(attempted: Attempted): Promise<MappingAnswer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await evaluateResultOnce(attempted);
    } catch (error) {
      if (tries < RESULT_TRIES && isCrossdockError(error, 'overloaded')) {
        await sleep(RESULT_REST_MS);
        continue;
      }
      if (attempted.work.revision.emit !== undefined) throw error;
      return { kind: 'failed', code: 'mapping-crashed', message: 'the mapper did not take it' };
    }
  }
}

function evaluateResultOnce(attempted: Attempted): Promise<MappingAnswer> {
  const { work, ports, live, message, sent } = attempted;
  const { connector, operation } = work.revision;
  const map = live.definition.operations.get(operation)?.result;
  const body = sent.responseBody ?? Buffer.from('null');
  return ports.mapper.map(
    `result:${connector}.${operation}:${map?.source ?? ''}`,
    map === undefined ? {} : { map },
    { body, event: message.event, sent: message.body, nowMs: ports.now() },
  );
}

function attemptOf({ sent, durationMs }: Attempted): NonNullable<AttemptRecord['attempt']> {
  const { outcome, exchange } = sent;
  return {
    durationMs,
    outcome: outcome.kind,
    ambiguous: outcome.kind === 'retry' && outcome.ambiguous === true,
    ...(outcome.status === undefined ? {} : { status: outcome.status }),
    ...exchangeTexts(exchange),
  };
}

function exchangeTexts(exchange: Exchange): { request: string; response?: string } {
  const request = JSON.stringify(exchange.request);
  return exchange.response === undefined
    ? { request }
    : { request, response: JSON.stringify(exchange.response) };
}

function dead(code: OutcomeCode, reason: string): Verdict {
  return { state: 'dead', code, reason };
}
