// A stand-in for an ERP: sales orders over HTTP, with the moods of a real one. It honours
// Idempotency-Key and refuses a second order of one externalId, as a good ERP does; now and then
// it is busy (429), down (503) or slow, or does the work and loses the answer. Its moods depend on
// the seed, the order and the attempt alone, so that the same demo can be seen twice.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { uniform } from './uniform.ts';

export type Mood = 'well' | 'busy' | 'down' | 'slow' | 'loses-answer';

export interface SalesOrder {
  readonly number: string;
  readonly externalId: string;
  readonly idempotencyKey: string;
  /** The request's body, character by character. */
  readonly body: string;
}

/** What one `POST /api/sales-orders` came to. `lost` was done, but nobody was told. */
export interface ErpAnswer {
  readonly externalId: string;
  readonly status: number | 'lost';
  /** A sales order came of it; otherwise it was there already, or nothing was done. */
  readonly created: boolean;
  readonly slow: boolean;
  readonly number?: string;
}

export interface StandInErpOptions {
  /** The bearer token that callers must show. */
  readonly token: string;
  /** How it feels about the numbered attempt (1-based) on one order. */
  mood(externalId: string, attempt: number): Mood;
  readonly slowMs: number;
  onAnswer?(answer: ErpAnswer): void;
}

export interface StandInErp {
  readonly url: string;
  readonly orders: readonly SalesOrder[];
  close(): Promise<void>;
}

/** Requests are a few kilobytes; nobody sends an ERP more than this. */
const BODY_BYTES_MAX = 1_048_576;

/** Two in five first attempts go wrong in some way, one in eight second ones, no third one. */
export function moodsOf(seed: number): (externalId: string, attempt: number) => Mood {
  return (externalId, attempt) => {
    const chance = uniform(seed, 'mood', externalId, attempt);
    if (attempt === 2) return chance < 0.12 ? 'down' : 'well';
    if (attempt > 2) return 'well';
    const moods = ['busy', 'down', 'slow', 'loses-answer'] as const;
    return moods[Math.floor(chance * 10)] ?? 'well';
  };
}

export async function startStandInErp(options: StandInErpOptions): Promise<StandInErp> {
  const erp = new Erp(options);
  const server = createServer((request, response) => {
    erp.answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    orders: erp.orders,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

class Erp {
  readonly orders: SalesOrder[] = [];
  readonly #attempts = new Map<string, number>();
  readonly #options: StandInErpOptions;

  constructor(options: StandInErpOptions) {
    this.#options = options;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split('?', 1)[0];
    const body = await readBody(request);
    if (path !== '/api/sales-orders') return reply(response, 404, { error: 'not-found' });
    if (request.headers.authorization !== `Bearer ${this.#options.token}`) {
      return reply(response, 401, { error: 'unauthorized' });
    }
    if (request.method === 'GET') return reply(response, 200, { orders: this.orders.map(view) });
    if (request.method !== 'POST') return reply(response, 405, { error: 'method-not-allowed' });
    const idempotencyKey = request.headers['idempotency-key'];
    const externalId = body === undefined ? undefined : externalIdOf(body);
    if (body === undefined || externalId === undefined || typeof idempotencyKey !== 'string') {
      const message = 'needs JSON with externalId and lines, and an Idempotency-Key';
      return reply(response, 422, { error: 'invalid', message });
    }
    await this.#create({ externalId, idempotencyKey, body }, response);
  }

  async #create(wanted: Omit<SalesOrder, 'number'>, response: ServerResponse): Promise<void> {
    const { externalId } = wanted;
    const attempt = (this.#attempts.get(externalId) ?? 0) + 1;
    this.#attempts.set(externalId, attempt);
    const mood = this.#options.mood(externalId, attempt);
    if (mood === 'busy') {
      this.#report({ externalId, status: 429, created: false, slow: false });
      return reply(response, 429, { error: 'too-many-requests' }, { 'retry-after': '1' });
    }
    if (mood === 'down') {
      this.#report({ externalId, status: 503, created: false, slow: false });
      return reply(response, 503, { error: 'unavailable' });
    }
    const { status, order } = this.#keep(wanted);
    const done = { externalId, created: status === 201, number: order.number };
    if (mood === 'slow') await sleep(this.#options.slowMs);
    if (mood === 'loses-answer') {
      this.#report({ ...done, status: 'lost', slow: false });
      response.socket?.resetAndDestroy();
      return;
    }
    this.#report({ ...done, status, slow: mood === 'slow' });
    const error = status === 409 ? { error: 'external-id-taken' } : {};
    reply(response, status, { ...error, ...view(order) });
  }

  /** 201 for a new order, 200 for a known key, 409 for another key's order of this externalId. */
  #keep(wanted: Omit<SalesOrder, 'number'>): { status: 200 | 201 | 409; order: SalesOrder } {
    const known = this.orders.find((order) => order.externalId === wanted.externalId);
    if (known !== undefined) {
      const status = known.idempotencyKey === wanted.idempotencyKey ? 200 : 409;
      return { status, order: known };
    }
    const order = { number: `SO-${5001 + this.orders.length}`, ...wanted };
    this.orders.push(order);
    return { status: 201, order };
  }

  #report(answer: ErpAnswer): void {
    this.#options.onAnswer?.(answer);
  }
}

function view({ number, externalId }: SalesOrder): object {
  return { number, externalId, status: 'open' };
}

function externalIdOf(body: string): string | undefined {
  try {
    const { externalId, lines } = JSON.parse(body);
    const isOrder = typeof externalId === 'string' && Array.isArray(lines) && lines.length > 0;
    return isOrder ? externalId : undefined;
  } catch {
    return undefined;
  }
}

/** `undefined` where the body is larger than anybody's order. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes <= BODY_BYTES_MAX) chunks.push(chunk);
  }
  return bytes <= BODY_BYTES_MAX ? Buffer.concat(chunks).toString('utf8') : undefined;
}

function reply(
  response: ServerResponse,
  status: number,
  ...[body, headers = {}]: [body: object, headers?: Record<string, string>]
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}
