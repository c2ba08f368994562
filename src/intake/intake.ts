// Intake: from a request's bytes to a committed event, and nothing else. It waits for the journal
// only, never for an outside system, a lane or a mapping.

import type { IncomingHttpHeaders } from 'node:http';
import type { Routes } from '../definitions/routes.ts';
import type { Appended, Journal, NewEvent } from '../journal/journal.ts';
import { CrossdockError } from '../model/errors.ts';
import type { Headers } from '../model/event.ts';
import type { Log } from '../model/log.ts';
import type { Meter } from '../model/meter.ts';
import { within } from '../model/within.ts';
import { type Lanes, laneJobsOf } from '../queue/lanes.ts';
import { createHandshakeLog, eventAnswer, questionAnswer } from './answers.ts';
import type { Confirmation, Confirmations } from './confirmations.ts';
import type { Replied } from './handshakes.ts';
import type { LiveReceiver, LiveReceivers } from './live-receivers.ts';
import { type MadeEvents, makeEvents } from './make-events.ts';
import { type Refusals, unnotedRefusals } from './refusals.ts';
import type { SecretCounter } from './secret-uses.ts';
import type { Verdict } from './verdict.ts';
import { verifyEither } from './verify-either.ts';
import {
  createRequestReader,
  plainHeaders,
  type RequestReader,
  repeatedHeaders,
  type WebhookRequest,
} from './webhook-request.ts';

export interface IntakeRequest {
  readonly connector: string;
  readonly method: string;
  /** Path and query as they came. */
  readonly target: string;
  /** As Node gives them: names in lower case, repeated ones joined. */
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  /** The exact bytes that were received, decoded where they were compressed. */
  readonly body: Buffer;
  /** As they were sent, where that was compressed. */
  readonly sentBody?: Buffer;
  /** Who sent it, and whether a trusted proxy says so. @default unknown, and none */
  readonly client?: { readonly address?: string; readonly viaTrustedProxy: boolean };
  /** It comes out of the quarantine, and was noted there; a trial stores nothing. */
  readonly again?: { readonly receivedAtMs: number; readonly isTrial: boolean };
}

export interface IntakeAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; a request that is a list names the event of each element in `ids`. */
  readonly body: { readonly id?: string; readonly ids?: readonly string[] };
  /** Sent instead of `body`. */
  readonly text?: { readonly type: string; readonly body: string };
}

export interface Intake {
  /** Bytes that a body of this connector may have; `undefined` where it receives nothing. */
  bodyBytesMax(connector: string): number | undefined;
  /** Methods beside POST and PUT that handshakes of this connector are asked with. */
  questionMethods(connector: string): readonly string[];
  /**
   * Resolves with the event's id after its commit; for a message that came before, with the first
   * one's id; for a question of a handshake with its answer, and there is no event. Rejects
   * `connector-unknown`, `signature-invalid`, `too-many-refused`, `key-unavailable`,
   * `request-malformed` (a question that cannot be answered), `body-too-large` (too many events), or
   * `journal-unavailable` when the journal did not take it in time.
   */
  accept(request: IntakeRequest): Promise<IntakeAnswer>;
}

/** A vendor waits a few seconds at most; past this it is told to come again. */
const APPEND_DEADLINE_MS = 2_000;

/** What headers say about bytes on the wire is true no more of a body that was decoded. */
const wireHeaders = ['content-encoding', 'content-length'];

export interface IntakePorts {
  readonly receivers: Pick<LiveReceivers, 'get'>;
  readonly secrets: Pick<SecretCounter, 'matched'>;
  readonly routes: Routes;
  readonly journal: Journal;
  readonly lanes: Lanes;
  readonly meter: Meter;
  readonly log: Log;
  readonly refusals: Refusals;
  readonly confirmations: Pick<Confirmations, 'hasRoom' | 'confirm'>;
  /** Told of a message that came under the id of an event with another body. */
  onConflict?(conflict: MessageConflict): void;
}

export interface MessageConflict {
  /** Of the first one. */
  readonly eventId: string;
  readonly source: string;
  readonly topic: string;
  /** The dedupe key that both have. */
  readonly key: string;
  /** Of the body that came now. */
  readonly sha256: string;
}

export function createIntake(ports: IntakePorts): Intake {
  const { receivers, routes, journal, lanes, log } = ports;

  const schedule = (event: NewEvent): void => {
    if (event.deliveries.length === 0) return;
    lanes.add(laneJobsOf(event)).catch((error: unknown) => {
      log.debug({ err: error, event: event.id }, 'not scheduled; the sweep will do it');
    });
  };

  const store = async (made: MadeEvents): Promise<readonly string[]> => {
    const appended = await within(append(journal, made), APPEND_DEADLINE_MS, tooSlow);
    appended.forEach((one, index) => {
      const event = made.events[index];
      if (event === undefined) return;
      if (one.kind === 'stored') schedule(event);
      else tellOfRepeat(ports, event, one);
    });
    return appended.map(({ id }) => id);
  };

  const answerQuestion = createQuestions(ports);

  /** The answer of a handshake; `undefined` for a message that is from who it says. */
  const answerOrAdmit = async (
    receiver: LiveReceiver,
    from: From,
  ): Promise<IntakeAnswer | undefined> => {
    const { handshakes } = receiver;
    const asked = handshakes.answerBefore?.(from.reader);
    if (asked !== undefined) return answerQuestion(asked, receiver, from);
    requireWebhook(from.request);
    const { secret } = await admit(ports, receiver, from);
    const told = handshakes.answerAfter?.(from.reader, secret);
    return told === undefined ? undefined : answerQuestion(told, receiver, from);
  };

  const takeEvents = async (
    { receive, unkeptHeaders }: LiveReceiver,
    { reader, request }: From,
  ): Promise<IntakeAnswer> => {
    const { connector: source, sentBody, again } = request;
    const wire = sentBody === undefined ? [] : wireHeaders;
    const headers = without(reader.request.headers, unkeptHeaders, wire);
    const made = await makeEvents({ source, receive, reader }, headers, routes);
    const ids = again?.isTrial === true ? made.events.map(({ id }) => id) : await store(made);
    const [id] = ids;
    const first = id === undefined ? {} : { id };
    return eventAnswer(receive.answer, made.isSplit ? { ...first, ids } : first);
  };

  return {
    bodyBytesMax: (connector) => receivers.get(connector)?.receive.limits.bytesMax,
    questionMethods: (connector) => receivers.get(connector)?.handshakes.methods ?? [],
    async accept(request) {
      const receiver = receiverOf(receivers, request.connector);
      const { again, client } = request;
      const fetchesNothing = again === undefined && !ports.refusals.mayFetch(client?.address);
      const webhook = { ...webhookOf(request), fetchesNothing };
      const reader = createRequestReader(webhook, { url: receiver.receive.url });
      const told = await answerOrAdmit(receiver, { reader, request });
      return told ?? takeEvents(receiver, { reader, request });
    },
  };
}

interface From {
  readonly reader: RequestReader;
  readonly request: IntakeRequest;
}

/** Answers a handshake. One that comes out of the quarantine has nobody who waits for the answer. */
function createQuestions({
  log,
  refusals: noting,
  confirmations,
}: IntakePorts): (replied: Replied, receiver: LiveReceiver, from: From) => Promise<IntakeAnswer> {
  const tell = createHandshakeLog(log);
  return async ({ handshake, reply }, { receive }, { reader, request }) => {
    const { connector: source, again } = request;
    if (reply.kind === 'refused') {
      const refusals = again === undefined ? noting : unnotedRefusals;
      throw refusals.count({ connector: source, receive, request: reader.request }, reply.verdict);
    }
    const { confirm: url } = reply;
    if (url !== undefined) await confirm(confirmations, { source, handshake, url }, again);
    if (again?.isTrial !== true) tell(source, handshake);
    return questionAnswer(reply);
  };
}

/** After the answer; before it, where nobody waits. Throws where the vendor must come again. */
async function confirm(
  confirmations: IntakePorts['confirmations'],
  confirmation: Confirmation,
  again: IntakeRequest['again'],
): Promise<void> {
  if (!confirmations.hasRoom(confirmation)) {
    const message = `connector ${confirmation.source}: too many confirmations at once`;
    throw new CrossdockError('overloaded', message);
  }
  if (again?.isTrial === true) return;
  const confirmed = confirmations.confirm(confirmation);
  if (again !== undefined) await confirmed;
}

/** What is none was let in by the route because a handshake might have answered it. */
function requireWebhook({ method }: IntakeRequest): void {
  if (method === 'POST' || method === 'PUT') return;
  const message = `${method} is taken here only where it asks something that a handshake answers`;
  throw new CrossdockError('request-malformed', message);
}

type Admitted = Extract<Verdict, { readonly kind: 'authentic' }>;

/** Throws where it is not from who it says. */
async function admit(
  ports: IntakePorts,
  { receive, verifier, marks, handshakes }: LiveReceiver,
  from: From,
): Promise<Admitted> {
  const { connector, again } = from.request;
  const sentBody = handshakes.signsForStrangers ? undefined : from.request.sentBody;
  const received = { connector, receive, request: from.reader.request };
  const refusals = again === undefined ? ports.refusals : unnotedRefusals;
  const nowMs = again?.receivedAtMs ?? Date.now();
  const { reader } = from;
  const verdict = await verifyEither(verifier, { reader, sentBody, url: receive.url, nowMs });
  if (verdict.kind === 'refused') throw refusals.note(received, verdict);
  refusals.passed(received);
  const secret = verdict.secret === undefined ? undefined : marks.get(verdict.secret);
  if (secret !== undefined) ports.secrets.matched(connector, secret);
  return verdict;
}

/** One event travels by itself; those of a list are all stored or none of them is. */
async function append(
  journal: Journal,
  { events, isSplit }: MadeEvents,
): Promise<readonly Appended[]> {
  const [event] = events;
  if (isSplit) return journal.appendTogether(events);
  return event === undefined ? [] : [await journal.append(event)];
}

function tellOfRepeat(
  { meter, log, onConflict }: Pick<IntakePorts, 'meter' | 'log' | 'onConflict'>,
  { source, topic, dedupeKey: key, sha256 }: NewEvent,
  { id, sameBody }: Extract<Appended, { readonly kind: 'duplicate' }>,
): void {
  meter.duplicate(source);
  if (sameBody) return;
  meter.conflict(source);
  log.warn({ source, event: id }, 'same id came with another body; it is kept beside the event');
  onConflict?.({ eventId: id, source, topic, key, sha256 });
}

function receiverOf(receivers: Pick<LiveReceivers, 'get'>, id: string): LiveReceiver {
  const receiver = receivers.get(id);
  if (receiver !== undefined) return receiver;
  throw new CrossdockError('connector-unknown', 'no connector of this name receives webhooks');
}

function webhookOf(request: IntakeRequest): WebhookRequest {
  const { method, target, headers, rawHeaders, body, client } = request;
  return {
    method,
    target,
    headers: plainHeaders(headers),
    repeated: repeatedHeaders(rawHeaders),
    body,
    ...client,
  };
}

function tooSlow(): CrossdockError {
  const message = `the journal did not take the event within ${APPEND_DEADLINE_MS} ms`;
  return new CrossdockError('journal-unavailable', message);
}

function without(headers: Headers, names: ReadonlySet<string>, more: readonly string[]): Headers {
  const isLeft = (name: string): boolean => names.has(name) || more.includes(name);
  if (!Object.keys(headers).some(isLeft)) return headers;
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !isLeft(name)));
}
