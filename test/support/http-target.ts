import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Answer = (received: Received, response: ServerResponse) => void;

/** A real HTTP server that keeps what it got and answers as told. */
export interface HttpTarget {
  readonly url: string;
  readonly received: readonly Received[];
  answer(next: Answer): void;
  /** Resolves with the next request, once it has come in whole. */
  next(): Promise<Received>;
  close(): Promise<void>;
}

export async function startHttpTarget(first: Answer = ok): Promise<HttpTarget> {
  let answer = first;
  const received: Received[] = [];
  const waiting: ((one: Received) => void)[] = [];

  const server = createServer((request, response) => {
    void readText(request).then((body) => {
      const { method = '', url = '', headers } = request;
      const one = { method, url, headers, body };
      received.push(one);
      for (const resolve of waiting.splice(0)) resolve(one);
      answer(one, response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answer(next) {
      answer = next;
    },
    next: () => new Promise((resolve) => waiting.push(resolve)),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export function ok(_received: Received, response: ServerResponse): void {
  response.setHeader('content-type', 'application/json');
  response.end('{"ok":true}');
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
