// What a flow's test expects, held against what came of its webhook.

import type { Verdict } from '../../delivery/attempt.ts';
import { type ExactValue, parseExactJson } from '../exact-value.ts';
import type { Expectation, ExpectedRequest } from './cases.ts';
import { lowerCaseNames } from './cases.ts';
import { compareError, compareExact, type Difference, isObject } from './compare.ts';
import type { RecordedRequest } from './stand-in-server.ts';

/** What came of the webhook. */
export interface FlowRun {
  readonly verdict: Verdict;
  readonly attempts: number;
  readonly requests: readonly RecordedRequest[];
}

/** What the case leaves out is not compared. */
export function compareFlow(expect: Expectation, run: FlowRun): readonly Difference[] {
  const { verdict, attempts, requests } = run;
  const error = verdict.code === undefined ? undefined : `${verdict.code}: ${verdict.reason ?? ''}`;
  return [
    ...compareText('state', expect.state, withReason(verdict.state, error, expect.state)),
    ...compareText('attempts', expect.attempts?.text, String(attempts)),
    ...(expect.error === undefined ? [] : compareError(expect.error, error, error !== undefined)),
    ...compareRequests(expect.requests, requests),
    ...compareEmits(expect.emits, verdict.emits),
  ];
}

/** An unexpected state comes with its reason, which is what the reader needs next. */
function withReason(state: string, error: string | undefined, expected: string): string {
  return state === expected || error === undefined ? state : `${state} (${error})`;
}

function compareText(
  path: string,
  expected: string | undefined,
  received: string | undefined,
): readonly Difference[] {
  return expected === undefined || expected === received ? [] : [{ path, expected, received }];
}

function compareRequests(
  expected: readonly ExpectedRequest[] | undefined,
  received: readonly RecordedRequest[],
): readonly Difference[] {
  if (expected === undefined) return [];
  const length = Math.max(expected.length, received.length);
  return Array.from({ length }, (_, index) =>
    compareRequest(`requests[${index}]`, expected[index], received[index]),
  ).flat();
}

function compareRequest(
  path: string,
  expected: ExpectedRequest | undefined,
  received: RecordedRequest | undefined,
): readonly Difference[] {
  if (expected === undefined || received === undefined) {
    return [{ path, expected: summaryOf(expected), received: summaryOf(received) }];
  }
  const { headers = {}, body } = expected;
  return [
    ...compareText(`${path}.to`, expected.to, received.to),
    ...compareText(`${path}.method`, expected.method?.toUpperCase(), received.method),
    ...compareText(`${path}.path`, expected.path, received.path),
    ...Object.entries(lowerCaseNames(headers)).flatMap(([name, value]) =>
      compareText(`${path}.headers.${name}`, value, received.headers[name]),
    ),
    ...(body === undefined ? [] : compareExact(`${path}.body`, body, bodyOf(received, body))),
  ];
}

function summaryOf(request: ExpectedRequest | RecordedRequest | undefined): string | undefined {
  if (request === undefined) return undefined;
  return [request.to, request.method, request.path].filter((part) => part !== undefined).join(' ');
}

/** JSON where it is JSON, the fields of a form where fields are expected, else the text. */
function bodyOf(request: RecordedRequest, expected: ExactValue): ExactValue {
  const type = request.headers['content-type'] ?? '';
  if (type.startsWith('application/x-www-form-urlencoded') && isObject(expected)) {
    return Object.fromEntries(new URLSearchParams(request.body));
  }
  try {
    return parseExactJson(request.body);
  } catch {
    return request.body;
  }
}

function compareEmits(
  expected: Expectation['emits'],
  received: { readonly topic: string; readonly body: string } | undefined,
): readonly Difference[] {
  if (expected === undefined) return [];
  const emitted = received === undefined ? [] : [received];
  const length = Math.max(expected.length, emitted.length);
  return Array.from({ length }, (_, index) => {
    const path = `emits[${index}]`;
    const [wanted, came] = [expected[index], emitted[index]];
    if (wanted === undefined || came === undefined) {
      return [{ path, expected: wanted?.topic, received: came?.topic }];
    }
    return [
      ...compareText(`${path}.topic`, wanted.topic, came.topic),
      ...(wanted.body === undefined
        ? []
        : compareExact(`${path}.body`, wanted.body, parseExactJson(came.body))),
    ];
  }).flat();
}
