import { createHmac } from 'node:crypto';

/** A signed order of about 4 kB: twelve lines, addresses, money as strings, an id beyond 2^53. */
export function benchOrder(): Buffer {
  const address = {
    first_name: 'Ada',
    last_name: 'Lovelace',
    address1: '12 St James’s Square',
    city: 'London',
    zip: 'SW1Y 4LB',
    country_code: 'GB',
  };
  const line = (index: number): object => ({
    id: 866550311766439020n.toString(),
    sku: `SKU-${1000 + index}`,
    title: `Article number ${index}, in a colour that sells`,
    quantity: 1 + (index % 3),
    price: `${19 + index}.90`,
    taxable: true,
    tax_lines: [{ price: '3.98', rate: 0.2, title: 'VAT' }],
    properties: [{ name: 'engraving', value: 'none' }],
  });
  const order = {
    id: '@id',
    name: '#1001',
    email: 'ada@example.com',
    financial_status: 'paid',
    currency: 'GBP',
    created_at: '2026-11-22T12:00:00Z',
    total_price: '408.00',
    subtotal_price: '398.00',
    billing_address: address,
    shipping_address: address,
    line_items: Array.from({ length: 14 }, (_, index) => line(index)),
    note_attributes: [{ name: 'source', value: 'bench' }],
  };
  return Buffer.from(JSON.stringify(order).replace('"@id"', '820982911946154508'));
}

export const benchSecret = 'secret-of-the-benchmark';

export function benchHeaders(body: Buffer): Readonly<Record<string, string>> {
  return {
    'content-type': 'application/json',
    'x-shopify-topic': 'orders/create',
    'x-shopify-shop-domain': 'bench.myshopify.com',
    'x-shopify-triggered-at': '2026-11-22T12:00:00Z',
    'x-shopify-hmac-sha256': createHmac('sha256', benchSecret).update(body).digest('base64'),
  };
}

/** The files of the project that is measured: one flow, from the shop to the stand-in ERP. */
export function benchFiles(targetUrl: string): Readonly<Record<string, string>> {
  return {
    'connectors/shop.yaml': `uses: shopify
settings: { shop: bench.myshopify.com }
receive:
  secrets: ["\${BENCH_SECRET}"]
`,
    'connectors/erp.yaml': `kind: http
baseUrl: ${targetUrl}
limits: { concurrency: 64 }
operations:
  createOrder:
    post: /orders
    idempotency: { header: Idempotency-Key }
`,
    'flows/order-to-erp.yaml': `from: { connector: shop, topics: [orders/create] }
when: financial_status = 'paid'
map: order-to-erp
to: erp.createOrder
`,
    'mappings/order-to-erp.jsonata': `/* input: a Shopify order; output: a sales order of the stand-in ERP */
{
  "reference": name,
  "shopOrderId": id,
  "customer": { "email": email, "name": shipping_address.first_name & " " & shipping_address.last_name },
  "currency": currency,
  "total": total_price,
  "lines": line_items.{ "sku": sku, "quantity": quantity, "unitPrice": price }
}
`,
  };
}
