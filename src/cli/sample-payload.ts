import { randomInt } from 'node:crypto';

/** Beyond 2^53, as the ids of some vendors are: what changes numbers is seen at once. */
const ORDER_ID_START = 820_982_911_946_154_508n;
const ORDER_ID_SPREAD = 1_000_000_000;

/**
 * A small paid order, each time another one; as text, because of the id. As a shop with prices that
 * include the tax writes it: 2 x 19.95 are 39.90, of which 6.37 are tax (19 %).
 */
export function samplePayload(at: Date): Buffer {
  const offset = randomInt(ORDER_ID_SPREAD);
  const time = at.toISOString();
  const number = 1_001 + (offset % 9_000);
  return Buffer.from(`{
  "id": ${ORDER_ID_START + BigInt(offset)},
  "name": "#${number}",
  "order_number": ${number},
  "email": "jo@example.com",
  "phone": null,
  "note": null,
  "created_at": "${time}",
  "updated_at": "${time}",
  "currency": "EUR",
  "financial_status": "paid",
  "payment_gateway_names": ["paypal"],
  "taxes_included": true,
  "total_line_items_price": "39.90",
  "total_discounts": "0.00",
  "subtotal_price": "39.90",
  "total_tax": "6.37",
  "total_price": "39.90",
  "tax_lines": [{ "title": "VAT", "rate": 0.19, "price": "6.37" }],
  "discount_codes": [],
  "customer": { "id": 115310627314723954, "email": "jo@example.com", "first_name": "Jo", "last_name": "Sample" },
  "billing_address": ${address},
  "shipping_address": ${address},
  "line_items": [
    {
      "id": 866550311766439020,
      "sku": "SAMPLE-1",
      "title": "Sample",
      "variant_title": null,
      "quantity": 2,
      "price": "19.95",
      "total_discount": "0.00",
      "discount_allocations": [],
      "tax_lines": [{ "title": "VAT", "rate": 0.19, "price": "6.37" }]
    }
  ],
  "shipping_lines": []
}
`);
}

const address =
  '{ "name": "Jo Sample", "address1": "1 Example Street", "zip": "10115", "city": "Berlin", "country": "Germany", "country_code": "DE" }';
