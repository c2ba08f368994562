// One case of a flow: the webhook becomes an event, the event goes through the very steps that a
// delivery takes (delivery/attempt.ts), and the clock jumps to each next attempt.

import { createHash } from 'node:crypto';
import type { Definitions, FlowDefinition } from '../../definitions/definitions.ts';
import type { ReceiveDefinition } from '../../definitions/receive.ts';
import { attemptDelivery, type LiveConnector, type Verdict } from '../../delivery/attempt.ts';
import { identify } from '../../intake/identify.ts';
import { createRequestReader, type RequestReader } from '../../intake/webhook-request.ts';
import type { Mapper } from '../../mapping/mapper.ts';
import type { Event, Headers } from '../../model/event.ts';
import type { Answer, FlowCase } from './cases.ts';
import type { Difference } from './compare.ts';
import { compareFlow, type FlowRun } from './compare-flow.ts';
import { TEST_EVENT_ID } from './run-mapping-case.ts';
import { createStandIn } from './stand-in-connector.ts';
import type { RecordedRequest, StandInServer, Turn } from './stand-in-server.ts';

export interface FlowPorts {
  readonly definitions: Definitions;
  readonly mapper: Mapper;
  readonly server: StandInServer;
}

const TEST_DELIVERY_ID = '00000000-0000-7000-8000-000000000002';
/** More attempts than a flow may have (definitions/flow-schema.ts). */
const ATTEMPTS_MAX = 101;

/** What differs; empty where the case passes. */
export async function runFlowCase(
  testCase: FlowCase,
  flow: FlowDefinition,
  ports: FlowPorts,
): Promise<readonly Difference[]> {
  const { connector, topic } = testCase.webhook;
  if (connector !== flow.from.connector || !flow.from.topics.includes(topic)) {
    const expected = `${flow.from.connector} with ${flow.from.topics.join(' or ')}`;
    return [{ path: 'webhook', expected, received: `${connector} with ${topic}` }];
  }
  return compareFlow(testCase.expect, await runFlow(testCase, flow, ports));
}

async function runFlow(
  testCase: FlowCase,
  flow: FlowDefinition,
  ports: FlowPorts,
): Promise<FlowRun> {
  const { revision } = flow;
  const event = eventOf(testCase, ports.definitions);
  const requests: RecordedRequest[] = [];
  const nextTurn = turnsOf(testCase, (request) => requests.push(request));
  let nowMs = testCase.nowMs;
  let attempts = 0;
  let spent = 0;
  let ambiguous = false;
  for (;;) {
    const live = standInFor(revision.connector, { nextTurn, ports, now: () => nowMs });
    const ageMs = nowMs - testCase.nowMs;
    const work = {
      deliveryId: TEST_DELIVERY_ID,
      revision,
      event,
      attempts,
      spent,
      ageMs,
      ambiguous,
    };
    const attemptPorts = { mapper: ports.mapper, connectors: live, now: () => nowMs, random: half };
    const verdict = await attemptDelivery(work, attemptPorts, new AbortController().signal);
    await live.get(revision.connector)?.connector.close();
    attempts += Number(verdict.attempt !== undefined);
    spent += Number(verdict.attempt !== undefined && verdict.attempt.spends !== false);
    ambiguous = verdict.inDoubt ?? ambiguous;
    if (isOver(testCase, verdict, attempts)) return { verdict, attempts, requests };
    nowMs += verdict.dueInMs ?? 0;
  }
}

/** The middle of the jitter, so that the clock jumps by the same each time. */
function half(): number {
  return 0.5;
}

/** Finished; or at the attempt after which the case expects it to be waiting for the next. */
function isOver({ expect }: FlowCase, verdict: Verdict, attempts: number): boolean {
  if (verdict.state !== 'retrying') return true;
  const wanted = Number(expect.attempts?.text ?? 1);
  return attempts >= (expect.state === 'retrying' ? wanted : ATTEMPTS_MAX);
}

function answerOf({ answers }: FlowCase, to: string, index: number): Answer {
  const list = Object.hasOwn(answers, to) ? (answers[to] ?? []) : [];
  return list[index] ?? list.at(-1) ?? {};
}

/** What happens to the next call of each `<connector>.<operation>`. */
function turnsOf(testCase: FlowCase, record: Turn['record']): (to: string) => Turn {
  const calls = new Map<string, number>();
  return (to) => {
    const index = calls.get(to) ?? 0;
    calls.set(to, index + 1);
    return { to, answer: answerOf(testCase, to, index), record };
  };
}

function standInFor(
  connector: string,
  {
    nextTurn,
    ports,
    now,
  }: {
    nextTurn: (to: string) => Turn;
    ports: FlowPorts;
    now: () => number;
  },
): ReadonlyMap<string, LiveConnector> {
  const { definitions, server } = ports;
  const definition = definitions.connectors.get(connector);
  if (definition === undefined) return new Map();
  const standIn = createStandIn({ definition, nextTurn, server, folder: definitions.folder, now });
  return new Map([[connector, standIn]]);
}

/** The event that intake would make of the webhook, or of a body that a flow emitted. */
function eventOf({ webhook, nowMs }: FlowCase, definitions: Definitions): Event {
  const { body, connector, topic } = webhook;
  const receive = definitions.connectors.get(connector)?.receive;
  const headers = { ...topicHeader(receive, topic), ...webhook.headers };
  const identity =
    receive === undefined
      ? emittedIdentity(body)
      : identify(receive, readerOf(headers, body), { bytes: body });
  const receivedAt = new Date(nowMs);
  return { ...identity, id: TEST_EVENT_ID, source: connector, topic, body, headers, receivedAt };
}

function readerOf(headers: Headers, body: Buffer): RequestReader {
  const repeated: ReadonlySet<string> = new Set();
  return createRequestReader({ method: 'POST', target: '/', headers, repeated, body });
}

function topicHeader(receive: ReceiveDefinition | undefined, topic: string): Headers {
  const step = receive?.topic.find(({ from }) => from === 'header');
  return step?.from === 'header' ? { [step.name]: topic } : {};
}

function emittedIdentity(body: Buffer): Pick<Event, 'dedupeKey' | 'sha256'> {
  return {
    dedupeKey: TEST_DELIVERY_ID,
    sha256: createHash('sha256').update(body).digest('hex'),
  };
}
