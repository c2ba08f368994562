// The other side of the load process: starts it, and tells it what to send.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LoadOptions, LoadResult } from './load-client.ts';
import { benchHeaders, benchOrder } from './order.ts';

export const CONNECTIONS = 64;

/** One load at a time. */
export interface LoadProcess {
  readonly child: ChildProcess;
  readonly targetPort: number;
  run(load: Load): Promise<LoadResult>;
}

export type Load = Omit<LoadOptions, 'body'> & { readonly body: Buffer };

export async function startLoadProcess(): Promise<LoadProcess> {
  const child = fork(fileURLToPath(new URL('./load-process.js', import.meta.url)));
  const [{ targetPort }] = (await once(child, 'message')) as [{ targetPort: number }];
  return {
    child,
    targetPort,
    async run(load) {
      child.send({ ...load, body: load.body.toString('base64') });
      const [result] = (await once(child, 'message')) as [LoadResult];
      return result;
    },
  };
}

/** Signed orders, each with an id of its own. @param ratePerSecond 0 for as fast as answers come */
export function ordersTo(port: number, ms: number, ratePerSecond = 0): Load {
  const body = benchOrder();
  return {
    port,
    path: '/webhooks/shop',
    connections: CONNECTIONS,
    headers: benchHeaders(body),
    idHeader: 'x-shopify-webhook-id',
    body,
    count: ratePerSecond === 0 ? 10_000_000 : Math.round((ratePerSecond * ms) / 1_000),
    ms: ratePerSecond === 0 ? ms : ms * 10,
    ratePerSecond,
  };
}
