import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { temporaryFolder } from './test-journal-server.ts';

export const shopSecret = 'shop-secret-of-the-tests';

/** A project folder with a Shopify shop, one ERP and one flow, or with the given files over it. */
export async function createTestProject(options: {
  readonly erpUrl: string;
  readonly files?: Readonly<Record<string, string>>;
  /** Of one call to the ERP. @default 2s */
  readonly timeout?: string;
}): Promise<{ readonly folder: string; remove(): Promise<void> }> {
  const folder = await temporaryFolder();
  const files = {
    ...standardFiles(options.erpUrl, options.timeout ?? '2s'),
    ...options.files,
  };
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

function standardFiles(erpUrl: string, timeout: string): Readonly<Record<string, string>> {
  return {
    'connectors/shop.yaml': `
uses: shopify
settings: { shop: test.myshopify.com }
receive:
  secrets: ["\${SHOP_SECRET}"]
  bodyMax: 1mb
`,
    'connectors/erp.yaml': `
kind: http
baseUrl: ${erpUrl}
auth: { bearer: "\${ERP_TOKEN}" }
limits: { concurrency: 16 }
timeout: ${timeout}
operations:
  createOrder:
    post: /orders
    idempotency: { header: Idempotency-Key }
`,
    'flows/order-to-erp.yaml': `
from: { connector: shop, topics: [orders/create] }
map: order-to-erp
to: erp.createOrder
retry: { attempts: 8, first: 200ms, max: 2s, horizon: 1h }
`,
    'mappings/order-to-erp.jsonata': `/* input: a Shopify order; output: the ERP's order */
{ "id": id, "reference": "SHOP-" & id, "total": total_price }
`,
  };
}
