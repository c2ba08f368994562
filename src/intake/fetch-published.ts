import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type Agent, get } from 'node:https';
import { type KeyFailure, KeyUnavailable } from './key-unavailable.ts';

/** From the name's look-up to the last byte. */
const FETCH_MS = 3_000;
/** A certificate with its chain has some 6 KiB, a key set some 20. */
const BYTES_MAX = 64 * 1_024;

/** The bytes at `url`, by https alone: no redirect, no proxy. Rejects `KeyUnavailable`. */
export async function fetchPublished(url: URL, agent: Agent): Promise<Buffer> {
  const signal = AbortSignal.timeout(FETCH_MS);
  try {
    const request = get(url, { agent, signal, headers: { 'user-agent': 'crossdock' } });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    // What goes wrong from here on shows in the response.
    request.on('error', () => undefined);
    try {
      return await readBytes(response);
    } finally {
      request.destroy();
    }
  } catch (error) {
    if (error instanceof KeyUnavailable) throw error;
    if (signal.aborted) throw new KeyUnavailable('timed-out', { cause: error });
    const detail = (error as NodeJS.ErrnoException).code;
    throw new KeyUnavailable('connection-failed', { detail, cause: error });
  }
}

async function readBytes(response: IncomingMessage): Promise<Buffer> {
  const { statusCode: status = 0 } = response;
  if (status !== 200) {
    const isElsewhere = status >= 300 && status < 400;
    throw failed(isElsewhere ? 'redirected' : 'bad-status', status);
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BYTES_MAX) throw failed('too-large', status);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function failed(failure: KeyFailure, status: number): KeyUnavailable {
  return new KeyUnavailable(failure, { detail: String(status) });
}
