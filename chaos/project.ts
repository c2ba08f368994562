// The integrator's files that every rig runs on: one shop, an ERP behind the fault proxy, a CRM
// beside it, and each order goes to both.

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crmMapping, erpMapping, orderTopic } from './orders.ts';

export type ProjectFiles = Readonly<Record<string, string>>;

/** Ends leases early: a delivery whose process died is taken over after this and 10 s. */
const CALL_TIMEOUT = '2s';

export function projectFiles(ports: { readonly erp: number; readonly crm: number }): ProjectFiles {
  return {
    'connectors/shop.yaml': `
uses: shopify
settings: { shop: test.myshopify.com }
receive:
  secrets: ["\${SHOP_SECRET}"]
  bodyMax: 1mb
`,
    'connectors/erp.yaml': connectorFile(ports.erp, 'createOrder'),
    'connectors/crm.yaml': connectorFile(ports.crm, 'tell'),
    'flows/order-to-erp.yaml': flowFile({ topic: orderTopic, to: 'erp.createOrder' }),
    'flows/order-to-crm.yaml': flowFile({
      topic: orderTopic,
      to: 'crm.tell',
      map: 'order-to-crm',
    }),
    'mappings/order-to-erp.jsonata': erpMapping(),
    'mappings/order-to-crm.jsonata': crmMapping,
  };
}

export function connectorFile(port: number, operation: string, concurrency = 16): string {
  return `
kind: http
baseUrl: http://127.0.0.1:${port}
auth: { bearer: "\${ERP_TOKEN}" }
limits: { concurrency: ${concurrency} }
timeout: ${CALL_TIMEOUT}
operations:
  ${operation}:
    post: /${operation}
    idempotency: { header: Idempotency-Key }
`;
}

export function flowFile(flow: {
  readonly topic: string;
  readonly to: string;
  /** @default order-to-erp */
  readonly map?: string;
  /** @default 60 */
  readonly attempts?: number;
  /** @default first: 200ms, max: 2s, horizon: 1h */
  readonly retry?: string;
  /** Further lines. */
  readonly more?: string;
}): string {
  return `
from: { connector: shop, topics: [${flow.topic}] }
map: ${flow.map ?? 'order-to-erp'}
to: ${flow.to}
retry: { attempts: ${flow.attempts ?? 60}, ${flow.retry ?? 'first: 200ms, max: 2s, horizon: 1h'} }
${flow.more ?? ''}`;
}

export async function writeProject(folder: string, files: ProjectFiles): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}
