// Whole hubs inside the test's own process, several on one journal and one store of lanes.

import { parseEnvironment } from '../../src/config/environment.ts';
import type { Definitions } from '../../src/definitions/definitions.ts';
import { type Hub, startHub } from '../../src/hub.ts';
import type { NewEvent } from '../../src/journal/journal.ts';
import { loadProject } from '../../src/load-project.ts';
import { laneJobsOf } from '../../src/queue/lanes.ts';
import { sampleDelivery, sampleEvent } from './sample-event.ts';
import { quietLog } from './test-journal-server.ts';
import { shopSecret } from './test-project.ts';

export const hubAdminToken = 'admin-token-of-the-tests';

export interface HubPlace {
  readonly folder: string;
  readonly databaseUrl: string;
  readonly redisUrl?: string;
}

function environmentOf({ folder, databaseUrl, redisUrl }: HubPlace) {
  return parseEnvironment({
    CROSSDOCK_DIR: folder,
    CROSSDOCK_ADMIN_TOKEN: hubAdminToken,
    DATABASE_URL: databaseUrl,
    PORT: '0',
    SHOP_SECRET: shopSecret,
    ERP_TOKEN: 'token-of-the-erp',
    ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }),
  });
}

export function startHubHere(place: HubPlace): Promise<Hub> {
  return startHub({ environment: environmentOf(place), role: 'all', log: quietLog });
}

/** Stores `count` events of these flows, numbered from `first`, and puts them into their lanes. */
export async function storeOrders(
  hub: Hub,
  place: HubPlace,
  orders: {
    readonly count: number;
    readonly first?: number;
    readonly flows?: readonly string[];
  },
): Promise<readonly NewEvent[]> {
  const { definitions } = await loadProject(environmentOf(place));
  const { count, first = 1, flows = ['order-to-erp'] } = orders;
  const events = Array.from({ length: count }, (_, index) =>
    sampleEvent({
      body: Buffer.from(JSON.stringify({ id: first + index })),
      deliveries: flows.map((flow) => deliveryOf(flow, definitions)),
    }),
  );
  const { journal, lanes } = hub.operations;
  // In pieces, so that what is stored first is in front.
  for (let at = 0; at < events.length; at += 200) {
    const piece = events.slice(at, at + 200);
    await Promise.all(piece.map((event) => journal.append(event)));
    await lanes.add(piece.flatMap(laneJobsOf));
  }
  return events;
}

function deliveryOf(flow: string, definitions: Definitions | undefined) {
  const revision = definitions?.flows.get(flow)?.revision;
  if (revision === undefined) throw new Error(`the project has no flow ${flow}`);
  const { connector, operation, hash } = revision;
  return sampleDelivery({ flow, connector, operation, revision: hash });
}
