// Posts signed requests to a hub: one after another, or at a rate with several under way.

import { EVENT_ID_HEADER } from '../intake/answers.ts';
import type { SignedWebhook } from '../intake/sign.ts';
import { CrossdockError } from '../model/errors.ts';
import type { Rate } from '../model/units.ts';

const DEADLINE_MS = 10_000;
const ANSWER_SHOWN_MAX = 300;
/** Requests under way at once where a rate is asked for. */
const CONCURRENCY_MAX = 32;

interface Answer {
  readonly status: number;
  /** The event's id, where it was taken; the first one of a batch. */
  readonly id?: string;
  /** All of a batch. */
  readonly ids?: readonly string[];
  /** The beginning of a refusal. */
  readonly text?: string;
}

export interface Answered extends Answer {
  /** An earlier one of the same run had the same event's id; of earlier runs nothing is known. */
  readonly duplicate?: true;
}

interface Sending {
  /** Without a slash at the end. */
  readonly origin: string;
  readonly sign: () => SignedWebhook;
  readonly count: number;
  readonly rate?: Rate;
  readonly twice?: true;
  /** Filled as they come, in the order of sending once all are there. */
  readonly answers: Answered[];
}

export async function sendAll(sending: Sending): Promise<void> {
  const { count, rate, twice, answers } = sending;
  const byIndex: (readonly Answer[])[] = [];
  const startedMs = performance.now();
  let next = 0;
  let failed = false;
  const work = async (): Promise<void> => {
    while (next < count && !failed) {
      const index = next;
      next += 1;
      if (rate !== undefined) await waitUntil(startedMs + (index * rate.perMs) / rate.count);
      byIndex[index] = await postTimes(sending, twice === true ? 2 : 1);
    }
  };
  const workers = rate === undefined ? 1 : Math.min(CONCURRENCY_MAX, count);
  try {
    await Promise.all(Array.from({ length: workers }, work));
  } finally {
    failed = true;
  }
  answers.splice(0, answers.length, ...markDuplicates(byIndex.flat()));
}

/** The very same request each time. */
async function postTimes(
  { origin, sign, answers }: Sending,
  times: number,
): Promise<readonly Answer[]> {
  const webhook = sign();
  const got: Answer[] = [];
  for (let time = 0; time < times; time += 1) got.push(await post(origin, webhook));
  answers.push(...got);
  return got;
}

function markDuplicates(answers: readonly Answer[]): readonly Answered[] {
  const seen = new Set<string>();
  return answers.map((answer): Answered => {
    if (answer.id === undefined) return answer;
    const came = seen.has(answer.id);
    seen.add(answer.id);
    return came ? { ...answer, duplicate: true } : answer;
  });
}

async function post(origin: string, webhook: SignedWebhook): Promise<Answer> {
  const { method, headers, target, body } = webhook;
  try {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const init = { method, headers, body: new Uint8Array(body), signal } as const;
    const response = await fetch(`${origin}${target}`, { ...init, redirect: 'manual' });
    const text = await response.text();
    return answerOf(response, text);
  } catch (error) {
    throw unreachable(origin, error);
  }
}

function unreachable(origin: string, cause: unknown): CrossdockError {
  const message = `no answer from ${new URL(origin).origin}`;
  return new CrossdockError('hub-unreachable', message, { cause });
}

/** Where a connector has an answer of its own, a header names the event. */
function answerOf({ status, ok, headers }: Response, text: string): Answer {
  const shown = text.slice(0, ANSWER_SHOWN_MAX);
  if (!ok) return { status, text: shown };
  const named = headers.get(EVENT_ID_HEADER);
  if (named !== null) return { status, id: named };
  try {
    const { id, ids } = Object(JSON.parse(text)) as { readonly id?: unknown; ids?: unknown };
    const all = Array.isArray(ids) ? ids.filter((one) => typeof one === 'string') : [];
    const [first = id] = all;
    if (typeof first === 'string') {
      return { status, id: first, ...(all.length > 1 ? { ids: all } : {}) };
    }
  } catch {
    // A 2xx of something else than a hub.
  }
  return { status, text: 'the answer is not that of a hub' };
}

async function waitUntil(atMs: number): Promise<void> {
  const waitMs = atMs - performance.now();
  if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
}
