// A stand-in system that honours idempotency keys and writes down every call.

import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { startHttpTarget } from '../test/support/http-target.ts';
import type { TargetCall } from './evidence.ts';

export interface Target {
  readonly name: string;
  readonly port: number;
  readonly calls: readonly TargetCall[];
  /** What to do with a call; `undefined` to work and answer at once. */
  behave(next: Behaviour | undefined): void;
  /** Takes calls out of `calls`, for a scenario that judges them itself. */
  take(isTaken: (call: TargetCall) => boolean): readonly TargetCall[];
  close(): Promise<void>;
}

/**
 * Answers, or not, and says so in `call`. `earlier` counts the calls with the same key before it.
 * Resolves to `true` where the usual work and answer should follow.
 */
export type Behaviour = (
  call: TargetCall,
  response: ServerResponse,
  earlier: number,
) => boolean | Promise<boolean>;

export async function startTarget(name: string): Promise<Target> {
  const calls: TargetCall[] = [];
  const counts = new Map<string, number>();
  let behaviour: Behaviour | undefined;
  const target = await startHttpTarget((one, response) => {
    const idempotencyKey = String(one.headers['idempotency-key']);
    const call: TargetCall = {
      target: name,
      atMs: Date.now(),
      idempotencyKey,
      sha256: createHash('sha256').update(one.body).digest('hex'),
      body: one.body,
      worked: false,
    };
    const earlier = counts.get(idempotencyKey) ?? 0;
    counts.set(idempotencyKey, earlier + 1);
    calls.push(call);
    void (async () => {
      if (behaviour !== undefined && !(await behaviour(call, response, earlier))) return;
      work(call, response, earlier);
    })();
  });
  return {
    name,
    port: Number(new URL(target.url).port),
    calls,
    behave(next) {
      behaviour = next;
    },
    take(isTaken) {
      const taken = calls.filter(isTaken);
      const left = calls.filter((call) => !isTaken(call));
      calls.length = 0;
      for (const call of left) calls.push(call);
      return taken;
    },
    close: () => target.close(),
  };
}

function work(call: TargetCall, response: ServerResponse, earlier: number): void {
  call.worked = true;
  call.status = earlier === 0 ? 201 : 200;
  response.writeHead(call.status, { 'content-type': 'application/json' });
  response.end('{"ok":true}');
}

/** An answer that is no success, and nothing done. */
export function refuse(
  call: TargetCall,
  response: ServerResponse,
  answer: { readonly status: number; readonly headers?: Readonly<Record<string, string>> },
): false {
  call.status = answer.status;
  response.writeHead(answer.status, answer.headers ?? {}).end();
  return false;
}
