// Keeping refused requests, off the path of every request: a bounded line in memory, one writer,
// batches. What does not fit is counted and forgotten; nobody waits and nothing here throws.

import { createHash } from 'node:crypto';
import { setTimeout as sleep, setImmediate as turnOfLoop } from 'node:timers/promises';
import type { ConnectorDefinition } from '../definitions/definitions.ts';
import type { QuarantineDefinition } from '../definitions/receive.ts';
import type { NewQuarantined, Quarantine, QuarantineBounds } from '../journal/quarantine-port.ts';
import { isCrossdockError } from '../model/errors.ts';
import { newId } from '../model/ids.ts';
import type { Log } from '../model/log.ts';
import type { Meter } from '../model/meter.ts';
import { within } from '../model/within.ts';
import { diagnose } from './diagnose.ts';
import { networkOf } from './failure-limits.ts';
import { hideCredentials } from './hide-credentials.ts';
import type { ReceivedRequest, RefusedVerdict } from './refusals.ts';

/** Of all connectors together: bodies, headers and targets. */
export const QUARANTINE_BYTES_MAX = 200 * 1_048_576;
/** `keep: sample` keeps this many of one connector and one reason in a minute. */
export const SAMPLES_PER_MINUTE = 3;

/** What waits in memory for the writer. */
const WAITING_MAX = 1_000;
const WAITING_BYTES_MAX = 16 * 1_048_576;
const BATCH_MAX = 100;
const BATCH_BYTES_MAX = 4 * 1_048_576;
/** Between two batches: under a burst they are full, and otherwise nobody is in a hurry. */
const BATCH_REST_MS = 250;
/** Requests of one batch that are looked into; it costs some hashes of the body each. */
const DIAGNOSES_PER_BATCH_MAX = 20;
/** What a request weighs beside its body. */
const REQUEST_BYTES = 2_048;
const MINUTE_MS = 60_000;
/** Of one kind, from all networks. */
const ALL_SAMPLES_PER_MINUTE = 30;
/** Kinds and networks that are counted; the longest known makes room. */
const MINUTES_MAX = 10_000;
const WARN_EVERY_MS = 60_000;
const TURN_EVERY_MS = 60_000;
/** Without its connector a request is kept by the bounds of one that says nothing. */
const boundsDefault: QuarantineBounds = {
  countMax: 500,
  bytesMax: 20 * 1_048_576,
  ageMsMax: 7 * 86_400_000,
};

export interface QuarantineKeeper {
  /** At once; never throws. */
  keep(received: ReceivedRequest, verdict: RefusedVerdict): void;
  /** Writes what waits, for `graceMs` at most; takes nothing any more. */
  close(graceMs: number): Promise<void>;
}

interface Waiting extends ReceivedRequest {
  readonly verdict: RefusedVerdict;
  readonly receivedAt: Date;
}

export function createQuarantineKeeper(ports: {
  readonly quarantine: Pick<Quarantine, 'add' | 'trim'>;
  readonly meter: Pick<Meter, 'quarantine'>;
  readonly log: Log;
}): QuarantineKeeper {
  const { quarantine, meter, log } = ports;
  const sampler = createSampler();
  const closing = new AbortController();
  let waiting: Waiting[] = [];
  let waitingBytes = 0;
  let writer: Promise<void> | undefined;
  let warnedMs = -Infinity;

  const write = async (batch: readonly Waiting[]): Promise<void> => {
    try {
      const rows = await rowsOf(batch);
      const kept = await addApart(quarantine, rows);
      for (const { id, source } of rows) {
        meter.quarantine(source, kept.has(id) ? 'kept' : 'dropped', 1);
      }
    } catch (error) {
      for (const { connector } of batch) meter.quarantine(connector, 'dropped', 1);
      warn(error, batch.length);
      return;
    }
    // What this leaves is for the housekeeping.
    await quarantine
      .trim(boundsIn(batch), QUARANTINE_BYTES_MAX)
      .catch((error: unknown) => warn(error, 0));
  };

  const warn = (error: unknown, count: number): void => {
    if (performance.now() - warnedMs < WARN_EVERY_MS) return;
    warnedMs = performance.now();
    log.warn({ err: error, count }, 'the quarantine cannot keep what it should');
  };

  const writeAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      await sleep(BATCH_REST_MS, undefined, { signal: closing.signal, ref: false }).catch(
        () => undefined,
      );
      const batch = waiting.slice(0, countNext(waiting));
      waiting = waiting.slice(batch.length);
      waitingBytes -= batch.reduce((sum, one) => sum + weigh(one), 0);
      await write(batch);
    }
    writer = undefined;
  };

  return {
    keep(received, verdict) {
      const { connector, receive, request } = received;
      if (receive.quarantine.keep === 'off') return;
      if (!sampler.takes(received, verdict.code)) {
        meter.quarantine(connector, 'skipped', 1);
        return;
      }
      const one = { ...received, verdict, receivedAt: new Date() };
      const bytes = weigh(one);
      const hasRoom = waiting.length < WAITING_MAX && waitingBytes + bytes <= WAITING_BYTES_MAX;
      if (!hasRoom || closing.signal.aborted || request.body.length > receive.quarantine.bytesMax) {
        meter.quarantine(connector, 'dropped', 1);
        return;
      }
      waiting.push(one);
      waitingBytes += bytes;
      writer ??= writeAll();
    },
    async close(graceMs) {
      closing.abort();
      if (writer === undefined) return;
      await within(writer, graceMs, () => new Error('no time left')).catch(() =>
        log.warn({ count: waiting.length }, 'refused requests were not kept: the hub leaves'),
      );
    },
  };
}

/** Together, or one by one where one of them cannot be stored; the ids of those that were. */
async function addApart(
  quarantine: Pick<Quarantine, 'add'>,
  rows: readonly NewQuarantined[],
): Promise<ReadonlySet<string>> {
  const kept = new Set<string>();
  const keep = async (some: readonly NewQuarantined[]): Promise<void> => {
    await quarantine.add(some);
    for (const { id } of some) kept.add(id);
  };
  try {
    await keep(rows);
  } catch (error) {
    if (isCrossdockError(error)) throw error;
    for (const row of rows) await keep([row]).catch(() => undefined);
  }
  return kept;
}

function weigh({ request }: Waiting): number {
  return request.body.length + request.target.length + REQUEST_BYTES;
}

/** At least one. */
function countNext(waiting: readonly Waiting[]): number {
  let bytes = 0;
  let count = 0;
  for (const one of waiting.slice(0, BATCH_MAX)) {
    bytes += weigh(one);
    if (bytes > BATCH_BYTES_MAX) break;
    count += 1;
  }
  return Math.max(1, count);
}

interface Sampler {
  takes(received: ReceivedRequest, code: string): boolean;
}

/**
 * Of `sample` a few of a kind and network in a minute; of `all` no more in a minute than is kept at once, so
 * that a burst does not write and delete without end.
 */
function createSampler(): Sampler {
  const minutes = new Map<string, { endsMs: number; count: number; bytes: number }>();
  const counted = (
    key: string,
    bytes: number,
  ): { readonly count: number; readonly bytes: number } => {
    const nowMs = performance.now();
    let minute = minutes.get(key);
    if (minute === undefined || nowMs >= minute.endsMs) {
      minute = { endsMs: nowMs + MINUTE_MS, count: 0, bytes: 0 };
      minutes.delete(key);
      minutes.set(key, minute);
      const [oldest] = minutes.keys();
      if (minutes.size > MINUTES_MAX && oldest !== undefined) minutes.delete(oldest);
    }
    minute.count += 1;
    minute.bytes += bytes;
    return minute;
  };
  return {
    takes({ connector, receive, request }, code) {
      const { keep, countMax, bytesMax } = receive.quarantine;
      const { length } = request.body;
      if (keep !== 'sample') {
        const { count, bytes } = counted(connector, length);
        return count <= countMax && bytes <= bytesMax;
      }
      // Strangers must not use up what is kept of the vendor.
      const network = networkOf(request.address ?? '');
      const { count } = counted(`${connector} ${code} ${network}`, length);
      if (count > SAMPLES_PER_MINUTE) return false;
      return counted(`${connector} ${code}`, length).count <= ALL_SAMPLES_PER_MINUTE;
    },
  };
}

async function rowsOf(batch: readonly Waiting[]): Promise<readonly NewQuarantined[]> {
  const rows: NewQuarantined[] = [];
  for (const [index, one] of batch.entries()) {
    rows.push(rowOf(one, index < DIAGNOSES_PER_BATCH_MAX));
    // Requests go first.
    await turnOfLoop();
  }
  return rows;
}

function rowOf(
  { connector, receive, request, verdict, receivedAt }: Waiting,
  isLookedInto: boolean,
): NewQuarantined {
  const { method, repeated, address, body } = request;
  const { target, headers, hidden, body: kept } = hideCredentials(request, receive);
  return {
    id: newId(),
    source: connector,
    code: verdict.code,
    reason: isLookedInto ? diagnose(receive, request, verdict) : verdict.reason,
    ...{ receivedAt, method, target, headers, hidden },
    repeated: [...repeated],
    body: kept,
    bytes: body.length,
    sha256: createHash('sha256').update(body).digest('hex'),
    ...(address === undefined ? {} : { address }),
  };
}

function boundsIn(batch: readonly Waiting[]): ReadonlyMap<string, QuarantineBounds> {
  return new Map(batch.map(({ connector, receive }) => [connector, boundsOf(receive.quarantine)]));
}

function boundsOf({ countMax, bytesMax, ageMsMax }: QuarantineDefinition): QuarantineBounds {
  return { countMax, bytesMax, ageMsMax };
}

/** For the housekeeping: what has aged, and what the bounds of today leave no room for. */
export function createQuarantineTurn(ports: {
  readonly journal: { whileLeader(task: string, work: () => Promise<void>): Promise<unknown> };
  readonly quarantine: Pick<Quarantine, 'sources' | 'trim'>;
  readonly connectors: ReadonlyMap<string, ConnectorDefinition>;
}): { readonly task: string; readonly everyMs: number; run(): Promise<unknown> } {
  const { journal, quarantine, connectors } = ports;
  return {
    task: 'quarantine',
    everyMs: TURN_EVERY_MS,
    run: () =>
      journal.whileLeader('quarantine', async () => {
        const bounds = (await quarantine.sources()).map((source) => {
          const rules = connectors.get(source)?.receive?.quarantine;
          return [source, rules === undefined ? boundsDefault : boundsOf(rules)] as const;
        });
        await quarantine.trim(new Map(bounds), QUARANTINE_BYTES_MAX);
      }),
  };
}
