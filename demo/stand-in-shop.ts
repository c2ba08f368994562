// A stand-in for a Shopify shop: posts each order's webhooks, signed and labelled as Shopify does
// it, some of them more than once, as vendors do. Until it sees a 2xx it tries again.

import { setTimeout as sleep } from 'node:timers/promises';
import type { ReceiveDefinition } from '../src/definitions/receive.ts';
import { parseReceive } from '../src/definitions/receive-part.ts';
import { signedHeaders } from '../src/intake/sign.ts';
import type { Headers } from '../src/model/event.ts';
import type { OrderTopic, ShopOrder } from './shop-orders.ts';
import { uniform } from './uniform.ts';

export const SHOP_DOMAIN = 'crossdock-demo.myshopify.com';

/** One webhook, answered. */
export interface Posted {
  readonly topic: OrderTopic;
  /** What the hub called the event; absent unless the answer was a 2xx. */
  readonly eventId?: string;
  readonly status: number;
}

export interface StandInShop {
  /** Posts all that there is to say about an order; resolves with every answer. */
  sell(order: ShopOrder): Promise<readonly Posted[]>;
  /** Posts an order that somebody else has signed; resolves with the status. */
  forge(order: ShopOrder): Promise<number>;
}

/** How Shopify waits for an answer, in all (https://shopify.dev/docs/apps/build/webhooks). */
const ANSWER_TIMEOUT_MS = 5_000;
/** Shopify tries 8 times over 4 hours; the demo has less patience. */
const TRIES_MAX = 8;
const RETRY_WAIT_MS = 1_000;
/** Between an order by invoice and its payment. */
const PAYMENT_WAIT_MS = 600;

export function createStandInShop(options: {
  /** Where the hub takes this shop's webhooks. */
  readonly webhookUrl: string;
  readonly secret: string;
  readonly seed: number;
}): StandInShop {
  const { webhookUrl, seed } = options;

  const post = async (order: ShopOrder, topic: OrderTopic, copy: number): Promise<Posted> => {
    const body = order.body(topic);
    const headers = shopifyHeaders(options.secret, { order, topic, body, seed });
    for (let attempt = 1; ; attempt++) {
      const answer = await postOnce({ url: webhookUrl, headers, body });
      const isTaken = answer.status >= 200 && answer.status < 300;
      if (isTaken || attempt === TRIES_MAX) return { topic, ...answer };
      await sleep(RETRY_WAIT_MS * (1 + copy / 10));
    }
  };

  const postCopies = (order: ShopOrder, topic: OrderTopic, count: number) =>
    Promise.all(Array.from({ length: count }, (_, copy) => post(order, topic, copy)));

  return {
    async sell(order) {
      const plan = planOf(order);
      const posted = [...(await postCopies(order, 'orders/create', plan.copiesAtOnce))];
      if (plan.copyLater) posted.push(await post(order, 'orders/create', 0));
      if (!order.paidAtOnce) await sleep(PAYMENT_WAIT_MS);
      if (!order.paidAtOnce || plan.alsoPaid) posted.push(await post(order, 'orders/paid', 0));
      return posted;
    },
    async forge(order) {
      const body = order.body('orders/create');
      const topic = 'orders/create';
      const headers = shopifyHeaders('not the secret', { order, topic, body, seed });
      return (await postOnce({ url: webhookUrl, headers, body })).status;
    },
  };
}

interface Plan {
  readonly copiesAtOnce: number;
  readonly copyLater: boolean;
  /** Shopify also says `orders/paid` of an order that was paid when it was made. */
  readonly alsoPaid: boolean;
}

function planOf(order: ShopOrder): Plan {
  const turn = Number(order.name.slice(1)) % 8;
  return { copiesAtOnce: turn === 3 ? 10 : 1, copyLater: turn === 1, alsoPaid: turn === 6 };
}

/** How the app that registered Shopify's webhooks would describe them. */
export function shopifyReceive(secret: string): ReceiveDefinition {
  return parseReceive({
    verify: { hmac: 'sha256', header: 'X-Shopify-Hmac-Sha256', encoding: 'base64' },
    secrets: [secret],
    topic: { header: 'X-Shopify-Topic' },
    dedupe: { header: 'X-Shopify-Webhook-Id' },
    occurredAt: { header: 'X-Shopify-Triggered-At' },
    shop: { header: 'X-Shopify-Shop-Domain' },
  });
}

/** The headers of Shopify's webhooks; the same order and topic always have the same ids. */
export function shopifyHeaders(
  secret: string,
  webhook: {
    readonly order: ShopOrder;
    readonly topic: OrderTopic;
    readonly body: Buffer;
    readonly seed: number;
  },
): Headers {
  const { order, topic, body, seed } = webhook;
  return {
    ...signedHeaders(shopifyReceive(secret), {
      topic,
      id: uuidOf(seed, 'webhook', order.id, topic),
      shop: SHOP_DOMAIN,
      occurredAt: new Date(),
      body,
    }),
    'x-shopify-api-version': '2026-07',
    'x-shopify-event-id': uuidOf(seed, 'event', order.id),
    'user-agent': 'Shopify-Captain-Hook',
  };
}

async function postOnce(request: {
  readonly url: string;
  readonly headers: Headers;
  readonly body: Buffer;
}): Promise<{ readonly status: number; readonly eventId?: string }> {
  try {
    const response = await fetch(request.url, {
      method: 'POST',
      headers: request.headers,
      body: request.body,
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    const text = await response.text();
    const eventId = response.ok ? idIn(text) : undefined;
    return { status: response.status, ...(eventId === undefined ? {} : { eventId }) };
  } catch {
    return { status: 0 };
  }
}

function idIn(text: string): string | undefined {
  try {
    const { id } = JSON.parse(text);
    return typeof id === 'string' ? id : undefined;
  } catch {
    return undefined;
  }
}

function uuidOf(...parts: readonly (string | number)[]): string {
  const hex = (part: number) => Math.floor(uniform(...parts, part) * 2 ** 32).toString(16);
  const digits = [0, 1, 2, 3].map((part) => hex(part).padStart(8, '0')).join('');
  return digits.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-8$4-$5');
}
