// The outside systems of a flow's tests: one HTTP server on the loopback that plays the answers of
// the case and writes down what the real http kind sends.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Headers } from '../../model/event.ts';
import { formatExact } from '../exact-value.ts';
import type { Answer } from './cases.ts';

export interface RecordedRequest {
  /** `<connector>.<operation>`. */
  readonly to: string;
  /** Absent where the call is no HTTP. */
  readonly method?: string;
  /** With the query. */
  readonly path?: string;
  readonly headers: Headers;
  readonly body: string;
}

/** What happens to the next call. */
export interface Turn {
  readonly to: string;
  readonly answer: Answer;
  record(request: RecordedRequest): void;
}

export interface StandInServer {
  /** `http://127.0.0.1:<port>`. */
  readonly origin: string;
  /** Gives out access tokens, so that a flow that signs in by OAuth2 needs nothing for it. */
  readonly tokenUrl: string;
  play(turn: Turn): void;
  close(): Promise<void>;
}

const TOKEN_PATH = '/crossdock-test/token';

export async function startStandInServer(): Promise<StandInServer> {
  let current: Turn | undefined;
  const server = createServer((request, response) => {
    if (request.url === TOKEN_PATH) return sendToken(response);
    collect(request)
      .then((body) => {
        if (current === undefined) return response.destroy();
        current.record(recordOf(current.to, request, body));
        return answer(response, current.answer);
      })
      .catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  return {
    origin,
    tokenUrl: origin + TOKEN_PATH,
    play(turn) {
      current = turn;
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function collect(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function recordOf(to: string, request: IncomingMessage, body: string): RecordedRequest {
  const headers = Object.entries(request.headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(', ') : (value ?? ''),
  ]);
  return {
    to,
    method: request.method ?? '',
    path: request.url ?? '',
    headers: Object.fromEntries(headers) as Headers,
    body,
  };
}

function answer(response: ServerResponse, { status, headers, body, error }: Answer): void {
  if (error === 'connection') response.destroy();
  // A timeout is no answer at all: the call runs into its own deadline.
  if (error !== undefined) return;
  const text = body === undefined ? '{}' : formatExact(body);
  response.writeHead(Number(status?.text ?? 200), {
    'content-type': 'application/json',
    ...headers,
  });
  response.end(text);
}

function sendToken(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ access_token: 'test-access-token', expires_in: 3_600 }));
}
