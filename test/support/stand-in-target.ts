import type { ServerResponse } from 'node:http';
import { type HttpTarget, type Received, startHttpTarget } from './http-target.ts';

/** A target that honours the idempotency key: one order a key, however often it is asked. */
export interface StandInTarget {
  readonly url: string;
  /** Idempotency key -> the number of calls that carried it. */
  readonly callsByKey: ReadonlyMap<string, number>;
  /** One entry an order that was made: the body it was made from. */
  readonly orders: readonly string[];
  readonly received: readonly Received[];
  /** What to do with a call instead of answering at once; `undefined` to answer. */
  behave(next: Behaviour | undefined): void;
  close(): Promise<void>;
}

export type Behaviour = (response: ServerResponse, call: number) => 'answered' | 'answer';

export async function startStandInTarget(): Promise<StandInTarget> {
  const callsByKey = new Map<string, number>();
  const orders: string[] = [];
  let behaviour: Behaviour | undefined;
  let calls = 0;
  const target: HttpTarget = await startHttpTarget((one, response) => {
    calls += 1;
    const key = String(one.headers['idempotency-key']);
    const before = callsByKey.get(key) ?? 0;
    callsByKey.set(key, before + 1);
    if (before === 0) orders.push(one.body);
    if (behaviour?.(response, calls) === 'answered') return;
    response.writeHead(before === 0 ? 201 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ number: `SO-${orders.length}` }));
  });
  return {
    url: target.url,
    callsByKey,
    orders,
    received: target.received,
    behave(next) {
      behaviour = next;
    },
    close: () => target.close(),
  };
}
