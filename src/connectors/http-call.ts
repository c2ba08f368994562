// One HTTP call through axios: the sockets, the deadline, the limits on what comes back. What an
// answer means is `http-outcome.ts`'s.

import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import axios, { AxiosHeaders, type InternalAxiosRequestConfig } from 'axios';
import type { Headers } from '../model/event.ts';
import type { CallGuard } from './call-guard.ts';
import { forbiddenAddressError, guardedLookup, isForbiddenAddress } from './forbidden-address.ts';

/** Bytes of an answer, after decompression, that are read; the rest is cut. */
export const RESPONSE_BYTES_MAX = 131_072;
/** A connection that idles longer than this is closed. */
const IDLE_MS = 15_000;

export interface HttpRequest {
  readonly method: string;
  /** Absolute, with the query. */
  readonly url: string;
  readonly headers: Headers;
  readonly body?: string;
}

export type HttpAnswer =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: Headers;
      /** At most `RESPONSE_BYTES_MAX`. */
      readonly body: Buffer;
      /** `cut` at the limit; `lost` where the connection ended, or the deadline came, before the end. */
      readonly ending: 'whole' | 'cut' | 'lost';
    }
  | { readonly kind: 'failed'; readonly error: unknown };

export interface HttpCaller {
  /** Never rejects; why a call was stopped is the guard's `stop`. */
  call(request: HttpRequest, guard: CallGuard): Promise<HttpAnswer>;
  close(): void;
}

// axios' adapter is called directly: merging its configuration and running its transforms for each
// request, of which nothing is wanted here, costs more than the request itself.
const adapter = axios.getAdapter('http');

export function createHttpCaller(options: { readonly concurrency: number }): HttpCaller {
  const agentOptions = {
    keepAlive: true,
    maxSockets: options.concurrency,
    timeout: IDLE_MS,
    lookup: guardedLookup,
  };
  const httpAgent = new http.Agent(agentOptions);
  const httpsAgent = new https.Agent(agentOptions);
  const allowedHosts = new Set<string>();

  function refuseForbidden(host: string): void {
    if (allowedHosts.has(host)) return;
    if (isForbiddenAddress(host)) throw forbiddenAddressError();
    allowedHosts.add(host);
  }

  /** Node's own transport, which tells the guard when the request is handed to a live connection. */
  function transportFor(guard: CallGuard) {
    return {
      request(options: https.RequestOptions, onResponse: (response: http.IncomingMessage) => void) {
        refuseForbidden(options.hostname ?? '');
        const { request } = options.protocol === 'https:' ? https : http;
        return request(options, onResponse).once('socket', (socket) => watch(socket, guard));
      },
    };
  }

  return {
    async call(request, guard) {
      const config: InternalAxiosRequestConfig = {
        url: request.url,
        method: request.method,
        headers: new AxiosHeaders(request.headers),
        data: request.body,
        signal: guard.signal,
        responseType: 'stream',
        decompress: true,
        maxRedirects: 0,
        proxy: false,
        httpAgent,
        httpsAgent,
        transport: transportFor(guard),
      };
      try {
        const { status, headers, data } = await adapter(config);
        return { kind: 'answered', status, headers: plainHeaders(headers), ...(await read(data)) };
      } catch (error) {
        return { kind: 'failed', error };
      }
    },
    close() {
      httpAgent.destroy();
      httpsAgent.destroy();
    },
  };
}

function watch(socket: Socket & { secureConnecting?: boolean }, guard: CallGuard): void {
  const event = socket.secureConnecting === undefined ? 'connect' : 'secureConnect';
  const opening = socket.connecting || socket.secureConnecting === true;
  if (opening) socket.once(event, () => guard.markWritten());
  else guard.markWritten();
}

type Body = { readonly body: Buffer; readonly ending: 'whole' | 'cut' | 'lost' };

function read(stream: Readable): Promise<Body> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const end = (ending: Body['ending']) => {
      const body = chunks.length === 1 ? chunks[0] : undefined;
      resolve({ body: (body ?? Buffer.concat(chunks)).subarray(0, RESPONSE_BYTES_MAX), ending });
    };
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes <= RESPONSE_BYTES_MAX) return;
      end('cut');
      stream.destroy();
    });
    stream.on('end', () => end('whole'));
    stream.on('error', () => end('lost'));
    stream.on('close', () => end('lost'));
  });
}

function plainHeaders(headers: object): Headers {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    plain[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : String(value);
  }
  return plain;
}
