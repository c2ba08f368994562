// A load generator that costs little: raw sockets, requests made beforehand, one in flight a
// connection. Every request carries an id of its own, so that none is a duplicate.

import { connect, type Socket } from 'node:net';

export interface LoadOptions {
  readonly port: number;
  /** Where the requests come from. @default the system's choice */
  readonly localAddress?: string;
  readonly path: string;
  readonly connections: number;
  /** Headers of every request, the signature included. */
  readonly headers: Readonly<Record<string, string>>;
  /** The header that gets a new value each time. */
  readonly idHeader: string;
  readonly body: Buffer;
  /** Stops after so many requests … */
  readonly count: number;
  /** … or so many milliseconds, whichever is first. */
  readonly ms: number;
  /** At most so many requests a second; 0 for as fast as answers come. */
  readonly ratePerSecond: number;
}

export interface LoadResult {
  readonly acknowledged: number;
  readonly refused: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly tookMs: number;
}

const ID_CHARACTERS = 16;

export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const started = performance.now();
  const latencies: number[] = [];
  let sent = 0;
  let refused = 0;

  /** The next request's number, or undefined when it is enough; waits where a rate is set. */
  const takeTurn = async (): Promise<number | undefined> => {
    const number = sent;
    if (number >= options.count || performance.now() - started > options.ms) return undefined;
    sent += 1;
    if (options.ratePerSecond > 0) {
      const dueMs = started + (number * 1_000) / options.ratePerSecond - performance.now();
      if (dueMs > 1) await new Promise((resolve) => setTimeout(resolve, dueMs));
    }
    return number;
  };

  const runConnection = async (index: number): Promise<void> => {
    const connection = await openConnection(options);
    const { request, idAt } = requestTemplate(options);
    for (;;) {
      const number = await takeTurn();
      if (number === undefined) break;
      request.write(idOf(started, index, number), idAt, 'latin1');
      const at = performance.now();
      const status = await connection.send(request);
      latencies.push(performance.now() - at);
      if (status !== 200) refused += 1;
    }
    connection.close();
  };

  await Promise.all(
    Array.from({ length: options.connections }, (_, index) => runConnection(index)),
  );
  const tookMs = performance.now() - started;
  latencies.sort((a, b) => a - b);
  const quantile = (part: number): number =>
    Math.round((latencies[Math.floor((latencies.length - 1) * part)] ?? 0) * 10) / 10;
  const acknowledged = latencies.length - refused;
  return {
    acknowledged,
    refused,
    perSecond: Math.round(acknowledged / (tookMs / 1_000)),
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    maxMs: quantile(1),
    tookMs: Math.round(tookMs),
  };
}

function idOf(started: number, index: number, number: number): string {
  const run = Math.floor(started * 1_000) % 0xff_ff_ff;
  const text = `${run.toString(36)}${index.toString(36)}x${number.toString(36)}`;
  return text.padStart(ID_CHARACTERS, '0').slice(-ID_CHARACTERS);
}

function requestTemplate(options: LoadOptions): {
  readonly request: Buffer;
  readonly idAt: number;
} {
  const head = [
    `POST ${options.path} HTTP/1.1`,
    'host: 127.0.0.1',
    ...Object.entries(options.headers).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${options.body.length}`,
    `${options.idHeader}: ${'0'.repeat(ID_CHARACTERS)}`,
  ].join('\r\n');
  return {
    request: Buffer.concat([Buffer.from(`${head}\r\n\r\n`), options.body]),
    idAt: head.length - ID_CHARACTERS,
  };
}

interface Connection {
  send(request: Buffer): Promise<number>;
  close(): void;
}

async function openConnection({
  port,
  localAddress,
}: Pick<LoadOptions, 'port' | 'localAddress'>): Promise<Connection> {
  const from = localAddress === undefined ? {} : { localAddress };
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true, ...from });
  let answered: ((status: number) => void) | undefined;
  let failed: ((error: Error) => void) | undefined;
  let received = '';
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    received += chunk;
    const status = completeStatus(received);
    if (status === undefined) return;
    received = '';
    answered?.(status);
  });
  socket.on('error', (error) => failed?.(error));
  socket.on('close', () => failed?.(new Error('the connection was closed')));
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        answered = resolve;
        failed = reject;
        socket.write(request);
      }),
    close() {
      failed = undefined;
      socket.destroy();
    },
  };
}

/** The status, once head and body are there; answers here have a Content-Length. */
function completeStatus(received: string): number | undefined {
  const end = received.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const length = /content-length: (\d+)/i.exec(received.slice(0, end))?.[1];
  if (received.length < end + 4 + Number(length ?? 0)) return undefined;
  return Number(received.slice(9, 12));
}
