// The vendor: posts signed webhooks at a steady rate and, as vendors do, repeats a message under
// the same id until it is told 2xx. Messages of one key go one after the other, those of different
// keys side by side.

import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { postWebhook } from '../test/support/shop-sender.ts';
import type { SentMessage, Try } from './evidence.ts';
import type { Draft } from './orders.ts';

export interface Producer {
  readonly sent: readonly SentMessage[];
  /** Answers other than 2xx, each text once: they are searched for secrets. */
  readonly refusals: ReadonlySet<string>;
  /** Sends one, and repeats it; resolves when it is acknowledged or given up. */
  send(draft: Draft): Promise<SentMessage>;
  /** One request, as it is, without repeating it; kept in the message's log. */
  tryOnce(message: SentMessage, body?: Buffer): Promise<Try>;
  /** Takes a draft into the log without sending it. */
  note(draft: Draft): SentMessage;
  /** Starts the load; where `next` gives nothing, that turn is left out. */
  start(ratePerSecond: number, next: () => Draft | undefined): void;
  /** Ends the load; resolves when every message is acknowledged or given up. */
  finish(): Promise<void>;
}

/** As Shopify waits. */
const ANSWER_MS = 5_000;
const REPEAT_MS_MIN = 100;
const REPEAT_MS_MAX = 400;
const GIVE_UP_MS = 90_000;
const TICK_MS = 25;

export function createProducer(hubUrl: () => string): Producer {
  const sent: SentMessage[] = [];
  const refusals = new Set<string>();
  const lastOfKey = new Map<string, Promise<unknown>>();
  let ticking: NodeJS.Timeout | undefined;
  let isGivingUp = false;

  const tryOnce = async (message: SentMessage, body = message.body): Promise<Try> => {
    const atMs = Date.now();
    const answer = await post(message, body, hubUrl());
    const one: Try = { atMs, tookMs: Date.now() - atMs, ...answer.outcome };
    message.tries.push(one);
    if (answer.refusal !== undefined) refusals.add(answer.refusal);
    if (one.eventId !== undefined) message.acknowledgedMs ??= Date.now();
    return one;
  };
  const note = (draft: Draft): SentMessage => {
    const sha256 = createHash('sha256').update(draft.body).digest('hex');
    const message: SentMessage = { ...draft, id: randomUUID(), sha256, tries: [] };
    sent.push(message);
    return message;
  };
  const send = async (draft: Draft): Promise<SentMessage> => {
    const message = note(draft);
    const before = lastOfKey.get(draft.key);
    const sending = (async () => {
      await before;
      const endMs = Date.now() + GIVE_UP_MS;
      while (message.acknowledgedMs === undefined && Date.now() < endMs && !isGivingUp) {
        const one = await tryOnce(message);
        if (one.eventId !== undefined) return;
        await sleep(REPEAT_MS_MIN + Math.random() * (REPEAT_MS_MAX - REPEAT_MS_MIN));
      }
    })();
    lastOfKey.set(draft.key, sending);
    await sending;
    return message;
  };

  return {
    sent,
    refusals,
    send,
    tryOnce,
    note,
    start(ratePerSecond, next) {
      const beganMs = performance.now();
      let made = 0;
      ticking = setInterval(() => {
        const due = Math.floor(((performance.now() - beganMs) / 1_000) * ratePerSecond);
        for (; made < due; made += 1) {
          const draft = next();
          if (draft !== undefined) void send(draft);
        }
      }, TICK_MS);
    },
    async finish() {
      clearInterval(ticking);
      const giveUp = setTimeout(() => {
        isGivingUp = true;
      }, GIVE_UP_MS);
      await Promise.all(lastOfKey.values());
      clearTimeout(giveUp);
    },
  };
}

interface Answer {
  readonly outcome: Pick<Try, 'status' | 'retryAfter' | 'eventId' | 'error'>;
  readonly refusal?: string;
}

async function post(message: SentMessage, body: Buffer, hubUrl: string): Promise<Answer> {
  const { id, topic } = message;
  try {
    const response = await postWebhook(hubUrl, { id, topic, body, withinMs: ANSWER_MS });
    const text = await response.text();
    const { status } = response;
    if (!response.ok) {
      const retryAfter = response.headers.get('retry-after') ?? undefined;
      const wait = retryAfter === undefined ? {} : { retryAfter };
      return { outcome: { status, ...wait }, refusal: text };
    }
    return { outcome: { status, eventId: (JSON.parse(text) as { id: string }).id } };
  } catch (error) {
    return { outcome: { error: causeOf(error) } };
  }
}

function causeOf(error: unknown): string {
  const cause = (error as { readonly cause?: { readonly code?: string } }).cause;
  return cause?.code ?? (error instanceof Error ? error.name : String(error));
}
