import { randomInt } from 'node:crypto';

/** Beyond 2^53, as the ids of some vendors are: what changes numbers is seen at once. */
const ORDER_ID_START = 820_982_911_946_154_508n;
const ORDER_ID_SPREAD = 1_000_000_000;

/** A small paid order, each time another one; as text, because of the id. */
export function samplePayload(at: Date): Buffer {
  const offset = randomInt(ORDER_ID_SPREAD);
  const time = at.toISOString();
  const number = 1_001 + (offset % 9_000);
  return Buffer.from(`{
  "id": ${ORDER_ID_START + BigInt(offset)},
  "name": "#${number}",
  "order_number": ${number},
  "email": "jo@example.com",
  "created_at": "${time}",
  "updated_at": "${time}",
  "currency": "EUR",
  "financial_status": "paid",
  "taxes_included": true,
  "total_discounts": "0.00",
  "total_price": "39.90",
  "subtotal_price": "33.53",
  "total_tax": "6.37",
  "customer": { "id": 115310627314723954, "email": "jo@example.com", "first_name": "Jo", "last_name": "Sample" },
  "shipping_address": { "name": "Jo Sample", "address1": "1 Example Street", "zip": "10115", "city": "Berlin", "country_code": "DE" },
  "line_items": [
    { "id": 866550311766439020, "sku": "SAMPLE-1", "title": "Sample", "quantity": 2, "price": "19.95" }
  ]
}
`);
}
