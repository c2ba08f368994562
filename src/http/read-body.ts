// Reading bodies: each up to its connector's limit, all of them together up to one more, because
// nothing is known of a sender before its signature has been checked over the whole body.

import type { IncomingMessage } from 'node:http';

/** What a chunk costs besides its bytes; measured on Node 20 with chunks of one byte. */
const CHUNK_COST_BYTES = 600;
/**
 * What each request may hold whatever the others hold, so that large bodies that never end cannot
 * keep out small ones. The server's limit on connections bounds the sum.
 */
const FREE_BYTES = 16 * 1_024;

/** The bytes of bodies that are being read or answered at the moment, over all requests. */
export interface BodyMemory {
  /**
   * Notes that a request which held `from` bytes now holds `to`. `false` where there is no room
   * for more: it then still holds `from`.
   */
  change(from: number, to: number): boolean;
}

export function createBodyMemory(bytesMax: number): BodyMemory {
  let held = 0;
  return {
    change(from, to) {
      const next = held + Math.max(0, to - FREE_BYTES) - Math.max(0, from - FREE_BYTES);
      if (next > bytesMax && next > held) return false;
      held = next;
      return true;
    },
  };
}

export type ReadBody =
  /** `memory` still holds the body's length; who asked for the body gives it back. */
  | { readonly kind: 'whole'; readonly body: Buffer }
  | { readonly kind: 'too-large' }
  /** There is no room in `memory`. */
  | { readonly kind: 'overloaded' }
  /** The client went away before the end. */
  | { readonly kind: 'aborted' };

const tooLarge: ReadBody = { kind: 'too-large' };
const overloaded: ReadBody = { kind: 'overloaded' };
const aborted: ReadBody = { kind: 'aborted' };

/**
 * The raw bytes of a request, up to `bytesMax`. Never rejects. After `too-large` and `overloaded`
 * the rest is still on its way; `drain` takes care of it.
 */
export function readBody(
  request: IncomingMessage,
  bytesMax: number,
  memory: BodyMemory,
): Promise<ReadBody> {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) return Promise.resolve(tooLarge);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let held = 0;
    let settled = false;
    const settle = (read: ReadBody): void => {
      if (settled) return;
      settled = true;
      memory.change(held, read.kind === 'whole' ? bytes : 0);
      chunks.length = 0;
      request.off('data', take);
      resolve(read);
    };
    const take = (chunk: Buffer): void => {
      bytes += chunk.length;
      const cost = chunk.length + CHUNK_COST_BYTES;
      if (bytes > bytesMax) {
        settle(tooLarge);
        request.pause();
      } else if (memory.change(held, held + cost)) {
        held += cost;
        chunks.push(chunk);
      } else {
        settle(overloaded);
        request.pause();
      }
    };
    const giveUp = (): void => settle(aborted);
    request.on('data', take);
    request.once('end', () => settle({ kind: 'whole', body: Buffer.concat(chunks, bytes) }));
    request.once('error', giveUp);
    request.once('close', giveUp);
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
