// Bytes over a socket, and what comes back: for requests that no well-behaved client would make.

import { connect } from 'node:net';

const WITHIN_MS = 5_000;

export interface RawAnswer {
  /** Absent where the connection was closed without an answer. */
  readonly status?: number;
  readonly body: string;
}

/**
 * Sends the bytes and waits for the server to close; rejects where that takes longer than
 * `WITHIN_MS`. With `end` it says that nothing more comes, which HTTP takes for a client that left.
 */
export function exchange(
  url: string,
  bytes: Buffer,
  options: { readonly end?: boolean } = {},
): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    const parts: Buffer[] = [];
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`not answered in time: ${bytes.toString('latin1', 0, 400)}`));
    }, WITHIN_MS);
    socket.on('data', (part) => parts.push(part));
    // Who is sent rubbish may hang up before it has read all of it.
    socket.on('error', () => undefined);
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(answerOf(Buffer.concat(parts).toString('latin1')));
    });
    socket.write(bytes);
    if (options.end === true) socket.end();
  });
}

export interface RawRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
}

/** As HTTP/1.1 with the length of its body; the connection ends with the answer. */
export function bytesOf({ method, target, headers, body }: RawRequest): Buffer {
  const lines = [
    `${method} ${target} HTTP/1.1`,
    'host: localhost',
    'connection: close',
    ...headers.map(([name, value]) => `${name}: ${value}`),
    `content-length: ${body.length}`,
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}

function answerOf(text: string): RawAnswer {
  const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(text) ?? [];
  const body = text.slice(text.indexOf('\r\n\r\n') + 4);
  return status === undefined ? { body } : { status: Number(status), body };
}
