import type { IncomingMessage } from 'node:http';

export type ReadBody =
  | { readonly kind: 'whole'; readonly body: Buffer }
  | { readonly kind: 'too-large' }
  /** The client went away before the end. */
  | { readonly kind: 'aborted' };

/**
 * The raw bytes of a request, up to `bytesMax`. Never rejects. After `too-large` the rest is still
 * on its way; `drain` takes care of it.
 */
export function readBody(request: IncomingMessage, bytesMax: number): Promise<ReadBody> {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) {
    return Promise.resolve({ kind: 'too-large' });
  }
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const take = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes <= bytesMax) {
        chunks.push(chunk);
        return;
      }
      chunks.length = 0;
      request.off('data', take).pause();
      resolve({ kind: 'too-large' });
    };
    request.on('data', take);
    // A copy even of a single chunk: a chunk is a window on the socket's much larger buffer.
    request.once('end', () => resolve({ kind: 'whole', body: Buffer.concat(chunks, bytes) }));
    request.once('error', () => resolve({ kind: 'aborted' }));
    request.once('close', () => resolve({ kind: 'aborted' }));
  });
}

/**
 * Throws away what is still coming, until the end or a limit. A socket that is closed with unread
 * bytes is reset, and a client that is still sending then never sees its answer.
 */
export function drain(
  request: IncomingMessage,
  limits: { readonly bytesMax: number; readonly ms: number },
): Promise<void> {
  return new Promise((resolve) => {
    if (request.readableEnded || request.destroyed) {
      resolve();
      return;
    }
    let bytes = 0;
    const take = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > limits.bytesMax) finish();
    };
    const finish = (): void => {
      clearTimeout(timer);
      request.off('data', take);
      resolve();
    };
    const timer = setTimeout(finish, limits.ms);
    request.once('end', finish).once('close', finish);
    request.on('data', take).resume();
  });
}
