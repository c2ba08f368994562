// The orders that the producer sells, and what the test mapping makes of them, written down a
// second time by hand: the checker compares the two.

import { personCanary } from './canaries.ts';

/** What a webhook carries, before it is sent. */
export interface Draft {
  readonly topic: string;
  readonly key: string;
  readonly sequence: number;
  readonly body: Buffer;
}

/** Shopify's own sample id: beyond 2^53, so that a number that is changed in passing is seen. */
const FIRST_ID = 820_982_911_946_154_508n;

export const orderTopic = 'orders/create';

export function createOrder(parts: {
  readonly number: number;
  readonly key: string;
  readonly sequence: number;
  readonly topic?: string;
}): Draft {
  const { number, key, sequence, topic } = parts;
  const body =
    `{"id":${FIRST_ID + BigInt(number)},"seq":${sequence},"total_price":"${number % 97}.10",` +
    `"email":"${personCanary}","customer":{"id":"${key}"},` +
    `"line_items":[{"sku":"SKU-${number % 13}","quantity":${1 + (number % 3)}},` +
    `{"sku":"SKU-0","quantity":1}]}`;
  return { topic: topic ?? orderTopic, key, sequence, body: Buffer.from(body) };
}

/** mappings/order-to-erp.jsonata; a later version of the files says so in what it makes. */
export function erpMapping(version = 1): string {
  return `/* input: a Shopify order; output: the ERP's order */
{
  "version": ${version},
  "id": id,
  "reference": customer.id & "-" & seq,
  "total": total_price,
  "lines": line_items.{ "item": sku, "count": quantity }
}
`;
}

/** mappings/order-to-crm.jsonata */
export const crmMapping = `/* input: a Shopify order; output: what the CRM is told */
{ "reference": customer.id & "-" & seq, "spent": total_price }
`;

/** The text that the ERP gets for an order, by the mapping of that version. */
export function erpBodyOf(order: Buffer, version = 1): string {
  const text = order.toString();
  const { seq, total_price, customer, line_items } = JSON.parse(text);
  const id = /"id":(\d+)/.exec(text)?.[1];
  const lines = line_items.map((line: { sku: string; quantity: number }) => ({
    item: line.sku,
    count: line.quantity,
  }));
  return (
    `{"version":${version},"id":${id},"reference":"${customer.id}-${seq}",` +
    `"total":${JSON.stringify(total_price)},"lines":${JSON.stringify(lines)}}`
  );
}

/** The text that the CRM gets for an order. */
export function crmBodyOf(order: Buffer): string {
  const { seq, total_price, customer } = JSON.parse(order.toString());
  return JSON.stringify({ reference: `${customer.id}-${seq}`, spent: total_price });
}

/** Which version of the files a revision's document holds. */
export function versionOf(document: string | undefined): number {
  return Number(/"version\\?": (\d+)/.exec(document ?? '')?.[1] ?? 1);
}
