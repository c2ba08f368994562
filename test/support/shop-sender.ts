import { createHmac, randomUUID } from 'node:crypto';
import { adminToken } from './hub-process.ts';
import { shopSecret } from './test-project.ts';

export interface Webhook {
  readonly body: string | Buffer;
  readonly id?: string;
  readonly topic?: string;
  readonly secret?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** How long the vendor waits for the answer. @default for ever */
  readonly withinMs?: number;
}

/** Posts one signed webhook as Shopify does; written apart from the code under test. */
export function postWebhook(hubUrl: string, webhook: Webhook): Promise<Response> {
  const { body, id, topic, secret, headers, withinMs } = webhook;
  const hmac = createHmac('sha256', secret ?? shopSecret)
    .update(body)
    .digest('base64');
  return fetch(`${hubUrl}/webhooks/shop`, {
    method: 'POST',
    body,
    ...(withinMs === undefined ? {} : { signal: AbortSignal.timeout(withinMs) }),
    headers: {
      'content-type': 'application/json',
      'x-shopify-topic': topic ?? 'orders/create',
      'x-shopify-hmac-sha256': hmac,
      'x-shopify-shop-domain': 'test.myshopify.com',
      'x-shopify-webhook-id': id ?? randomUUID(),
      ...headers,
    },
  });
}

/** Posts orders until the hub has acknowledged each; the vendor's part of "at least once". */
export async function sendOrders(options: {
  readonly hubUrl: () => string;
  readonly count: number;
  readonly first?: number;
  onAcknowledged?(count: number): void;
}): Promise<readonly string[]> {
  const first = options.first ?? 1;
  const references: string[] = [];
  let next = first;
  const sendNext = async (): Promise<void> => {
    while (next < first + options.count) {
      const number = next;
      next += 1;
      await sendOrder(options.hubUrl, number);
      references.push(`SHOP-${number}`);
      options.onAcknowledged?.(references.length);
    }
  };
  await Promise.all(Array.from({ length: 16 }, sendNext));
  return references;
}

async function sendOrder(hubUrl: () => string, number: number): Promise<void> {
  const body = JSON.stringify({ id: number, total_price: '10.00' });
  for (;;) {
    const response = await postWebhook(hubUrl(), { body, id: `order-${number}` }).catch(
      () => undefined,
    );
    if (response?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export async function getEvent(hubUrl: string, id: string): Promise<EventAnswer> {
  const response = await fetch(`${hubUrl}/events/${id}`, {
    headers: { authorization: `Bearer ${adminToken}`, accept: 'application/json' },
  });
  if (!response.ok) throw new Error(`GET /events/${id} says ${response.status}`);
  return (await response.json()) as EventAnswer;
}

export interface EventAnswer {
  readonly id: string;
  readonly state: string;
  readonly deliveries: readonly {
    readonly id: string;
    readonly flow: string;
    readonly state: string;
    readonly code?: string;
    readonly reason?: string;
    readonly attempts: number;
  }[];
}
